//! When two request bodies are equal: as JSON values, as forms, else byte by byte.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Number, Value};

/// A request body in the form in which it is compared.
///
/// The class depends on the bytes alone, not on `content-type`, which is often missing in recordings; so
/// both sides of a comparison always come to the same class.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Comparable<'a> {
    Empty,
    Json(Value),
    /// Decoded names and values, sorted.
    Form(Vec<(Cow<'a, str>, Cow<'a, str>)>),
    Bytes(&'a [u8]),
}

impl<'a> Comparable<'a> {
    pub(super) fn of(body: &'a [u8]) -> Self {
        if body.is_empty() {
            return Comparable::Empty;
        }
        if let Ok(value) = serde_json::from_slice(body) {
            return Comparable::Json(value);
        }
        if looks_like_form(body) {
            let mut pairs: Vec<_> = form_urlencoded::parse(body).collect();
            pairs.sort_unstable();
            return Comparable::Form(pairs);
        }
        Comparable::Bytes(body)
    }

    /// Appends bytes that are the same for equal bodies and different for all others.
    pub(super) fn write_key(&self, out: &mut Vec<u8>) {
        match self {
            Comparable::Empty => {}
            Comparable::Json(value) => {
                let mut text = String::from("j");
                write_canonical(value, &mut text);
                out.extend_from_slice(text.as_bytes());
            }
            Comparable::Form(pairs) => {
                out.push(b'f');
                let text =
                    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                out.extend_from_slice(text.as_bytes());
            }
            Comparable::Bytes(bytes) => {
                out.push(b'b');
                out.extend_from_slice(bytes);
            }
        }
    }
}

/// `name=value` pairs in the characters that a form encoder leaves, and those that lazy writers leave too.
fn looks_like_form(body: &[u8]) -> bool {
    body.contains(&b'=')
        && body.iter().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(byte))
}

/// Sorted keys, no blanks, and one spelling for each number.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(name, _)| name.as_str());
            out.push('{');
            for (name, value) in entries {
                // Quoted and escaped as Rust does it: one spelling for each string is all that is needed.
                let _ = write!(out, "{name:?}:");
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Number(number) => write_number(number, out),
        Value::String(text) => {
            let _ = write!(out, "{text:?}");
        }
        Value::Bool(_) | Value::Null => {
            let _ = write!(out, "{value}");
        }
    }
}

/// `1`, `1.0` and `1e0` are one number.
fn write_number(number: &Number, out: &mut String) {
    /// Every integer up to here is a double of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let _ = match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
            let whole = float as i64;
            write!(out, "{whole}")
        }
        _ => write!(out, "{number}"),
    };
}

/// Equal JSON values; strings by `same`, so that a pseudonym can stand for a secret.
pub(super) fn json_equal(
    recorded: &Value,
    asked: &Value,
    same: &dyn Fn(&str, &str) -> bool,
) -> bool {
    match (recorded, asked) {
        (Value::String(a), Value::String(b)) => same(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| json_equal(a, b, same))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| json_equal(a, b, same)))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (mut left, mut right) = (String::new(), String::new());
            write_number(a, &mut left);
            write_number(b, &mut right);
            left == right
        }
        // A secret that was a number or a boolean was recorded as the pseudonym of its text.
        (Value::String(a), Value::Number(_) | Value::Bool(_)) => same(a, &asked.to_string()),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(body: &str) -> Vec<u8> {
        let mut out = Vec::new();
        Comparable::of(body.as_bytes()).write_key(&mut out);
        out
    }

    #[test]
    fn equal_as_json_and_as_form() {
        assert_eq!(key(r#"{"a": 1, "b": [true]}"#), key(r#"{"b":[true],"a":1.0}"#));
        assert_ne!(key(r#"{"a":1}"#), key(r#"{"a":"1"}"#));
        assert_ne!(key("[1,2]"), key("[2,1]"));
        assert_eq!(key("b=2&a=x%20y"), key("a=x+y&b=2"));
        assert_ne!(key("a=1&a=1"), key("a=1"));
        assert_ne!(key("a b"), key("a+b"));
    }
}
