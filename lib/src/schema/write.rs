//! Writes a shape as a schema in canonical form.

use serde_json::{Map, Value, json};

use super::dialect::Dialect;
use super::node::Bound;
use super::shape::{Additional, Kind, NULL_ONLY, Shape, TypePart, UNREAD};

impl Shape {
    /// The schema of a shape, in canonical form.
    pub(super) fn write(self, dialect: Dialect) -> Value {
        let Shape { unread, anything, null, kinds, references, others, mut notes } = self;
        if unread {
            return json!({ UNREAD: true });
        }
        if anything {
            return Value::Object(notes);
        }
        let only_objects = kinds.keys().all(|kind| *kind == Kind::Object) && others.is_empty();
        if !only_objects {
            notes.shift_remove("discriminator");
        }
        let mut null_left = null;
        let mut branches: Vec<Value> = kinds
            .into_iter()
            .map(|(kind, part)| part.write(kind, std::mem::take(&mut null_left), dialect))
            .collect();
        let typed = branches.len();
        branches.extend(references.into_iter().map(|reference| json!({ "$ref": reference })));
        branches.extend(others.into_values());
        if null_left && !branches.is_empty() {
            branches.push(match dialect {
                Dialect::V3_0 => json!({"type": "object", "nullable": true, "enum": [null]}),
                Dialect::V3_1 => json!({"type": "null"}),
            });
        }
        let mut schema = match (branches.len(), dialect) {
            (0, Dialect::V3_0) if null => json!({ NULL_ONLY: true }),
            (0, Dialect::V3_1) if null => json!({"type": "null"}),
            (0, _) => json!({"not": {}}),
            (1, Dialect::V3_0) if typed == 0 => return branches.swap_remove(0),
            (1, _) => branches.swap_remove(0),
            _ => json!({ "anyOf": branches }),
        };
        if let Value::Object(map) = &mut schema {
            map.extend(notes);
        }
        schema
    }
}

impl TypePart {
    pub(super) fn write(self, kind: Kind, nullable: bool, dialect: Dialect) -> Value {
        let name = match kind {
            Kind::Boolean => "boolean",
            Kind::Number if self.integer => "integer",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        };
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| {
            map.insert(key.to_owned(), value);
        };
        match (nullable, dialect) {
            (true, Dialect::V3_1) => put("type", json!([name, "null"])),
            _ => put("type", json!(name)),
        }
        for (key, value) in self.words {
            put(&key, value);
        }
        if let Some(mut values) = self.values {
            if nullable {
                values.push(Value::Null);
            }
            put("enum", Value::Array(values));
        }
        let bounds = [
            ("minimum", "exclusiveMinimum", self.minimum),
            ("maximum", "exclusiveMaximum", self.maximum),
        ];
        for (plain, strict, bound) in bounds {
            match (bound, dialect) {
                (None, _) => {}
                (Some(Bound { value, exclusive: true }), Dialect::V3_1) => {
                    put(strict, value.into());
                }
                (Some(Bound { value, exclusive }), _) => {
                    put(plain, value.into());
                    if exclusive {
                        put(strict, json!(true));
                    }
                }
            }
        }
        let (least, most) = match kind {
            Kind::Array => ("minItems", "maxItems"),
            Kind::Object => ("minProperties", "maxProperties"),
            _ => ("minLength", "maxLength"),
        };
        if let Some(count) = self.least {
            put(least, count.into());
        }
        if let Some(count) = self.most {
            put(most, count.into());
        }
        if kind == Kind::Array {
            // 3.0 requires `items` in every array.
            put("items", self.items.unwrap_or_else(|| json!({})));
        }
        if !self.required.is_empty() {
            put("required", self.required.into_iter().collect());
        }
        if !self.properties.is_empty() {
            put("properties", Value::Object(self.properties));
        }
        match self.additional {
            Additional::Forbidden => put("additionalProperties", json!(false)),
            Additional::Silent => {}
            Additional::Schema(schema) => put("additionalProperties", schema),
            Additional::Anything => put("additionalProperties", json!(true)),
        }
        if nullable && dialect == Dialect::V3_0 {
            put("nullable", json!(true));
        }
        map.extend(self.notes);
        Value::Object(map)
    }
}
