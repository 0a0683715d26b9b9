//! Inferred schemas, split into parts of one type each.

use serde_json::{Value, json};

use crate::spec::Place;

/// The part of an inferred schema for one type; for any type if it is unknown.
#[derive(Clone, Debug)]
pub(super) struct InferredPart<'v> {
    pub(super) place: Place<'v>,
    pub(super) kind: Option<&'v str>,
}

impl InferredPart<'_> {
    pub(super) fn word(&self, word: &str) -> Option<&Value> {
        self.place.value.get(word)
    }

    /// The observed values, if they are known.
    pub(super) fn values(&self) -> Option<Vec<Value>> {
        match (self.kind, self.word("enum").and_then(Value::as_array)) {
            (Some("null"), _) => Some(vec![Value::Null]),
            (Some(_), Some(values)) => {
                Some(values.iter().filter(|value| !value.is_null()).cloned().collect())
            }
            (Some("boolean"), None) => Some(vec![json!(false), json!(true)]),
            _ => None,
        }
    }

    pub(super) fn always_has(&self, name: &str) -> bool {
        let required = self.word("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|known| known == name))
    }
}

/// The alternatives of an inferred schema, each of one type.
pub(super) fn parts<'v>(schema: &Place<'v>) -> Vec<InferredPart<'v>> {
    let mut all = Vec::new();
    let mut queue = vec![schema.clone()];
    // Inferred schemas only refer to one another through properties and items.
    while let Some(place) = queue.pop() {
        let Ok(place) = place.target() else { continue };
        let branches = ["anyOf", "oneOf"].iter().find_map(|word| place.get(word));
        let only_null = place.flag("x-hmt-null-only").then(|| vec!["null"]);
        match (branches, only_null.or_else(|| kinds(place.value))) {
            (Some(branches), _) => queue.extend(branches.items()),
            (None, Some(kinds)) => {
                let of = |kind| InferredPart { place: place.clone(), kind: Some(kind) };
                all.extend(kinds.into_iter().map(of));
            }
            (None, None) => all.push(InferredPart { place, kind: None }),
        }
    }
    all
}

/// The types that a schema names; `None` if it names none.
pub(super) fn kinds(schema: &Value) -> Option<Vec<&str>> {
    let mut kinds: Vec<&str> = match schema.get("type")? {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        // In 3.0, the lone null next to a reference is written as an object.
        Value::String(_) if schema.get("enum") == Some(&json!([null])) => Vec::new(),
        kind => kind.as_str().into_iter().collect(),
    };
    if schema.get("nullable") == Some(&json!(true)) && !kinds.contains(&"null") {
        kinds.push("null");
    }
    Some(kinds)
}
