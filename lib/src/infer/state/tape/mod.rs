//! A JSON text as a flat list of tokens.
//!
//! The parser's visitor writes tokens here, and the fold reads them. So a text that turns out to be
//! malformed has not touched the state, at less than the cost of a validation pass, and an object
//! is complete before it is folded. Strings stay in the text; the buffers are reused between
//! bodies.

mod literal;
mod parse;
mod read;
mod write;

use crate::exchange::NotJson;

/// One token. Containers have the index after their last token, so that readers can skip them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token {
    Null,
    Bool,
    Int(i64),
    /// Above `i64::MAX`.
    Big(u64),
    Float(f64),
    Text(TextSpan),
    Array {
        end: u32,
    },
    /// Followed by key and value in turn; a key is a [`Token::Text`].
    Object {
        end: u32,
    },
}

/// The position of a string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextSpan {
    at: u32,
    len: u32,
    /// In the tape's own buffer, because the text has escapes.
    unescaped: bool,
}

impl TextSpan {
    /// In bytes.
    pub(crate) fn len(self) -> usize {
        self.len as usize
    }
}

/// The tokens of one text.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    tokens: Vec<Token>,
    unescaped: String,
    /// How the body was read.
    held: Option<Held>,
    /// The text of a body that had to be repaired.
    mended: String,
}

/// The result of [`Tape::read`].
#[derive(Clone, Copy, Debug)]
enum Held {
    Literal,
    Text,
    /// Decoded, or with lone surrogates replaced.
    Mended,
    Nothing(NotJson),
}

/// The bodies of one exchange, each of which is read at most once.
#[derive(Debug, Default)]
pub(crate) struct Tapes {
    pub(crate) asked: Tape,
    pub(crate) answered: Tape,
}

impl Tapes {
    /// Prepares for another exchange.
    pub(crate) fn forget(&mut self) {
        self.asked.held = None;
        self.answered.held = None;
    }
}

impl Tape {
    fn clear(&mut self) {
        self.tokens.clear();
        self.unescaped.clear();
    }

    /// Sets the end of the container that began at `start`.
    fn close(&mut self, start: usize) {
        let end = self.tokens.len() as u32;
        match &mut self.tokens[start] {
            Token::Array { end: e } | Token::Object { end: e } => *e = end,
            _ => {}
        }
    }

    /// True if an object or array was read.
    pub(crate) fn is_container(&self) -> bool {
        matches!(self.tokens.first(), Some(Token::Object { .. } | Token::Array { .. }))
    }

    pub(crate) fn token(&self, at: usize) -> Token {
        // There is nothing to fold past the end; readers stay below the `end`s that the parser
        // wrote.
        self.tokens.get(at).copied().unwrap_or(Token::Null)
    }

    pub(crate) fn str<'t>(&'t self, span: TextSpan, text: &'t str) -> &'t str {
        let source = if span.unescaped { &self.unescaped } else { text };
        source.get(span.at as usize..(span.at + span.len) as usize).unwrap_or_default()
    }

    fn push_unescaped(&mut self, value: &str) -> Token {
        let at = self.unescaped.len() as u32;
        self.unescaped.push_str(value);
        Token::Text(TextSpan { at, len: value.len() as u32, unescaped: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_order_and_nothing_left_after_an_error() {
        let mut tape = Tape::default();
        let text = r#"{"a":[1,-2.5,"x\ny"],"b":18446744073709551615}"#;
        tape.parse(text).unwrap();
        assert!(matches!(tape.token(0), Token::Object { end: 8 }));
        assert!(matches!(tape.token(2), Token::Array { end: 6 }));
        let Token::Text(span) = tape.token(5) else { panic!() };
        assert_eq!(tape.str(span, text), "x\ny");
        assert!(matches!(tape.token(7), Token::Big(u64::MAX)));
        assert!(tape.parse("[1,2").is_err() && tape.tokens.is_empty());
        assert!(tape.parse(&"[".repeat(100_000)).is_err());
        assert!(tape.parse("1 2").is_err());
    }
}
