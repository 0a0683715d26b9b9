//! `$ref`: JSON pointers within a document, and the walk over all references.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The key for the other files of a document.
pub(super) const FILES: &str = "x-hmt-files";

/// A name as a token of a JSON pointer: `~` and `/` escaped.
pub fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

/// The pointer of a child.
pub fn join_pointer(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", escape(name))
}

/// The keys of a pointer, unescaped.
pub fn pointer_keys(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

/// The value that a local reference (`#/…`, `#anchor`, `#`) names; `None` if there is none, or the
/// reference leaves the document.
pub fn resolve<'v>(root: &'v Value, reference: &str) -> Option<&'v Value> {
    locate(root, reference).map(|(_, value)| value)
}

/// Like [`resolve`], with the JSON pointer of the target.
pub fn locate<'v>(root: &'v Value, reference: &str) -> Option<(String, &'v Value)> {
    let fragment = reference.strip_prefix('#')?;
    let fragment = percent_decode_str(fragment).decode_utf8().ok()?;
    if fragment.is_empty() || fragment.starts_with('/') {
        let value = root.pointer(&fragment)?;
        return Some((fragment.into_owned(), value));
    }
    let mut pointer = String::new();
    anchored(root, &fragment, &mut pointer).map(|value| (pointer, value))
}

/// The first schema with `$anchor: name` or `$dynamicAnchor: name` (3.1) in document order. It is
/// usually the outermost one, to which `$dynamicRef` refers.
fn anchored<'v>(value: &'v Value, name: &str, pointer: &mut String) -> Option<&'v Value> {
    let is = |key: &str| value.get(key).and_then(Value::as_str) == Some(name);
    if is("$anchor") || is("$dynamicAnchor") {
        return Some(value);
    }
    let length = pointer.len();
    let mut try_child = |key: &str, child: &'v Value| {
        pointer.push('/');
        pointer.push_str(&escape(key));
        let found = anchored(child, name, pointer);
        if found.is_none() {
            pointer.truncate(length);
        }
        found
    };
    match value {
        Value::Object(map) => map.iter().find_map(|(key, child)| try_child(key, child)),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(i, child)| try_child(&i.to_string(), child))
        }
        _ => None,
    }
}

/// The meaning of an object's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Keywords of OpenAPI or JSON Schema.
    Words,
    /// Names that the author chose: of properties, schemas, paths, headers.
    Names,
}

/// The content below a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    /// Data, in which `$ref` is an ordinary key.
    Data,
    /// A map of `Example` objects.
    Examples,
    /// Objects by name.
    Names,
    /// An object or a list of objects.
    Words,
}

/// Distinguishes names from keywords; otherwise a property called `default` would be taken for the
/// keyword.
pub(crate) fn below(keys: Keys, key: &str, value: &Value) -> Below {
    if keys == Keys::Names {
        return Below::Words;
    }
    match key {
        "example" | "default" | "enum" | "const" | "value" | "dataValue" | "mapping" => Below::Data,
        "examples" if value.is_array() => Below::Data,
        "examples" => Below::Examples,
        "properties"
        | "patternProperties"
        | "dependentSchemas"
        | "$defs"
        | "definitions"
        | "schemas"
        | "responses"
        | "parameters"
        | "requestBodies"
        | "headers"
        | "securitySchemes"
        | "links"
        | "callbacks"
        | "pathItems"
        | "paths"
        | "webhooks"
        | "additionalOperations"
        | "content"
        | "mediaTypes"
        | "encoding"
        | "variables"
        | "securityDefinitions" => Below::Names,
        _ if key.starts_with("x-") => Below::Data,
        _ => Below::Words,
    }
}

/// Calls `visit` with the pointer of each reference object and its `$ref`, in document order.
/// Examples, other data and extensions are left out.
pub fn on_references(root: &Value, visit: &mut dyn FnMut(&str, &str)) {
    walk(root, Keys::Words, &mut String::new(), visit);
}

pub(super) fn walk(
    value: &Value,
    keys: Keys,
    pointer: &mut String,
    visit: &mut dyn FnMut(&str, &str),
) {
    let length = pointer.len();
    match value {
        Value::Object(map) => {
            // In a map of names it stands for the whole map, as bundlers allow.
            if let Some(Value::String(reference)) = map.get("$ref") {
                visit(pointer, reference);
            }
            for (key, child) in map {
                pointer.push('/');
                pointer.push_str(&escape(key));
                match below(keys, key, child) {
                    Below::Data => {}
                    Below::Examples => {
                        if let Some(Value::String(reference)) = child.get("$ref") {
                            visit(pointer, reference);
                        }
                        for (name, example) in child.as_object().into_iter().flatten() {
                            if let Some(reference) = example.get("$ref").and_then(Value::as_str) {
                                visit(&join_pointer(pointer, name), reference);
                            }
                        }
                    }
                    Below::Names => walk(child, Keys::Names, pointer, visit),
                    Below::Words => walk(child, Keys::Words, pointer, visit),
                }
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                walk(child, Keys::Words, pointer, visit);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// Rewrites references: `rename` returns the new text of a `$ref`, or of a target in a
/// discriminator's `mapping`, or `None` to keep it.
pub fn on_references_mut(root: &mut Value, rename: &dyn Fn(&str) -> Option<String>) {
    rewrite(root, Keys::Words, rename);
}

fn rewrite(value: &mut Value, keys: Keys, rename: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::Object(map) => {
            rename_in(map, "$ref", rename);
            if keys == Keys::Words
                && let Some(Value::Object(mapping)) =
                    map.get_mut("discriminator").and_then(|d| d.get_mut("mapping"))
            {
                let names: Vec<String> = mapping.keys().cloned().collect();
                for name in names {
                    rename_in(mapping, &name, rename);
                }
            }
            for (key, child) in map.iter_mut() {
                match below(keys, key, child) {
                    Below::Data => {}
                    Below::Examples => {
                        if let Value::Object(examples) = child {
                            rename_in(examples, "$ref", rename);
                        }
                        for example in child.as_object_mut().into_iter().flat_map(Map::values_mut) {
                            if let Value::Object(example) = example {
                                rename_in(example, "$ref", rename);
                            }
                        }
                    }
                    Below::Names => rewrite(child, Keys::Names, rename),
                    Below::Words => rewrite(child, Keys::Words, rename),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                rewrite(item, Keys::Words, rename);
            }
        }
        _ => {}
    }
}

fn rename_in(map: &mut Map<String, Value>, key: &str, rename: &dyn Fn(&str) -> Option<String>) {
    if let Some(Value::String(text)) = map.get_mut(key)
        && let Some(new) = rename(text)
    {
        *text = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pointers_with_escapes() {
        let root = json!({"paths": {"/a/{b c}": {"x~y": 1}}, "s": {"$anchor": "here", "t": 2}});
        assert_eq!(resolve(&root, "#/paths/~1a~1%7Bb%20c%7D/x~0y"), Some(&json!(1)));
        assert_eq!(locate(&root, "#here").map(|(p, _)| p).as_deref(), Some("/s"));
        assert_eq!(resolve(&root, "#"), Some(&root));
        assert_eq!(resolve(&root, "#/paths/none"), None);
        assert_eq!(resolve(&root, "other.yaml#/x"), None);
    }
}
