//! JSON nodes to schemas of OpenAPI 3.0.

use serde_json::{Map, Value, json};

use super::enums::{Evidence, enumeration};
use super::maps::{Shape, shape};
use crate::format::FORMATS;
use crate::infer::Limits;
use crate::infer::state::{Array, Json, Object, Text};

/// Makes schemas. Carries what the decisions need beside the node itself.
pub(super) struct Schemas<'a> {
    pub(super) limits: &'a Limits,
}

impl Schemas<'_> {
    /// The schema that everything folded into `node` is valid against. `name` is the key that the values stood under.
    pub(super) fn of(&self, node: &Json, name: &str) -> Value {
        if node.opaque > 0 {
            return json!({});
        }
        let mut parts = Vec::new();
        if node.bools > 0 {
            parts.push(json!({"type": "boolean"}));
        }
        parts.extend(number(node));
        if let Some(text) = &node.text {
            parts.push(string(text, name));
        }
        if let Some(array) = &node.array {
            parts.push(self.array(array, name));
        }
        if let Some(object) = &node.object {
            parts.push(self.object(object));
        }
        let mut parts = parts.into_iter();
        let Some(mut first) = parts.next() else {
            return if node.nulls > 0 {
                // An untyped schema accepts null; one that says `nullable` without `type` does not (OAS 3.0.3, clarification 003).
                json!({"x-hmt-null-only": true})
            } else {
                json!({})
            };
        };
        if node.nulls > 0 {
            nullable(&mut first);
        }
        let rest: Vec<Value> = parts.collect();
        if rest.is_empty() {
            return first;
        }
        let branches: Vec<Value> = std::iter::once(first).chain(rest).collect();
        json!({"anyOf": branches})
    }

    fn array(&self, array: &Array, name: &str) -> Value {
        let items = array.items.as_ref().map_or_else(|| json!({}), |items| self.of(items, name));
        json!({"type": "array", "items": items})
    }

    fn object(&self, object: &Object) -> Value {
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        let Shape { properties, additional } = shape(object, self.limits);
        let required: Vec<&str> = properties
            .iter()
            .filter(|(_, property)| property.present == object.n)
            .map(|(name, _)| *name)
            .collect();
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        let members: Map<String, Value> = properties
            .iter()
            .map(|(name, property)| ((*name).to_owned(), self.of(&property.json, name)))
            .collect();
        if !members.is_empty() {
            schema.insert("properties".to_owned(), members.into());
        }
        if let Some(additional) = additional {
            schema.insert("additionalProperties".to_owned(), self.of(&additional, ""));
        }
        Value::Object(schema)
    }
}

fn number(node: &Json) -> Option<Value> {
    if node.floats > 0 {
        return Some(json!({"type": "number"}));
    }
    let (least, greatest) = node.range.ints()?;
    let fits = |bits: u32| least >= -(1i128 << (bits - 1)) && greatest < (1i128 << (bits - 1));
    Some(if !fits(32) && fits(64) {
        json!({"type": "integer", "format": "int64"})
    } else {
        json!({"type": "integer"})
    })
}

/// The schema of strings under a key.
pub(super) fn string(text: &Text, name: &str) -> Value {
    if let Some(format) = inferred_format(text) {
        return json!({"type": "string", "format": format});
    }
    let evidence = Evidence { n: text.n, values: &text.values, name };
    match enumeration(&evidence) {
        Some(values) => json!({"type": "string", "enum": values}),
        None => json!({"type": "string"}),
    }
}

/// The first format that no string refuted.
pub(super) fn inferred_format(text: &Text) -> Option<&'static str> {
    if text.n == 0 {
        return None;
    }
    FORMATS
        .iter()
        .enumerate()
        .find(|(bit, format)| format.inferred() && text.refuted & (1 << bit) == 0)
        .map(|(_, format)| format.name)
}

/// Lets a typed schema accept null. `nullable` does not extend an `enum`, so null joins it.
fn nullable(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    schema.insert("nullable".to_owned(), json!(true));
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}
