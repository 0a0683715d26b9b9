//! Writes a tree as text, deterministically: equal trees give equal bytes.
//!
//! The YAML is written by hand, because parsers of YAML 1.1 (PyYAML, Ruby) and 1.2 must read it the
//! same way: every string that one of them would misread is quoted, and floats have a form that
//! both recognise.

use std::fmt::Write as _;

use serde_json::{Number, Value};

use super::document::Format;

/// The text of a tree, with a final newline.
pub fn to_text(root: &Value, format: Format) -> String {
    let mut out = String::new();
    match format {
        Format::Json => {
            // A tree of strings and numbers always serialises; writing to a `String` cannot fail.
            let _ = write!(out, "{root:#}");
            out.push('\n');
        }
        Format::Yaml => {
            block(&mut out, root, 0, Position::Root);
        }
    }
    out
}

/// The text that precedes a value on its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// Nothing.
    Root,
    /// `key:`
    Key,
    /// `-`
    Item,
}

/// Writes a value and ends its line. `indent` is the column of the value's own keys or dashes.
fn block(out: &mut String, value: &Value, indent: usize, position: Position) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut first = true;
            for (key, child) in map {
                line_start(out, indent, position, first);
                first = false;
                write_key(out, key, indent);
                block(out, child, indent + 2, Position::Key);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let mut first = true;
            for item in items {
                line_start(out, indent, position, first);
                first = false;
                out.push('-');
                block(out, item, indent + 2, Position::Item);
            }
        }
        scalar => {
            if position != Position::Root {
                out.push(' ');
            }
            match scalar {
                Value::Null => out.push_str("null"),
                Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
                Value::Number(number) => write_number(out, number),
                Value::String(text) if literal_fits(text) => {
                    return write_literal(out, text, indent);
                }
                Value::String(text) => write_string(out, text),
                Value::Array(_) => out.push_str("[]"),
                Value::Object(_) => out.push_str("{}"),
            }
            out.push('\n');
        }
    }
}

/// Moves to the start of a key or dash: the first one of an item stays on the line of its dash.
fn line_start(out: &mut String, indent: usize, position: Position, first: bool) {
    match position {
        Position::Item if first => out.push(' '),
        Position::Key if first => {
            out.push('\n');
            pad(out, indent);
        }
        _ => pad(out, indent),
    }
}

fn pad(out: &mut String, columns: usize) {
    out.extend(std::iter::repeat_n(' ', columns));
}

/// Longer keys need the explicit form: parsers look ahead 1024 characters for the colon.
const LONG_KEY: usize = 500;

fn write_key(out: &mut String, key: &str, indent: usize) {
    if key.len() > LONG_KEY {
        out.push_str("? ");
        write_string(out, key);
        out.push('\n');
        pad(out, indent);
    } else {
        write_string(out, key);
    }
    out.push(':');
}

/// Digits, a point and a signed exponent, as YAML 1.1 requires: it reads `1e300` as a string.
fn write_number(out: &mut String, number: &Number) {
    let text = number.to_string();
    match text.split_once(['e', 'E']) {
        None => out.push_str(&text),
        Some((mantissa, exponent)) => {
            out.push_str(mantissa);
            if !mantissa.contains('.') {
                out.push_str(".0");
            }
            out.push('e');
            if !exponent.starts_with(['-', '+']) {
                out.push('+');
            }
            out.push_str(exponent);
        }
    }
}

fn write_string(out: &mut String, text: &str) {
    if plain_fits(text) {
        out.push_str(text);
    } else if text.chars().all(is_printable) {
        out.push('\'');
        for part in text.split_inclusive('\'') {
            out.push_str(part);
            if part.ends_with('\'') {
                out.push('\'');
            }
        }
        out.push('\'');
    } else {
        write_escaped(out, text);
    }
}

/// Characters that need no escape within a line, in both versions of YAML.
fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{a0}'..='\u{d7ff}' => !matches!(c, '\u{2028}' | '\u{2029}'),
        '\u{e000}'..='\u{fffd}' => c != '\u{feff}',
        _ => c >= '\u{10000}',
    }
}

/// True if a text needs no quotes. This is stricter than YAML: the text must begin with a letter,
/// `_`, `/` or `$`, so that it cannot be read as a number, date or indicator, and must not be a
/// reserved word.
fn plain_fits(text: &str) -> bool {
    let Some(first) = text.bytes().next() else { return false };
    if !(first.is_ascii_alphabetic() || matches!(first, b'_' | b'/' | b'$')) {
        return false;
    }
    if text.ends_with([' ', ':']) || text.contains(": ") || text.contains(" #") {
        return false;
    }
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    if text.len() <= 5 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return false;
    }
    text.chars().all(is_printable)
}

/// True if a text of several lines can be a literal block: no whitespace at the ends, at most one
/// line break after the last line, and printable characters.
fn literal_fits(text: &str) -> bool {
    let Some((first, _)) = text.split_once('\n') else { return false };
    let body = text.strip_suffix('\n').unwrap_or(text);
    !first.is_empty()
        && !first.starts_with(' ')
        && body.contains('\n')
        && !body.ends_with('\n')
        && body.split('\n').all(|line| !line.ends_with(' ') && line.chars().all(is_printable))
}

fn write_literal(out: &mut String, text: &str, indent: usize) {
    let (body, head) = match text.strip_suffix('\n') {
        Some(body) => (body, "|\n"),
        None => (text, "|-\n"),
    };
    out.push_str(head);
    for line in body.split('\n') {
        if !line.is_empty() {
            // A block at the root must still be indented.
            pad(out, indent.max(2));
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn write_escaped(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            // Everything above the basic plane is printable, so four digits are enough.
            c => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::tree::{from_json, from_yaml};
    use super::*;

    fn tree() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[ -~]{0,12}",
            "[0-9:._+-]{1,8}",
            "[a-z\n #:'\"-]{0,20}",
            "(null|true|No|ON|~|0x1f|0o7|1_000|1e3|\\.inf|2001-01-01|12:30:45|<<|=|-|\\?|---|\\.\\.\\.|[a-z]{501,520})",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn text_reads_back_as_the_same_tree(tree in tree()) {
            let mut notes = Vec::new();
            let yaml = to_text(&tree, Format::Yaml);
            prop_assert_eq!(from_yaml(&yaml, &mut notes), Ok(tree.clone()), "{}", yaml);
            let json = to_text(&tree, Format::Json);
            prop_assert_eq!(from_json(&json, &mut notes), Ok(tree.clone()), "{}", json);
            prop_assert!(notes.is_empty());
        }
    }

    #[test]
    fn looks_as_people_write_it() {
        let tree = json!({
            "openapi": "3.0.3",
            "info": {"title": "An API", "version": "1.0", "description": "One.\n\nTwo."},
            "paths": {"/a/{id}": {"get": {"responses": {"200": {"description": "it's"}}, "tags": ["on", {"a": [], "b": {}}, [1, 2.5e300]]}}},
        });
        let expected = "openapi: '3.0.3'
info:
  title: An API
  version: '1.0'
  description: |-
    One.

    Two.
paths:
  /a/{id}:
    get:
      responses:
        '200':
          description: it's
      tags:
        - 'on'
        - a: []
          b: {}
        - - 1
          - 2.5e+300
";
        assert_eq!(to_text(&tree, Format::Yaml), expected);
    }
}
