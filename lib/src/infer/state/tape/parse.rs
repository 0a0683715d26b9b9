//! Parses a text onto a tape, by the visitor of serde_json.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{Tape, TextSpan, Token};

impl Tape {
    /// Parses a text. After an error (malformed, deeper than 128, trailing characters) the tape is
    /// empty.
    pub(crate) fn parse(&mut self, text: &str) -> Result<(), serde_json::Error> {
        self.clear();
        if u32::try_from(text.len()).is_err() {
            return Err(serde_json::Error::custom("longer than 4 GiB"));
        }
        let mut parser = serde_json::Deserializer::from_str(text);
        let result =
            TapeVisitor { tape: self, text }.deserialize(&mut parser).and_then(|()| parser.end());
        if result.is_err() {
            self.tokens.clear();
        }
        result
    }
}

/// Reads one value onto the tape.
pub(super) struct TapeVisitor<'v, 't> {
    pub(super) tape: &'v mut Tape,
    pub(super) text: &'t str,
}

impl TapeVisitor<'_, '_> {
    fn again(&mut self) -> TapeVisitor<'_, '_> {
        TapeVisitor { tape: self.tape, text: self.text }
    }
}

impl<'de> DeserializeSeed<'de> for TapeVisitor<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TapeVisitor<'_, '_> {
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
                Token::Text(TextSpan { at, len: value.len() as u32, unescaped: false })
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
