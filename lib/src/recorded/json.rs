//! JSON values that are compared exactly: numbers keep all their digits.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::pointer::Pointer;
use crate::units::counted;

/// Bodies with deeper nesting are compared as bytes.
const MAX_DEPTH: usize = 128;

/// A JSON value. Unlike `serde_json::Value` it never turns a number into a float.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum JsonValue<'a> {
    Null,
    Bool(bool),
    /// The number as written.
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<JsonValue<'a>>),
    /// Sorted by name, without duplicates.
    Object(Vec<(Cow<'a, str>, JsonValue<'a>)>),
}

impl<'a> JsonValue<'a> {
    /// Parses a whole text; `None` if it is not JSON, or nested too deeply.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<JsonValue<'a>> {
        let text = simdutf8::basic::from_utf8(bytes).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // The parser below relies on valid grammar, which serde_json checks here without recursion.
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        let mut parser = Parser { text, at: 0 };
        parser.value(0)
    }

    /// Appends text that is equal for equal values and different for different ones. Values at
    /// `ignored` are left out.
    pub(crate) fn write_canonical(&self, ignored: &[&Pointer], out: &mut Vec<u8>) {
        let ignored: Vec<&[String]> = ignored.iter().map(|pointer| pointer.parts()).collect();
        self.write(&ignored, out);
    }

    fn write(&self, ignored: &[&[String]], out: &mut Vec<u8>) {
        match self {
            JsonValue::Null => out.push(b'n'),
            JsonValue::Bool(true) => out.push(b't'),
            JsonValue::Bool(false) => out.push(b'f'),
            JsonValue::Number(text) => write_number(text, out),
            JsonValue::Text(text) => write_text(text, out),
            JsonValue::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    let below = below(ignored, || index.to_string());
                    if is_ignored(&below) {
                        out.push(b'_');
                    } else {
                        item.write(&below, out);
                    }
                    out.push(b',');
                }
                out.push(b']');
            }
            JsonValue::Object(members) => {
                out.push(b'{');
                for (name, value) in members {
                    let below = below(ignored, || name.to_string());
                    if !is_ignored(&below) {
                        write_text(name, out);
                        value.write(&below, out);
                    }
                }
                out.push(b'}');
            }
        }
    }

    /// The member with this name.
    pub(crate) fn member(&self, name: &str) -> Option<&JsonValue<'a>> {
        let JsonValue::Object(members) = self else { return None };
        let at = members.binary_search_by(|(own, _)| own.as_ref().cmp(name)).ok()?;
        Some(&members[at].1)
    }

    /// The value for display.
    pub(crate) fn display(&self) -> String {
        match self {
            JsonValue::Null => "null".to_owned(),
            JsonValue::Bool(value) => value.to_string(),
            JsonValue::Number(text) => (*text).to_owned(),
            JsonValue::Text(text) => format!("{text:?}"),
            JsonValue::Array(items) => {
                format!("an array of {}", counted(items.len() as u64, "item"))
            }
            JsonValue::Object(members) => {
                format!("an object of {}", counted(members.len() as u64, "member"))
            }
        }
    }
}

/// The remaining steps of the pointers that begin with this step.
fn below<'p>(ignored: &[&'p [String]], step: impl Fn() -> String) -> Vec<&'p [String]> {
    if ignored.is_empty() {
        return Vec::new();
    }
    let step = step();
    let fits = |parts: &&&'p [String]| parts.first().is_some_and(|p| p == "*" || *p == step);
    ignored.iter().filter(fits).map(|parts| &parts[1..]).collect()
}

fn is_ignored(below: &[&[String]]) -> bool {
    below.iter().any(|parts| parts.is_empty())
}

/// Prefixed with the length, so that concatenations stay distinct.
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(text.as_bytes());
}

/// Writes equal numbers the same way (`1`, `1.0` and `10e-1`), without losing digits.
fn write_number(text: &str, out: &mut Vec<u8>) {
    out.push(b'#');
    match Decimal::parse(text) {
        Some(number) => number.write(out),
        None => out.extend_from_slice(text.as_bytes()),
    }
    out.push(b';');
}

/// True if two JSON numbers have the same value.
pub(crate) fn same_number(a: &str, b: &str) -> bool {
    let canonical = |text: &str| {
        let mut out = Vec::new();
        write_number(text, &mut out);
        out
    };
    a == b || canonical(a) == canonical(b)
}

/// `digits * 10^exponent`, without leading and trailing zeros in the digits.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// `None` if the exponent is beyond any reasonable range.
    fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                (mantissa, exponent.trim_start_matches('+').parse::<i64>().ok()?)
            }
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        let trimmed = digits.trim_end_matches('0');
        if trimmed.is_empty() {
            return Some(Decimal { negative: false, digits: "0".to_owned(), exponent: 0 });
        }
        let zeros = i64::try_from(digits.len() - trimmed.len()).ok()?;
        let shift = zeros.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let exponent = exponent.checked_add(shift)?;
        Some(Decimal { negative, digits: trimmed.to_owned(), exponent })
    }

    fn write(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        out.extend_from_slice(self.digits.as_bytes());
        out.push(b'e');
        out.extend_from_slice(self.exponent.to_string().as_bytes());
    }
}

/// Parses a text that is known to be valid JSON. `None` means that it is nested too deeply.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Option<JsonValue<'a>> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(JsonValue::Text),
            b't' => self.word("true", JsonValue::Bool(true)),
            b'f' => self.word("false", JsonValue::Bool(false)),
            b'n' => self.word("null", JsonValue::Null),
            _ => {
                let rest = self.text.get(self.at..)?;
                let ends = |c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
                let length = rest.find(ends).unwrap_or(rest.len());
                self.at += length;
                (length > 0).then(|| JsonValue::Number(&rest[..length]))
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<JsonValue<'a>> {
        self.at += 1;
        let mut members = Vec::new();
        while self.peek()? != b'}' {
            let name = self.string()?;
            self.skip(b':')?;
            members.push((name, self.value(depth + 1)?));
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        // For a duplicate name the last value counts, as in most parsers. After reversing, it comes
        // first and is kept.
        members.reverse();
        members.sort_by(|a: &(Cow<'_, str>, _), b| a.0.cmp(&b.0));
        members.dedup_by(|later, kept| later.0 == kept.0);
        Some(JsonValue::Object(members))
    }

    fn array(&mut self, depth: usize) -> Option<JsonValue<'a>> {
        self.at += 1;
        let mut items = Vec::new();
        while self.peek()? != b']' {
            items.push(self.value(depth + 1)?);
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Some(JsonValue::Array(items))
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.skip(b'"')?;
        let (value, end) = json_string(self.text, self.at - 1)?;
        self.at = end;
        Some(value)
    }

    fn word(&mut self, word: &str, value: JsonValue<'a>) -> Option<JsonValue<'a>> {
        self.at += word.len();
        Some(value)
    }

    /// The next byte that is not whitespace.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}

/// The value of the JSON string whose quote is at `start`, and the place behind it. A string that
/// cannot be decoded, for example because of a lone surrogate, is its own value.
pub(crate) fn json_string(text: &str, start: usize) -> Option<(Cow<'_, str>, usize)> {
    let mut at = start + 1;
    loop {
        let rest = text.as_bytes().get(at..)?;
        let offset = memchr::memchr2(b'"', b'\\', rest)?;
        at += offset + 1;
        if rest[offset] == b'"' {
            break;
        }
        // An escaped byte belongs to the text, even a quote.
        at += 1;
    }
    let inner = text.get(start + 1..at - 1)?;
    if !inner.contains('\\') {
        return Some((Cow::Borrowed(inner), at));
    }
    let decoded = serde_json::from_str(text.get(start..at)?);
    Some((decoded.map_or(Cow::Borrowed(inner), Cow::Owned), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, ignored: &[&str]) -> String {
        let pointers: Vec<Pointer> = ignored.iter().map(|text| text.parse().unwrap()).collect();
        let mut out = Vec::new();
        let value = JsonValue::parse(text.as_bytes()).expect("JSON");
        value.write_canonical(&pointers.iter().collect::<Vec<_>>(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_compared_exactly() {
        for (a, b, same) in [
            ("1", "1.0", true),
            ("1", "10e-1", true),
            ("100", "1E+2", true),
            ("0", "-0.00", true),
            ("0", "0e99", true),
            ("12345678901234567890123", "12345678901234567890124", false),
            ("12345678901234567890123", "12345678901234567890123.0", true),
            ("9007199254740993", "9007199254740992", false),
            ("0.1", "0.10000000000000001", false),
            ("-1", "1", false),
            ("1e400", "1e401", false),
            ("1e99999999999999999999", "1e99999999999999999999", true),
            ("1e99999999999999999999", "2e99999999999999999999", false),
        ] {
            assert_eq!(same_number(a, b), same, "{a} {b}");
            assert_eq!(key(a, &[]) == key(b, &[]), same, "{a} {b}");
        }
    }

    #[test]
    fn values_are_equal_whatever_their_spelling() {
        assert_eq!(
            key(r#"{ "b" : [true, null], "a\u0062": "\u00e9" }"#, &[]),
            key("{\"ab\":\"é\",\"b\":[true,null]}", &[])
        );
        assert_eq!(key(r#"{"a":1,"a":2}"#, &[]), key(r#"{"a":2}"#, &[]));
        assert_ne!(key(r#"{"a":"1"}"#, &[]), key(r#"{"a":1}"#, &[]));
        assert_ne!(key("[1,2]", &[]), key("[12]", &[]));
        assert_ne!(key(r#"["a,b"]"#, &[]), key(r#"["a","b"]"#, &[]));
        assert_ne!(key(r#"["\ud800"]"#, &[]), key(r#"["\ud801"]"#, &[]));
    }

    #[test]
    fn ignored_places_do_not_count() {
        let of = |a: &str, b: &str, pointer: &str| key(a, &[pointer]) == key(b, &[pointer]);
        assert!(of(r#"{"a":1,"t":5}"#, r#"{"a":1,"t":6}"#, "/t"));
        assert!(of(r#"{"a":1,"t":5}"#, r#"{"a":1}"#, "/t"));
        assert!(!of(r#"{"a":1,"t":5}"#, r#"{"a":2,"t":5}"#, "/t"));
        assert!(of(r#"{"a":[{"id":1},{"id":2}]}"#, r#"{"a":[{"id":3},{"id":4}]}"#, "/a/*/id"));
        assert!(!of(r#"{"a":[{"id":1}]}"#, r#"{"a":[{"id":3},{"id":4}]}"#, "/a/*/id"));
        assert!(of(r#"{"x":{"y":1}}"#, r#"{"x":[2]}"#, "/x"));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "1 2", "\"\n\"", "nul", "01"] {
            assert!(JsonValue::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(JsonValue::parse(b"\"\xff\"").is_none());
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(JsonValue::parse(deep.as_bytes()).is_none());
        assert!(JsonValue::parse(&b"[".repeat(1_000_000)).is_none());
    }
}
