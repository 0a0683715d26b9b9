//! Writes tokens onto a tape for bodies that are no JSON, so that every syntax is folded by the same code.

use super::super::parameter::{Lexical, lexical_type};
use super::{Tape, Token};

impl Tape {
    /// Begins an object; [`end`](Self::end) takes what is returned.
    pub(crate) fn begin_object(&mut self) -> usize {
        self.tokens.push(Token::Object { end: 0 });
        self.tokens.len() - 1
    }

    /// Begins an array; [`end`](Self::end) takes what is returned.
    pub(crate) fn begin_array(&mut self) -> usize {
        self.tokens.push(Token::Array { end: 0 });
        self.tokens.len() - 1
    }

    /// Ends what was begun.
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

    /// Writes a string as it is.
    pub(crate) fn write_string(&mut self, text: &str) {
        let token = self.push_unescaped(text);
        self.tokens.push(token);
    }

    /// Writes a text as the type that it reads as: boolean, integer, number or string.
    pub(crate) fn write_text(&mut self, text: &str) {
        let token = match lexical_type(text) {
            Lexical::BOOL => Token::Bool,
            // Such texts have at most 18 digits, so they are within the range of the type.
            Lexical::INT => text.parse().map_or_else(|_| self.push_unescaped(text), Token::Int),
            Lexical::NUMBER => {
                text.parse().map_or_else(|_| self.push_unescaped(text), Token::Float)
            }
            _ => self.push_unescaped(text),
        };
        self.tokens.push(token);
    }
}
