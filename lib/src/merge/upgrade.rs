//! Converts schemas of 3.0 to the form of 3.1, for mixed merges and on request.

use serde_json::{Map, Value, json};

/// Converts a document of OpenAPI 3.0 to 3.1; other versions are unchanged.
pub fn to_3_1(root: &mut Value) {
    if root.get("openapi").and_then(Value::as_str).is_some_and(|text| text.starts_with("3.0")) {
        root["openapi"] = json!("3.1.0");
        upgrade(root);
    }
}

/// Converts every schema below a value to the form of 3.1.
pub(super) fn upgrade(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, child) in map.iter_mut() {
                match (key.as_str(), child) {
                    ("schema" | "x-hmt-item-schema", child) => schema(child),
                    ("x-hmt-graphql", Value::Array(operations)) => {
                        for (key, child) in
                            operations.iter_mut().filter_map(Value::as_object_mut).flatten()
                        {
                            if matches!(key.as_str(), "variables" | "data") {
                                schema(child);
                            }
                        }
                    }
                    ("schemas", Value::Object(schemas)) => schemas.values_mut().for_each(schema),
                    ("example" | "examples" | "x-hmt-replay" | "x-hmt-data", _) => {}
                    (_, child) => upgrade(child),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(upgrade),
        _ => {}
    }
}

fn schema(value: &mut Value) {
    let Value::Object(map) = value else { return };
    if map.shift_remove("x-hmt-null-only") == Some(json!(true)) {
        map.insert("type".to_owned(), json!("null"));
    }
    let nullable = map.shift_remove("nullable") == Some(json!(true));
    if let Some(name @ Value::String(_)) = map.get_mut("type")
        && nullable
    {
        *name = json!([name.take(), "null"]);
    }
    if let Some(example) = map.shift_remove("example") {
        map.entry("examples").or_insert_with(|| json!([example]));
    }
    strict(map, "minimum", "exclusiveMinimum");
    strict(map, "maximum", "exclusiveMaximum");
    for (key, child) in map.iter_mut() {
        match (key.as_str(), child) {
            ("items" | "additionalProperties" | "not", child) => schema(child),
            ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => list.iter_mut().for_each(schema),
            ("properties", Value::Object(all)) => all.values_mut().for_each(schema),
            _ => {}
        }
    }
}

/// `exclusiveMinimum` is a flag in 3.0, and the bound itself in 3.1.
fn strict(map: &mut Map<String, Value>, plain: &str, strict: &str) {
    match map.get(strict) {
        Some(Value::Bool(true)) => match map.shift_remove(plain) {
            Some(bound) => map.insert(strict.to_owned(), bound),
            None => map.shift_remove(strict),
        },
        Some(Value::Bool(false)) => map.shift_remove(strict),
        _ => None,
    };
}
