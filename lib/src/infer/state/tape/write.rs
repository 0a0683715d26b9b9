//! Writes tokens to a tape for bodies that are not JSON, so that the same code folds every syntax.

use super::super::parameter::{Lexical, lexical_type};
use super::{Tape, Token};

impl Tape {
    /// Begins an object; pass the result to [`end`](Self::end).
    pub(crate) fn begin_object(&mut self) -> usize {
        self.tokens.push(Token::Object { end: 0 });
        self.tokens.len() - 1
    }

    /// Begins an array; pass the result to [`end`](Self::end).
    pub(crate) fn begin_array(&mut self) -> usize {
        self.tokens.push(Token::Array { end: 0 });
        self.tokens.len() - 1
    }

    /// Ends an object or array.
    pub(crate) fn end(&mut self, start: usize) {
        self.close(start);
    }

    /// Writes the key of the member that follows.
    pub(crate) fn write_key(&mut self, key: &str) {
        let token = self.push_unescaped(key);
        self.tokens.push(token);
    }

    /// Writes null.
    pub(crate) fn write_null(&mut self) {
        self.tokens.push(Token::Null);
    }

    /// Writes a string unchanged.
    pub(crate) fn write_string(&mut self, text: &str) {
        let token = self.push_unescaped(text);
        self.tokens.push(token);
    }

    /// Writes a text with the type that it can be read as: boolean, integer, number or string.
    pub(crate) fn write_text(&mut self, text: &str) {
        let token = match lexical_type(text) {
            Lexical::BOOL => Token::Bool,
            // Such texts have at most 18 digits, so they are in the range of the type.
            Lexical::INT => text.parse().map_or_else(|_| self.push_unescaped(text), Token::Int),
            Lexical::NUMBER => {
                text.parse().map_or_else(|_| self.push_unescaped(text), Token::Float)
            }
            _ => self.push_unescaped(text),
        };
        self.tokens.push(token);
    }
}
