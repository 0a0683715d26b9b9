//! Schemas of Swagger 2.0.

use serde_json::{Value, json};

/// A schema: `type: file`, `x-nullable` and a discriminator given as a name have other forms in
/// 3.0.
pub(super) fn schema(mut old: Value) -> Value {
    convert_schema(&mut old);
    old
}

pub(super) fn convert_schema(value: &mut Value) {
    let Value::Object(map) = value else { return };
    if map.get("type").and_then(Value::as_str) == Some("file") {
        map.insert("type".to_owned(), json!("string"));
        map.insert("format".to_owned(), json!("binary"));
    }
    if let Some(nullable) = map.shift_remove("x-nullable") {
        map.insert("nullable".to_owned(), nullable);
    }
    if let Some(name @ Value::String(_)) = map.get("discriminator").cloned() {
        map.insert("discriminator".to_owned(), json!({ "propertyName": name }));
    }
    map.shift_remove("collectionFormat");
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = map.get_mut(key) {
            convert_schema(inner);
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(items)) = map.get_mut(key) {
            items.iter_mut().for_each(convert_schema);
        }
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(convert_schema);
    }
}
