//! `regex`: an ECMA-262 regular expression.

use rand::RngCore;

use super::choose::pick;

/// Asks the syntax of `regex-syntax`; what ECMA-262 has beyond it (look-around, back-references, its own escapes)
/// gets the benefit of the doubt.
pub(super) fn detect(text: &str) -> bool {
    use regex_syntax::ast::ErrorKind;
    match regex_syntax::ast::parse::Parser::new().parse(text) {
        Ok(_) => true,
        Err(error) => matches!(
            error.kind(),
            ErrorKind::UnsupportedLookAround
                | ErrorKind::UnsupportedBackreference
                | ErrorKind::EscapeUnrecognized
                | ErrorKind::ClassEscapeInvalid
                | ErrorKind::ClassRangeLiteral
                | ErrorKind::RepetitionCountDecimalEmpty
        ),
    }
}

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    out.push_str(pick(
        rng,
        &["^[a-z]+$", "^[0-9]{3}$", "[A-Z][a-z]*", "^a.*z$", "^(on|off)$", "^[a-f0-9]{8}$"],
    ));
}
