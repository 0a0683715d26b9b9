//! Schemas of values in text form, in forms and parts: a text has the type that all texts at its
//! place can be read as.

use serde_json::{Map, Value, json};

use super::detail::Detail;
use super::graph::Graph;
use super::schema::{number, string};
use crate::infer::sketch::Merge as _;
use crate::infer::state::{Json, Object};

/// Writes such schemas.
#[derive(Clone, Copy)]
pub(crate) struct Textual<'a> {
    pub(crate) graph: &'a Graph<'a>,
    pub(crate) detail: &'a Detail,
}

impl Textual<'_> {
    /// The schema of the observations at a place. If a name has one value in one body and several
    /// in another body, it is a list in both.
    pub(crate) fn of(&self, json: &Json, name: &str) -> Value {
        // An object has no type in common with a list or a text.
        let mixed = json.object.is_some() && (kinds_of_scalars(json) > 0 || json.array.is_some());
        if json.opaque > 0 || mixed {
            return json!({});
        }
        match (&json.array, &json.object) {
            (Some(_), _) => match self.items(json) {
                Some(items) => json!({"type": "array", "items": self.item(&items, name)}),
                None => json!({}),
            },
            (None, Some(object)) => self.object(object, name),
            (None, None) => self.scalar(json, name),
        }
    }

    /// The schema of the items of a list. Only a name can be a list with one value, unlike a nested
    /// item.
    fn item(&self, json: &Json, name: &str) -> Value {
        if json.array.is_some() && kinds_of_scalars(json) > 0 {
            return json!({});
        }
        self.of(json, name)
    }

    /// The items of the lists at a place, and the single values. `None` if only some are lists.
    pub(crate) fn items(&self, json: &Json) -> Option<Json> {
        let items = json.array.as_ref().and_then(|array| array.items.as_deref());
        let alone = Json { array: None, ..json.clone() };
        match items {
            Some(items) if items.array.is_some() && alone != Json::default() => None,
            Some(items) => {
                let mut all = items.clone();
                all.merge(alone, self.graph.limits());
                Some(all)
            }
            None => Some(alone),
        }
    }

    fn object(&self, object: &Object, name: &str) -> Value {
        let whole = self.whole(object);
        let shape = self.graph.shape(&whole, ("", name));
        let present: Vec<(&str, u64)> =
            shape.properties.iter().map(|(key, property)| (*key, property.present)).collect();
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        let needed = present.iter().filter(|(_, present)| *present == whole.n);
        let required: Vec<&str> = needed.map(|(key, _)| *key).collect();
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        let members = shape.properties.iter();
        let members: Map<String, Value> = members
            .map(|(key, property)| ((*key).to_owned(), self.of(&property.json, key)))
            .collect();
        if !members.is_empty() {
            schema.insert("properties".to_owned(), members.into());
        }
        if let Some(additional) = &shape.additional {
            schema.insert("additionalProperties".to_owned(), self.of(additional, ""));
        }
        self.detail.count_objects(&mut schema, whole.n, present.into_iter());
        Value::Object(schema)
    }

    /// All objects of a place, whatever their tags are.
    pub(crate) fn whole(&self, object: &Object) -> Object {
        let mut whole = object.clone();
        whole.bring_together(self.graph.limits());
        whole
    }

    /// The schema of the texts alone.
    pub(crate) fn scalar(&self, json: &Json, name: &str) -> Value {
        match kinds_of_scalars(json) {
            0 => return json!({}),
            1 => {}
            _ => return json!({"type": "string"}),
        }
        if json.bools > 0 {
            return json!({"type": "boolean"});
        }
        if let Some(mut schema) = number(json, name) {
            self.detail.number(&mut schema, json, name, false);
            return schema;
        }
        let Some(text) = &json.text else { return json!({}) };
        let mut schema = string(text, name);
        self.detail.text(&mut schema, text, name, false);
        schema
    }
}

/// How many types the texts at a place can be read as, with integers as numbers.
pub(crate) fn kinds_of_scalars(json: &Json) -> usize {
    let numbers = json.ints.saturating_add(json.floats);
    let texts = json.text.as_ref().map_or(0, |text| text.n);
    [json.bools, numbers, texts].into_iter().filter(|n| *n > 0).count()
}
