//! Moves keys between objects.

use serde_json::{Map, Value};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

pub(super) fn take_over(from: &mut Object, to: &mut Object, key: &str) {
    if let Some(value) = from.shift_remove(key) {
        to.insert(key.to_owned(), value);
    }
}

pub(super) fn take_object(from: &mut Object, key: &str) -> Object {
    match from.shift_remove(key) {
        Some(Value::Object(map)) => map,
        _ => Object::new(),
    }
}

pub(super) fn map_values(map: Object, mut convert: impl FnMut(Value) -> Value) -> Object {
    map.into_iter().map(|(key, value)| (key, convert(value))).collect()
}
