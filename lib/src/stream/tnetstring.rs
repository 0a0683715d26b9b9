//! Tagged netstrings (tnetstrings.info), the format of mitmproxy flows: `LENGTH:DATA` and a type
//! character.

/// Maximum depth of nested lists and dictionaries; flows have about six levels.
const MAX_DEPTH: usize = 32;

/// A value, borrowed from the input.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'b> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Bytes or text; versions of mitmproxy distinguish them differently.
    Bytes(&'b [u8]),
    List(Vec<Value<'b>>),
    Dict(Vec<(&'b [u8], Value<'b>)>),
}

impl<'b> Value<'b> {
    /// A value of a dictionary.
    pub(super) fn get(&self, key: &str) -> Option<&Value<'b>> {
        match self {
            Value::Dict(pairs) => {
                pairs.iter().find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> Option<&'b [u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements of a list; none for other values.
    pub(super) fn items(&self) -> &[Value<'b>] {
        match self {
            Value::List(items) => items,
            _ => &[],
        }
    }
}

/// Reads the data of a value of type `tag`.
pub(super) fn read(data: &[u8], tag: u8) -> Option<Value<'_>> {
    value(data, tag, 0)
}

fn value(data: &[u8], tag: u8, depth: usize) -> Option<Value<'_>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let text = || std::str::from_utf8(data).ok();
    Some(match tag {
        b',' | b';' => Value::Bytes(data),
        b'#' => Value::Int(text()?.parse().ok()?),
        b'^' => Value::Float(text()?.parse().ok()?),
        b'!' => Value::Bool(data == b"true"),
        b'~' => Value::Null,
        b']' => {
            let mut items = Vec::new();
            let mut rest = data;
            while !rest.is_empty() {
                let (item, behind) = next(rest, depth)?;
                items.push(item);
                rest = behind;
            }
            Value::List(items)
        }
        b'}' => {
            let mut pairs = Vec::new();
            let mut rest = data;
            while !rest.is_empty() {
                let (key, behind) = next(rest, depth)?;
                let (value, behind) = next(behind, depth)?;
                pairs.push((key.bytes()?, value));
                rest = behind;
            }
            Value::Dict(pairs)
        }
        _ => return None,
    })
}

/// The value at the start of some bytes, and the rest.
fn next(bytes: &[u8], depth: usize) -> Option<(Value<'_>, &[u8])> {
    let colon = bytes.iter().take(12).position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let rest = &bytes[colon + 1..];
    let tag = *rest.get(length)?;
    Some((value(&rest[..length], tag, depth + 1)?, &rest[length + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_type() {
        let (value, rest) =
            next(b"53:1:a;1:1#1:b,3:1.5^1:c;0:~1:d;11:4:true!1:x,]1:e;2:hi;}rest", 0).unwrap();
        assert_eq!(rest, b"rest");
        assert_eq!(value.get("a").and_then(Value::number), Some(1.0));
        assert_eq!(value.get("b").and_then(Value::number), Some(1.5));
        assert_eq!(value.get("c"), Some(&Value::Null));
        assert_eq!(value.get("d").unwrap().items(), [Value::Bool(true), Value::Bytes(b"x")]);
        assert_eq!(value.get("e").and_then(Value::bytes), Some(&b"hi"[..]));
    }

    #[test]
    fn what_is_damaged_is_nothing() {
        let deep = (0..50).fold("0:~".to_owned(), |inner, _| format!("{}:{inner}]", inner.len()));
        for bytes in ["", "5:abc,", "x:a,", "3:abc?", "-1:a,", "4:1:a,}", "99999999999:,", &deep] {
            assert_eq!(next(bytes.as_bytes(), 0), None, "{bytes}");
        }
    }
}
