//! The graph to schemas of OpenAPI 3.0.

use serde_json::{Map, Value, json};

use super::components::Components;
use super::enums::{Evidence, enumeration};
use super::graph::{Graph, Kind, ObjectId, SlotId};
use crate::format::FORMATS;
use crate::infer::state::{Json, Text};

/// Writes schemas.
pub(super) struct Schemas<'g> {
    pub(super) graph: &'g Graph<'g>,
    pub(super) components: &'g Components,
}

impl Schemas<'_> {
    /// The schema that everything folded into a place is valid against. `name` is the key that the values stood under.
    pub(super) fn of(&self, id: SlotId, name: &str) -> Value {
        let slot = self.graph.slot(id);
        let node = &slot.scalars;
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
        if let Some(items) = slot.array {
            let items = items.map_or_else(|| json!({}), |items| self.of(items, name));
            parts.push(json!({"type": "array", "items": items}));
        }
        if let Some(object) = slot.object {
            parts.push(self.object(object));
        }
        if node.nulls > 0 && !parts.is_empty() {
            nullable(&mut parts);
        }
        match parts.len() {
            // An untyped schema accepts null; one that says `nullable` without `type` does not (OAS 3.0.3, clarification 003).
            0 if node.nulls > 0 => json!({"x-hmt-null-only": true}),
            0 => json!({}),
            1 => parts.remove(0),
            _ => json!({"anyOf": parts}),
        }
    }

    fn object(&self, id: ObjectId) -> Value {
        let id = self.graph.same(id);
        match self.components.name(id) {
            Some(name) => json!({"$ref": format!("#/components/schemas/{name}")}),
            None => self.definition(self.graph.kind(id)),
        }
    }

    /// `components.schemas`, by name.
    pub(super) fn definitions(&self) -> Map<String, Value> {
        let mut all: Map<String, Value> = self
            .components
            .iter()
            .map(|(id, name)| (name.to_owned(), self.definition(self.graph.kind(id))))
            .collect();
        all.sort_keys();
        all
    }

    fn definition(&self, kind: &Kind) -> Value {
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        let required: Vec<&str> = kind
            .properties
            .iter()
            .filter(|(_, (present, _))| *present == kind.n)
            .map(|(name, _)| name.as_str())
            .collect();
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        let members: Map<String, Value> = kind
            .properties
            .iter()
            .map(|(name, (_, slot))| (name.clone(), self.of(*slot, name)))
            .collect();
        if !members.is_empty() {
            schema.insert("properties".to_owned(), members.into());
        }
        if let Some(additional) = kind.additional {
            schema.insert("additionalProperties".to_owned(), self.of(additional, ""));
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

/// Lets one of the parts accept null, the first that has a `type`: `nullable` means nothing beside a `$ref`. It does not extend
/// an `enum` either, so null joins that.
fn nullable(parts: &mut Vec<Value>) {
    let typed =
        parts.iter_mut().filter_map(Value::as_object_mut).find(|part| part.contains_key("type"));
    match typed {
        Some(part) => {
            part.insert("nullable".to_owned(), json!(true));
            if let Some(Value::Array(values)) = part.get_mut("enum") {
                values.push(Value::Null);
            }
        }
        None => parts.push(json!({"type": "object", "nullable": true, "enum": [null]})),
    }
}
