//! A JSON text as a flat list of tokens.
//!
//! The parser's visitor writes tokens here, and the fold reads them. So a text that turns out to be
//! malformed has not touched the state, at less than the cost of a validation pass, and an object
//! is complete before it is folded. Strings stay in the text; the buffers are reused between
//! bodies.

mod literal;
mod write;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::exchange::{Body, NotJson, mended_json};

/// One token. Containers have the index after their last token, so that readers can skip them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token {
    Null,
    Bool,
    Int(i64),
    /// Above `i64::MAX`.
    Big(u64),
    Float(f64),
    Text(Span),
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
pub(crate) struct Span {
    at: u32,
    len: u32,
    /// In the tape's own buffer, because the text has escapes.
    unescaped: bool,
}

impl Span {
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
    /// Reads a body as JSON. The result is cached, so it must only be called with the same body
    /// until [`Tapes::forget`].
    ///
    /// # Errors
    /// What the body is instead.
    pub(crate) fn read(
        &mut self,
        body: &Body<'_>,
        content_type: Option<&str>,
    ) -> Result<(), NotJson> {
        let held = match self.held {
            Some(held) => held,
            None => self.read_anew(body, content_type),
        };
        self.held = Some(held);
        match held {
            Held::Literal | Held::Text | Held::Mended => Ok(()),
            Held::Nothing(why) => Err(why),
        }
    }

    /// The text of the body that was read, for [`str`](Self::str).
    pub(crate) fn text<'t>(&'t self, body: &'t Body<'_>) -> &'t str {
        let text = match self.held {
            Some(Held::Literal) => body.literal(),
            Some(Held::Text) => body.as_str(),
            Some(Held::Mended) => Some(self.mended.as_str()),
            Some(Held::Nothing(_)) | None => None,
        };
        text.unwrap_or_default()
    }

    fn read_anew(&mut self, body: &Body<'_>, content_type: Option<&str>) -> Held {
        if let Some(literal) = body.literal() {
            self.clear();
            if literal::read(self, literal) {
                return Held::Literal;
            }
        }
        let mut fault = None;
        if let Some(text) = body.as_str() {
            match self.parse(text) {
                Ok(()) => return Held::Text,
                Err(error) => fault = Some(NotJson::of(text.as_bytes(), &error)),
            }
        }
        if let Some(text) = mended_json(body, content_type) {
            match self.parse(&text) {
                Ok(()) => {
                    self.mended = text.into_owned();
                    return Held::Mended;
                }
                Err(error) => fault = Some(NotJson::of(text.as_bytes(), &error)),
            }
        }
        Held::Nothing(fault.unwrap_or(NotJson::Other))
    }

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

    /// Parses a text. After an error (malformed, deeper than 128, trailing characters) the tape is
    /// empty.
    pub(crate) fn parse(&mut self, text: &str) -> Result<(), serde_json::Error> {
        self.clear();
        if u32::try_from(text.len()).is_err() {
            return Err(serde_json::Error::custom("longer than 4 GiB"));
        }
        let mut parser = serde_json::Deserializer::from_str(text);
        let result =
            Value { tape: self, text }.deserialize(&mut parser).and_then(|()| parser.end());
        if result.is_err() {
            self.tokens.clear();
        }
        result
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

    pub(crate) fn str<'t>(&'t self, span: Span, text: &'t str) -> &'t str {
        let source = if span.unescaped { &self.unescaped } else { text };
        source.get(span.at as usize..(span.at + span.len) as usize).unwrap_or_default()
    }

    fn push_unescaped(&mut self, value: &str) -> Token {
        let at = self.unescaped.len() as u32;
        self.unescaped.push_str(value);
        Token::Text(Span { at, len: value.len() as u32, unescaped: true })
    }
}

/// Reads one value onto the tape.
struct Value<'v, 't> {
    tape: &'v mut Tape,
    text: &'t str,
}

impl Value<'_, '_> {
    fn again(&mut self) -> Value<'_, '_> {
        Value { tape: self.tape, text: self.text }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.tape.tokens.push(Token::Null);
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.tape.tokens.push(Token::Bool);
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.tape.tokens.push(Token::Int(value));
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.tape.tokens.push(i64::try_from(value).map_or(Token::Big(value), Token::Int));
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.tape.tokens.push(Token::Float(value));
        Ok(())
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<(), E> {
        // The parser returns slices of `text`, so the distance of the pointers is the position in
        // it.
        let at = (value.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let token = match u32::try_from(at) {
            Ok(at) if at as usize + value.len() <= self.text.len() => {
                Token::Text(Span { at, len: value.len() as u32, unescaped: false })
            }
            _ => self.tape.push_unescaped(value),
        };
        self.tape.tokens.push(token);
        Ok(())
    }
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        let token = self.tape.push_unescaped(value);
        self.tape.tokens.push(token);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        let start = self.tape.tokens.len();
        self.tape.tokens.push(Token::Array { end: 0 });
        while access.next_element_seed(self.again())?.is_some() {}
        self.tape.close(start);
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        let start = self.tape.tokens.len();
        self.tape.tokens.push(Token::Object { end: 0 });
        while access.next_key_seed(self.again())?.is_some() {
            access.next_value_seed(self.again())?;
        }
        self.tape.close(start);
        Ok(())
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
