//! JSON in a string literal, parsed without unescaping it first: `{\"a\":[1,\"x\\ny\"]}`.
//!
//! A body is JSON within JSON. Unescaping the outer text first would need a pass over all of it and
//! a copy, and then another pass of the parser. Here a quote is two bytes and an escape three or
//! four, and a string ends at the next backslash, which is searched eight bytes at a time.
//!
//! Anything unusual (malformed, deep, numeric `\u` escapes in the outer text) is left to
//! serde_json: then [`read`] is false, and the caller uses the text itself. Everything else is
//! parsed as serde_json parses that text; a test compares the two. `text-speed` in
//! `tests/benches/texts` measures the fold of a line in both ways.

use serde::de::DeserializeSeed as _;

use super::parse::TapeVisitor;
use super::{Tape, TextSpan, Token};
use crate::exchange::{before_backslash, by_number};

/// serde_json refuses deeper nesting.
const DEEPEST: u32 = 100;
/// Any number with this many digits fits into an `i64`.
const DIGITS: usize = 18;
/// Integers with this many digits are exact as `f64`, ...
const EXACT: usize = 15;
/// ... and so are these powers of ten: the quotient is then correctly rounded (Clinger, "How to
/// read floating point numbers accurately", 1990).
const POWERS: [f64; EXACT + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// Bytes processed together.
const WORD: usize = 8;

/// Parses the characters between the quotes of a literal. If false, the content of the tape is
/// undefined.
pub(super) fn read(tape: &mut Tape, literal: &str) -> bool {
    if u32::try_from(literal.len()).is_err() {
        return false;
    }
    let mut reader = Reader { tape, text: literal, bytes: literal.as_bytes(), at: 0 };
    reader.value(0).is_some() && reader.skip().is_none() && reader.at == literal.len()
}

struct Reader<'t, 's> {
    tape: &'t mut Tape,
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
}

impl Reader<'_, '_> {
    /// The next byte that is not whitespace; `None` at the end and on errors.
    fn skip(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.at)? {
                b' ' => self.at += 1,
                b'\\' => match self.bytes.get(self.at + 1)? {
                    b'n' | b'r' | b't' => self.at += 2,
                    _ => return Some(b'\\'),
                },
                other => return Some(other),
            }
        }
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        match self.skip()? {
            b'\\' => self.string(),
            b'{' if depth < DEEPEST => self.object(depth + 1),
            b'[' if depth < DEEPEST => self.array(depth + 1),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Token::Bool),
            b'f' => self.word("false", Token::Bool),
            b'n' => self.word("null", Token::Null),
            _ => None,
        }
    }

    fn object(&mut self, depth: u32) -> Option<()> {
        let start = self.open(Token::Object { end: 0 });
        if self.skip()? != b'}' {
            loop {
                if self.skip()? != b'\\' {
                    return None;
                }
                self.string()?;
                if self.skip()? != b':' {
                    return None;
                }
                self.at += 1;
                self.value(depth)?;
                match self.skip()? {
                    b',' => self.at += 1,
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        self.at += 1;
        self.tape.close(start);
        Some(())
    }

    fn array(&mut self, depth: u32) -> Option<()> {
        let start = self.open(Token::Array { end: 0 });
        if self.skip()? != b']' {
            loop {
                self.value(depth)?;
                match self.skip()? {
                    b',' => self.at += 1,
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.at += 1;
        self.tape.close(start);
        Some(())
    }

    fn open(&mut self, token: Token) -> usize {
        self.at += 1;
        let start = self.tape.tokens.len();
        self.tape.tokens.push(token);
        start
    }

    fn word(&mut self, word: &str, token: Token) -> Option<()> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return None;
        }
        self.at += word.len();
        self.tape.tokens.push(token);
        Some(())
    }

    /// A string; the next byte is the backslash of its first quote.
    fn string(&mut self) -> Option<()> {
        if *self.bytes.get(self.at + 1)? != b'"' {
            return None;
        }
        let start = self.at + 2;
        self.at = start + self.to_backslash(start)?;
        if *self.bytes.get(self.at + 1)? != b'"' {
            return self.string_with_escapes(start);
        }
        let (at, len) = (start as u32, (self.at - start) as u32);
        self.tape.tokens.push(Token::Text(TextSpan { at, len, unescaped: false }));
        self.at += 2;
        Some(())
    }

    /// The distance from `start` to the next backslash.
    fn to_backslash(&self, start: usize) -> Option<usize> {
        let mut rest = &self.bytes[start..];
        while let Some(word) = rest.first_chunk::<WORD>() {
            let run = before_backslash(u64::from_le_bytes(*word));
            if run < WORD {
                return Some(self.bytes.len() - start - rest.len() + run);
            }
            rest = &rest[WORD..];
        }
        let run = rest.iter().position(|byte| *byte == b'\\')?;
        Some(self.bytes.len() - start - rest.len() + run)
    }

    /// The rest of a string from its first escape on, which is the current position.
    fn string_with_escapes(&mut self, start: usize) -> Option<()> {
        let first = self.tape.unescaped.len();
        let mut start = start;
        loop {
            self.tape.unescaped.push_str(self.text.get(start..self.at)?);
            let (character, size) = match self.bytes[self.at..] {
                [b'\\', b'"', ..] => break,
                [b'\\', b'/', ..] => ('/', 2),
                [b'\\', b'\\', b'\\', same @ (b'"' | b'\\' | b'/'), ..] => (char::from(same), 4),
                [b'\\', b'\\', b'/', ..] => ('/', 3),
                [b'\\', b'\\', b'n', ..] => ('\n', 3),
                [b'\\', b'\\', b't', ..] => ('\t', 3),
                [b'\\', b'\\', b'r', ..] => ('\r', 3),
                [b'\\', b'\\', b'b', ..] => ('\u{8}', 3),
                [b'\\', b'\\', b'f', ..] => ('\u{c}', 3),
                [b'\\', b'\\', b'u', ..] => by_number(&self.bytes[self.at..], br"\\u")?,
                _ => return None,
            };
            self.tape.unescaped.push(character);
            start = self.at + size;
            self.at = start + self.to_backslash(start)?;
        }
        let len = (self.tape.unescaped.len() - first) as u32;
        self.tape.tokens.push(Token::Text(TextSpan { at: first as u32, len, unescaped: true }));
        self.at += 2;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        let negative = self.bytes[start] == b'-';
        let first = start + usize::from(negative);
        let (whole, point) = self.digits(0, first);
        let places = point - first;
        if places == 0 || (places > 1 && self.bytes[first] == b'0') {
            return None;
        }
        let (token, end) = match self.bytes.get(point) {
            Some(b'.') => {
                let (all, end) = self.digits(whole, point + 1);
                let decimals = end - point - 1;
                let has_exponent = matches!(self.bytes.get(end), Some(b'e' | b'E'));
                if decimals == 0 || places + decimals > EXACT || has_exponent {
                    return self.odd_number();
                }
                let value = all as f64 / POWERS[decimals];
                (Token::Float(if negative { -value } else { value }), end)
            }
            Some(b'e' | b'E') => return self.odd_number(),
            _ if places > DIGITS || (negative && whole == 0) => return self.odd_number(),
            _ => {
                let value = whole as i64;
                (Token::Int(if negative { -value } else { value }), point)
            }
        };
        self.tape.tokens.push(token);
        self.at = end;
        Some(())
    }

    /// A number with an exponent or many digits, which serde_json parses.
    fn odd_number(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let number = &rest[..end.unwrap_or(rest.len())];
        let mut parser = serde_json::Deserializer::from_str(number);
        TapeVisitor { tape: self.tape, text: number }.deserialize(&mut parser).ok()?;
        parser.end().ok()?;
        self.at += number.len();
        Some(())
    }

    /// Adds digits to a number from a position on. The result is only correct for at most
    /// [`DIGITS`] digits.
    fn digits(&self, number: u64, from: usize) -> (u64, usize) {
        let mut number = number;
        let mut at = from;
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(at) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        (number, at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The content of a tape as text.
    fn listed(tape: &Tape, source: &str) -> String {
        let mut all = String::new();
        for token in &tape.tokens {
            all += &match token {
                Token::Text(span) => format!("{:?} ", tape.str(*span, source)),
                other => format!("{other:?} "),
            };
        }
        all
    }

    /// Parses a body both ways; `None` if it is left to serde_json.
    fn both(body: &str) -> Option<(String, Option<String>)> {
        let literal = serde_json::to_string(body).unwrap();
        let literal = &literal[1..literal.len() - 1];
        let (mut ours, mut theirs) = (Tape::default(), Tape::default());
        read(&mut ours, literal).then(|| {
            let parsed = theirs.parse(body).is_ok();
            (listed(&ours, literal), parsed.then(|| listed(&theirs, body)))
        })
    }

    #[test]
    fn plain_bodies_are_read_here() {
        for body in [
            r#"{"a":[1,-2.5,"x\ny",{}],"b":18446744073709551615,"":""}"#,
            "{\n  \"a\" : [ true , false,null ]\r\n\t}\n",
            r#"["\"quoted\"","\\","\/","/","\u00e9\ud83d\ude00","日本語 and more of it behind","\b\f\n\r\t"]"#,
            "[0,-0,0.0,-0.0,1e3,1E-2,123456789012345678,1234567890123456789,-9223372036854775808]",
            "[0.1,1.25,123456789012345.5,0.000000000000001,1.7976931348623157e308,-49.151278]",
            r#""text""#,
            r#"{"a":"b"}"#,
        ] {
            let (ours, theirs) = both(body).unwrap_or_else(|| panic!("left alone: {body}"));
            assert_eq!(Some(ours), theirs, "{body}");
        }
    }

    #[test]
    fn what_is_broken_is_not_read() {
        for body in [
            "",
            " ",
            "{",
            "[1,]",
            "[1 2]",
            r#"{"a"}"#,
            r#"{"a":1,}"#,
            r#"{1:2}"#,
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "--1",
            "tru",
            "nul",
            r#""open"#,
            r#"["\x"]"#,
            r#"["\ud800"]"#,
            "[\"\n\"]",
            "1 2",
            "[1]]",
            "1e999",
            "\u{1}",
        ] {
            assert_eq!(both(body), None, "{body:?}");
        }
        assert_eq!(both(&"[".repeat(100_000)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn as_the_parser_reads_it(
            body in r#"([\[\]{},:]|"([a-zé/]|\\["\\/bfnrtux]|\\u[0-9a-fD]{4}){0,9}"|-?[0-9]{0,20}(\.[0-9]{0,18})?([eE][+-]?[0-9]{1,3})?|true|null|[ \n\t]){0,9}"#,
        ) {
            if let Some((ours, theirs)) = both(&body) {
                prop_assert_eq!(Some(ours), theirs);
            }
        }

        #[test]
        fn whatever_it_holds(
            texts in prop::collection::vec("(?s).{0,12}|[a\"\\\\\n/]{0,9}", 0..5),
            numbers in prop::collection::vec(any::<f64>().prop_filter("finite", |f| f.is_finite()), 0..5),
            decimals in prop::collection::vec("-?(0|[1-9][0-9]{0,9})\\.[0-9]{1,9}", 0..5),
            whole in any::<i64>(),
        ) {
            let decimals = decimals.join(",");
            let value = serde_json::json!({ "texts": texts, "numbers": numbers, "whole": whole });
            for body in [value.to_string(), format!("{value:#}"), format!("[{decimals}]")] {
                let (ours, theirs) = both(&body).expect("plain");
                prop_assert_eq!(Some(ours), theirs);
            }
        }
    }
}
