//! `regex`: an ECMA-262 regular expression.

use rand::RngCore;

use super::choose::pick;

/// Uses the syntax of `regex-syntax`; additional ECMA-262 features (look-around, back-references,
/// other escapes) are assumed to be valid.
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
