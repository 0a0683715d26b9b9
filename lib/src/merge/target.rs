//! The objects that references lead to.

use serde_json::Value;

use crate::spec::{METHODS, Place};

/// The target of a reference; the value itself if the reference cannot be resolved.
pub(super) fn target<'v>(value: &'v Value, root: &'v Value) -> &'v Value {
    let mut value = value;
    for _ in 0..32 {
        let Some(Value::String(reference)) = value.get("$ref") else { return value };
        let Some(next) = crate::spec::resolve(root, reference) else { return value };
        value = next;
    }
    value
}

/// A path parameter's schemas, with their locations.
pub(super) fn path_parameters<'v>(root: &'v Value, pointer: &str) -> Vec<(String, Place<'v>)> {
    let mut item = Some(Place::root(root));
    for key in crate::spec::pointer_keys(pointer) {
        item = item.and_then(|place| place.get(&key));
    }
    let Some(item) = item else { return Vec::new() };
    let owners = METHODS.iter().filter_map(|method| item.get(method)).chain([item.clone()]);
    owners
        .flat_map(|owner| owner.get("parameters").into_iter().flat_map(|list| list.items()))
        .filter_map(|parameter| parameter.target().ok())
        .filter(|parameter| parameter.text("in") == Some("path"))
        .filter_map(|parameter| {
            Some((parameter.text("name")?.to_owned(), parameter.get("schema")?))
        })
        .collect()
}
