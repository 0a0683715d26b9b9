//! Visits the scalars of a JSON text, with their names and positions, without building a tree.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;

use crate::recorded::json_string;

/// Deeper texts are not visited.
const MAX_DEPTH: usize = 128;

/// A scalar.
#[derive(Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    /// A string, without escapes.
    Text(Cow<'a, str>),
    /// A number as written.
    Number(&'a str),
    /// True, false or null.
    Word,
}

/// A scalar and its place.
pub(super) struct Leaf<'w, 'a> {
    /// The JSON pointer.
    pub(super) pointer: &'w str,
    /// The names of the properties around it, the innermost last, without array indexes.
    pub(super) names: &'w [Cow<'a, str>],
    /// Its position, for a string with the quotes.
    pub(super) range: Range<usize>,
    pub(super) scalar: Scalar<'a>,
}

/// Calls `visit` for each scalar in order until it returns false. Returns false for a text that is
/// not JSON, or too deep.
pub(super) fn walk<'a>(text: &'a str, visit: impl FnMut(Leaf<'_, 'a>) -> bool) -> bool {
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    // The walker relies on valid grammar, which serde_json checks here without recursion.
    if serde_json::from_str::<IgnoredAny>(&text[start..]).is_err() {
        return false;
    }
    let mut walker =
        Walker { text, at: start, pointer: String::new(), names: Vec::new(), depth: 0, visit };
    walker.value().is_some()
}

struct Walker<'a, V> {
    text: &'a str,
    at: usize,
    pointer: String,
    names: Vec<Cow<'a, str>>,
    depth: usize,
    visit: V,
}

impl<'a, V: FnMut(Leaf<'_, 'a>) -> bool> Walker<'a, V> {
    /// `None` ends the walk.
    fn value(&mut self) -> Option<()> {
        let first = self.peek()?;
        let start = self.at;
        let scalar = match first {
            b'{' => return self.nested(Self::members),
            b'[' => return self.nested(Self::items),
            b'"' => Scalar::Text(self.string()?),
            _ => {
                let rest = &self.text[start..];
                let end = rest
                    .find(|c: char| !matches!(c, '0'..='9' | 'a'..='z' | 'E' | '+' | '-' | '.'));
                let word = &rest[..end.unwrap_or(rest.len())];
                self.at += word.len();
                if matches!(first, b't' | b'f' | b'n') {
                    Scalar::Word
                } else {
                    Scalar::Number(word)
                }
            }
        };
        let range = start..self.at;
        let leaf = Leaf { pointer: &self.pointer, names: &self.names, range, scalar };
        (self.visit)(leaf).then_some(())
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.at += 1;
        inner(self)?;
        self.at += 1;
        self.depth -= 1;
        Some(())
    }

    fn members(&mut self) -> Option<()> {
        while self.peek()? != b'}' {
            let name = self.string()?;
            self.peek()?;
            // The colon.
            self.at += 1;
            let length = self.pointer.len();
            self.pointer.push('/');
            for c in name.chars() {
                match c {
                    '~' => self.pointer.push_str("~0"),
                    '/' => self.pointer.push_str("~1"),
                    c => self.pointer.push(c),
                }
            }
            self.names.push(name);
            self.value()?;
            self.names.pop();
            self.pointer.truncate(length);
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        Some(())
    }

    fn items(&mut self) -> Option<()> {
        let mut index = 0_usize;
        while self.peek()? != b']' {
            let length = self.pointer.len();
            self.pointer.push('/');
            self.pointer.push_str(&index.to_string());
            self.value()?;
            self.pointer.truncate(length);
            index += 1;
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        Some(())
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.peek()?;
        let (value, end) = json_string(self.text, self.at)?;
        self.at = end;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_have_pointers_and_positions() {
        let text = r#" {"a/b" : ["x\"y", {"id": -1.5e3}], "e":[], "t": true}"#;
        let mut seen = Vec::new();
        let all = walk(text, |leaf| {
            let names = leaf.names.join(",");
            seen.push(format!("{} {names} {}", leaf.pointer, &text[leaf.range]));
            true
        });
        assert!(all);
        assert_eq!(seen, [r#"/a~1b/0 a/b "x\"y""#, "/a~1b/1/id a/b,id -1.5e3", "/t t true"]);
        assert!(!walk("{\"a\":", |_| true) && !walk("", |_| true));
        assert!(!walk(&("[".repeat(200) + &"]".repeat(200)), |_| true));
    }
}
