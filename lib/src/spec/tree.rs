//! Parses text to a tree, with one visitor for JSON and YAML.
//!
//! Unlike `serde_json::Value`, this visitor reports duplicate keys (both formats would silently
//! keep one) and stops at [`MAX_DEPTH`] for either parser.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Maximum nesting depth. Deeper documents are refused, so that all later code may recurse.
pub(super) const MAX_DEPTH: usize = 128;

/// Parses JSON. The error message contains line and column.
pub(super) fn from_json(text: &str, warnings: &mut Vec<String>) -> Result<Value, String> {
    let notes = RefCell::new(Vec::new());
    let mut parser = serde_json::Deserializer::from_str(text);
    let tree = Tree { depth: 0, notes: &notes }
        .deserialize(&mut parser)
        .and_then(|tree| parser.end().map(|()| tree))
        .map_err(|error| json_words(&error))?;
    warnings.append(&mut notes.into_inner());
    Ok(tree)
}

/// The message of the parser as users understand it, with the position.
fn json_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
    let what = match text {
        _ if error.is_eof() => "the JSON is incomplete",
        "trailing characters" => "there is more text after the JSON value",
        "key must be a string" => "a key must be in double quotes",
        "expected value" | "expected ident" => "a value is expected here",
        "trailing comma" => "there is a comma after the last element",
        "invalid escape" => "there is an unknown escape sequence in a string",
        other => other,
    };
    format!("{what} at line {}, column {}", error.line(), error.column())
}

/// Parses YAML 1.2 (one document). The error message contains line and column.
pub(crate) fn from_yaml(text: &str, warnings: &mut Vec<String>) -> Result<Value, String> {
    let notes = RefCell::new(Vec::new());
    let tree = serde_saphyr::with_deserializer_from_str_with_options(
        text,
        options(text.len()),
        |deserializer| Tree { depth: 0, notes: &notes }.deserialize(deserializer),
    )
    .map_err(|error| {
        let text = error.to_string();
        let is_tab = text.starts_with("tabs disallowed");
        if is_tab { format!("{text}; indent with spaces, not tabs") } else { text }
    })?;
    warnings.append(&mut notes.into_inner());
    Ok(tree)
}

/// Limits by document size: a node needs at least a byte, and aliases may at most treble the
/// document. This stops alias bombs, but no honest document.
fn options(bytes: usize) -> serde_saphyr::Options {
    let nodes = bytes.saturating_mul(2).max(10_000);
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: nodes,
            max_events: nodes.saturating_mul(2),
            max_documents: 2,
            max_total_scalar_bytes: bytes.saturating_mul(4).max(1 << 20),
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: nodes,
            max_replay_stack_depth: 32,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

#[derive(Clone, Copy)]
struct Tree<'n> {
    depth: usize,
    notes: &'n RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Tree<'_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Tree { depth: self.depth + 1, ..self })
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            let value = entries.next_value_seed(inner)?;
            if map.contains_key(&key) {
                self.notes
                    .borrow_mut()
                    .push(format!("key {key:?} is repeated; the last one is used"));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// A key as text: YAML reads `200:`, `true:` and `null:` as other types.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar as key")
    }

    fn visit_str<E>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }

    fn visit_string<E>(self, value: String) -> Result<String, E> {
        Ok(value)
    }

    fn visit_none<E>(self) -> Result<String, E> {
        Ok("null".to_owned())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}
