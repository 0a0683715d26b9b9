//! Converts texts of parameters, headers and forms to JSON values that their schema accepts.

use serde_json::{Map, Number, Value};

use crate::schema::{Direction, NodeId, SchemaSet, Types};

/// The context of a conversion: the schemas, and the direction of the message.
#[derive(Clone, Copy)]
pub(super) struct Coerce<'s> {
    pub(super) set: &'s SchemaSet,
    pub(super) direction: Direction,
}

impl Coerce<'_> {
    /// The interpretation of a text that the schema accepts: number, boolean, null if empty, or
    /// string. If the schema accepts none of them, the interpretation with an allowed type, or else
    /// the string.
    pub(super) fn scalar(self, schema: Option<NodeId>, text: &str) -> Value {
        let Some(id) = schema else { return text.into() };
        let types = self.set.types(id);
        // A JSON parser would skip whitespace.
        let bare = !text.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace);
        let number = (bare && types.has(Types::NUMBER.with(Types::INTEGER)))
            .then(|| serde_json::from_str::<Number>(text).ok())
            .flatten()
            .map(Value::Number);
        let other = match text {
            "true" | "false" if types.has(Types::BOOLEAN) => Some(Value::Bool(text == "true")),
            "" if types.has(Types::NULL) => Some(Value::Null),
            _ => None,
        };
        let string = types.has(Types::STRING).then(|| Value::from(text));
        let readings = match (number, other, string) {
            // A single interpretation is used whether it is accepted or not.
            (Some(only), None, None) | (None, Some(only), None) | (None, None, Some(only)) => {
                return only;
            }
            (None, None, None) => return text.into(),
            (number, other, string) => [number, other, string].into_iter().flatten(),
        };
        let mut first = None;
        for reading in readings {
            if self.set.accepts(id, &reading, self.direction) {
                return reading;
            }
            first.get_or_insert(reading);
        }
        first.unwrap_or_else(|| text.into())
    }

    /// An array of texts.
    pub(super) fn array<'t>(
        self,
        schema: Option<NodeId>,
        texts: impl Iterator<Item = &'t str>,
    ) -> Value {
        let items = schema.and_then(|id| self.set.item(id));
        texts.map(|text| self.scalar(items, text)).collect()
    }

    /// An object of texts; a repeated name becomes an array.
    pub(super) fn object(self, schema: Option<NodeId>, pairs: &[(&str, &str)]) -> Value {
        let mut map = Map::new();
        for (name, _) in pairs {
            if map.contains_key(*name) {
                continue;
            }
            let property = schema.and_then(|id| self.set.property(id, name));
            let texts: Vec<&str> =
                pairs.iter().filter(|(key, _)| key == name).map(|(_, text)| *text).collect();
            map.insert((*name).to_owned(), self.repeated(property, &texts));
        }
        Value::Object(map)
    }

    /// The value of a name with one or more texts: a scalar if there is one and the schema accepts
    /// it, otherwise an array.
    pub(super) fn repeated(self, schema: Option<NodeId>, texts: &[&str]) -> Value {
        let types = schema.map_or(Types(0x7f), |id| self.set.types(id));
        let takes_array = types.has(Types::ARRAY);
        match texts {
            [text] if !takes_array || schema.is_none() => self.scalar(schema, text),
            [text] => {
                let scalar = self.scalar(schema, text);
                let fits = |value: &Value| {
                    schema.is_none_or(|id| self.set.accepts(id, value, self.direction))
                };
                if fits(&scalar) { scalar } else { self.array(schema, texts.iter().copied()) }
            }
            _ => self.array(schema, texts.iter().copied()),
        }
    }
}
