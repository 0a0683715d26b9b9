//! Writes the graph as OpenAPI 3.0 schemas.

use std::cell::Cell;

use serde_json::{Map, Value, json};

use super::components::Components;
use super::confidence::{self, Needed};
use super::detail::Detail;
use super::enums::{Evidence, enumeration};
use super::graph::{BodySide, Graph, ObjectId, ObjectKind, Slot, SlotId};
use super::hints;
use super::unions::{TagMapping, discriminator, values};
use crate::format::FORMATS;
use crate::infer::state::{Json, Text};

/// Writes schemas.
pub(crate) struct Schemas<'g> {
    pub(crate) graph: &'g Graph<'g>,
    pub(crate) components: &'g Components,
    pub(crate) detail: &'g Detail,
    /// Whether the kind that is being written is below a secret name.
    secret: Cell<bool>,
    /// By side.
    needed: [Needed; 3],
}

impl<'g> Schemas<'g> {
    pub(crate) fn new(
        graph: &'g Graph<'g>,
        components: &'g Components,
        detail: &'g Detail,
    ) -> Self {
        let needed = [BodySide::Request, BodySide::Failed, BodySide::Response];
        let needed = needed.map(|side| Needed::of(graph, side));
        Schemas { graph, components, detail, secret: Cell::default(), needed }
    }
}

impl Schemas<'_> {
    /// The schema that every value folded at a slot is valid against. `name` is the key of the
    /// values.
    pub(crate) fn of(&self, id: SlotId, name: &str) -> Value {
        self.at(id, name, 0)
    }

    /// Like [`Self::of`], but null is allowed if there were fewer than `certain` other values.
    fn at(&self, id: SlotId, name: &str, certain: u64) -> Value {
        let slot = self.graph.slot(id);
        let node = &slot.scalars;
        if node.opaque > 0 {
            return json!({});
        }
        let mut parts = Vec::new();
        if node.bools > 0 {
            parts.push(json!({"type": "boolean"}));
        }
        let secret = self.secret.get();
        if let Some(mut schema) = number(node, name) {
            self.detail.number(&mut schema, node, name, secret);
            parts.push(schema);
        }
        if let Some(text) = &node.text {
            let mut schema = string(text, name);
            self.detail.text(&mut schema, text, name, secret);
            parts.push(schema);
        }
        if let Some(items) = slot.array {
            let items = items.map_or_else(|| json!({}), |items| self.of(items, name));
            let mut schema = json!({"type": "array", "items": items});
            self.detail.array(&mut schema, node.array.as_deref());
            parts.push(schema);
        }
        self.objects(slot, &mut parts);
        if (node.nulls > 0 || confidence::values(slot) < certain) && !parts.is_empty() {
            nullable(&mut parts);
        }
        match parts.len() {
            // An untyped schema accepts null, but `nullable` without `type` does not (OAS 3.0.3,
            // clarification 003).
            0 if node.nulls > 0 => json!({"x-hmt-null-only": true}),
            0 => json!({}),
            1 => parts.remove(0),
            _ => json!({"anyOf": parts}),
        }
    }

    /// The schemas of the object kinds at a place, as alternatives if a discriminator distinguishes
    /// them.
    fn objects(&self, slot: &Slot, parts: &mut Vec<Value>) {
        let kinds = self.graph.kinds_at(slot);
        let all: Vec<Value> = kinds.iter().map(|id| self.object(*id)).collect();
        let told = (kinds.len() > 1).then(|| discriminator(self.graph, slot, &kinds)).flatten();
        match told {
            Some(TagMapping { key, mapping }) => {
                let mapping: Map<String, Value> = mapping
                    .into_iter()
                    .map(|(value, id)| (value, self.object(id)["$ref"].clone()))
                    .collect();
                parts.push(json!({
                    "oneOf": all,
                    "discriminator": {"propertyName": key, "mapping": mapping},
                }));
            }
            None => parts.extend(all),
        }
    }

    fn object(&self, id: ObjectId) -> Value {
        let id = self.graph.same(id);
        match self.components.name(id) {
            Some(name) => json!({"$ref": format!("#/components/schemas/{name}")}),
            None => self.definition(id),
        }
    }

    /// `components.schemas`, by name.
    pub(crate) fn definitions(&self) -> Map<String, Value> {
        let mut all: Map<String, Value> = self
            .components
            .iter()
            .map(|(id, name)| (name.to_owned(), self.definition(id)))
            .collect();
        all.sort_keys();
        all
    }

    fn definition(&self, id: ObjectId) -> Value {
        let id = self.graph.same(id);
        let outer = self.secret.replace(self.detail.is_secret(id));
        let mut schema = self.object_of(id, self.graph.kind(id));
        self.secret.set(outer);
        let kind = self.graph.kind(id);
        let keys = self.graph.properties(kind).into_iter().map(|(name, n, _)| (name, n));
        self.detail.count_objects(&mut schema, kind.n, keys);
        Value::Object(schema)
    }

    fn object_of(&self, id: ObjectId, kind: &ObjectKind) -> Map<String, Value> {
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        let needed = &self.needed[kind.side as usize];
        let tags = self.components.tags(id);
        let properties = self.graph.properties(kind);
        let required: Vec<&str> = properties
            .iter()
            .filter(|(name, present, _)| {
                *present == kind.n && (kind.n >= needed.required || tags.contains(*name))
            })
            .map(|(name, ..)| *name)
            .collect();
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        let members: Map<String, Value> = properties
            .into_iter()
            .map(|(name, _, slot)| {
                let values = tags.contains(name).then(|| values(self.graph, kind, name)).flatten();
                let schema = match values {
                    Some(values) => json!({"type": "string", "enum": values}),
                    None => self.at(slot, name, needed.not_null),
                };
                (name.to_owned(), schema)
            })
            .collect();
        if !members.is_empty() {
            schema.insert("properties".to_owned(), members.into());
        }
        if let Some(additional) = kind.additional {
            schema.insert("additionalProperties".to_owned(), self.of(additional, ""));
        }
        schema
    }
}

/// The schema of the numbers at a place; `None` if there are none.
pub(crate) fn number(node: &Json, name: &str) -> Option<Value> {
    if node.floats > 0 {
        let mut schema = json!({"type": "number"});
        if let Some(hint) = hints::of_number(name) {
            schema["x-faker"] = json!(hint);
        }
        return Some(schema);
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
pub(crate) fn string(text: &Text, name: &str) -> Value {
    let format = inferred_format(text);
    let mut schema = json!({"type": "string"});
    if let Some(format) = format {
        schema["format"] = json!(format);
    } else if let Some(values) = enumeration(&Evidence { n: text.n, values: &text.values, name }) {
        schema["enum"] = json!(values);
        return schema;
    }
    if let Some(hint) = hints::of_text(name, format) {
        schema["x-faker"] = json!(hint);
    }
    schema
}

/// The first format that no string refuted.
pub(crate) fn inferred_format(text: &Text) -> Option<&'static str> {
    if text.n == 0 {
        return None;
    }
    FORMATS
        .iter()
        .enumerate()
        .find(|(bit, format)| format.inferred() && text.refuted & (1 << bit) == 0)
        .map(|(_, format)| format.name)
}

/// Lets one of the parts accept null: the first with a `type`, because `nullable` has no effect
/// next to a `$ref`. It does not extend an `enum` either, so null is added to the `enum`.
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
