//! Finds files that examples name: with a `$ref` in their data, or with `externalValue`.

use serde_json::Value;

use super::refs::{Below, Keys, below};

/// A file name in an example.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'t> {
    /// The text of a `$ref`, which is rewritten.
    Reference(&'t str),
    /// An `externalValue`, which is replaced with the value in the file.
    Text(&'t str),
}

/// Passes each of them to `find`. Those that it does not find stay unchanged.
pub(super) fn read_files(value: &mut Value, find: &mut dyn FnMut(Wanted<'_>) -> Option<Value>) {
    walk(value, Keys::Words, find);
}

fn walk(value: &mut Value, keys: Keys, find: &mut dyn FnMut(Wanted<'_>) -> Option<Value>) {
    match value {
        Value::Object(map) => {
            // A file may hold a map of names, with examples at any depth.
            if keys == Keys::Words {
                external(map, find);
            }
            for (key, child) in map.iter_mut() {
                match below(keys, key, child) {
                    Below::Data if matches!(key.as_str(), "example" | "examples" | "value") => {
                        data(child, find);
                    }
                    Below::Data => {}
                    Below::Examples => {
                        for example in
                            child.as_object_mut().into_iter().flat_map(|m| m.values_mut())
                        {
                            if let Value::Object(example) = example {
                                external(example, find);
                                for key in ["value", "dataValue"] {
                                    if let Some(value) = example.get_mut(key) {
                                        data(value, find);
                                    }
                                }
                            }
                        }
                    }
                    Below::Names => walk(child, Keys::Names, find),
                    Below::Words => walk(child, Keys::Words, find),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, Keys::Words, find)),
        _ => {}
    }
}

fn external(
    example: &mut serde_json::Map<String, Value>,
    find: &mut dyn FnMut(Wanted<'_>) -> Option<Value>,
) {
    if example.contains_key("value") || example.contains_key("dataValue") {
        return;
    }
    if let Some(Value::String(name)) = example.get("externalValue")
        && let Some(value) = find(Wanted::Text(name))
    {
        example.insert("value".to_owned(), value);
    }
}

fn data(value: &mut Value, find: &mut dyn FnMut(Wanted<'_>) -> Option<Value>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                if let Some(new) = find(Wanted::Reference(reference)) {
                    map.insert("$ref".to_owned(), new);
                }
                return;
            }
            map.values_mut().for_each(|child| data(child, find));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| data(item, find)),
        _ => {}
    }
}
