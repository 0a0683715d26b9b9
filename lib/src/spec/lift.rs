//! Prepares documents for writing: the content of other files becomes components, so that the
//! result is one file that every tool can read.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::refs::{FILES, escape, on_references, on_references_mut, pointer_keys, resolve};

/// Components may refer to further files.
const MAX_ROUNDS: usize = 64;

/// Moves the parts of `x-hmt-files` that something refers to into `components`. Path items are
/// copied to their paths.
pub(super) fn lift(root: &mut Value) {
    if root.get(FILES).is_none() {
        return;
    }
    let mut names = Names::default();
    for _ in 0..MAX_ROUNDS {
        copy_path_items(root);
        let found = targets(root);
        if found.is_empty() {
            break;
        }
        for (target, kind) in &found {
            names.add(root, target, kind);
        }
        let rename = |reference: &str| names.new.get(reference).cloned();
        outside_files(root, |rest| on_references_mut(rest, &rename));
    }
    if let Value::Object(map) = root {
        map.shift_remove(FILES);
    }
}

/// Runs on the document without its files.
fn outside_files(root: &mut Value, run: impl FnOnce(&mut Value)) {
    let files = root.as_object_mut().and_then(|map| map.shift_remove(FILES));
    run(root);
    if let (Value::Object(map), Some(files)) = (root, files) {
        map.insert(FILES.to_owned(), files);
    }
}

fn is_of_file(reference: &str) -> bool {
    reference.strip_prefix("#/").and_then(|rest| rest.strip_prefix(FILES)).is_some()
}

/// References into files, in document order, with the kind of component that each must be.
fn targets(root: &mut Value) -> Vec<(String, &'static str)> {
    let mut found: Vec<(String, &'static str)> = Vec::new();
    let known = RefCell::new(HashSet::new());
    outside_files(root, |rest| {
        on_references(rest, &mut |pointer, reference| {
            if is_of_file(reference) && known.borrow_mut().insert(reference.to_owned()) {
                found.push((reference.to_owned(), kind_at(pointer)));
            }
        });
        // The targets of a discriminator are schemas.
        let mapped = RefCell::new(&mut found);
        on_references_mut(rest, &|reference| {
            if is_of_file(reference) && known.borrow_mut().insert(reference.to_owned()) {
                mapped.borrow_mut().push((reference.to_owned(), "schemas"));
            }
            None
        });
    });
    found
}

/// The kind of component at a place.
fn kind_at(pointer: &str) -> &'static str {
    let keys: Vec<String> = pointer_keys(pointer).collect();
    let above =
        |n: usize| keys.len().checked_sub(n).and_then(|at| keys.get(at)).map(String::as_str);
    if above(1) == Some("requestBody") {
        return "requestBodies";
    }
    // A property may have any of these names.
    let in_schema = above(3) == Some("properties") || above(2) == Some("properties");
    match above(2) {
        _ if in_schema => "schemas",
        Some("parameters") => "parameters",
        Some("responses") => "responses",
        Some("requestBodies") => "requestBodies",
        Some("headers") => "headers",
        Some("examples") => "examples",
        Some("links") => "links",
        Some("callbacks") => "callbacks",
        Some("securitySchemes") => "securitySchemes",
        _ => "schemas",
    }
}

/// Path items that are in files, at the paths that refer to them: OpenAPI 3.0 has no components for
/// them.
fn copy_path_items(root: &mut Value) {
    let paths = root.get("paths").and_then(Value::as_object).into_iter().flatten();
    let found: Vec<(String, Map<String, Value>)> = paths
        .filter_map(|(path, item)| {
            let mut target = item;
            let mut hops = 0;
            while let Some(reference) = target.get("$ref").and_then(Value::as_str) {
                hops += 1;
                if !is_of_file(reference) && hops == 1 || hops > MAX_ROUNDS {
                    return None;
                }
                target = resolve(root, reference)?;
            }
            let mut new = target.as_object().filter(|_| hops > 0)?.clone();
            let own = item.as_object().into_iter().flatten();
            new.extend(own.filter(|(key, _)| *key != "$ref").map(|(k, v)| (k.clone(), v.clone())));
            Some((path.clone(), new))
        })
        .collect();
    for (path, item) in found {
        root["paths"][path] = Value::Object(item);
    }
}

/// The components that targets have become.
#[derive(Default)]
struct Names {
    new: BTreeMap<String, String>,
}

impl Names {
    fn add(&mut self, root: &mut Value, target: &str, kind: &str) {
        let Some(value) = resolve(root, target).cloned() else { return };
        let Value::Object(map) = root else { return };
        let components = map.entry("components").or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(components) = components else { return };
        let group = components.entry(kind).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(group) = group else { return };
        let name = name_of(target);
        let mut unique = name.clone();
        let mut number = 2;
        while group.contains_key(&unique) {
            unique = format!("{name}{number}");
            number += 1;
        }
        self.new.insert(target.to_owned(), format!("#/components/{kind}/{}", escape(&unique)));
        group.insert(unique, value);
    }
}

/// The last name of a pointer, or the name of the file without its extension; in the characters
/// that a component may have.
fn name_of(target: &str) -> String {
    let keys: Vec<String> = pointer_keys(target.trim_start_matches('#')).collect();
    let last = keys.last().map_or("", String::as_str);
    let name = if keys.len() <= 2 {
        let file = last.rsplit('/').next().unwrap_or(last);
        file.split('.').next().unwrap_or(file)
    } else {
        last
    };
    let legal = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(legal).collect();
    if name.is_empty() { "part".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check_refs;
    use super::super::document::{Document, Version};
    use super::*;

    #[test]
    fn files_become_components() {
        let mut root = json!({
            "openapi": "3.0.3",
            "paths": {
                "/a": {"$ref": "#/x-hmt-files/a.yaml"},
                "/b": {"post": {
                    "parameters": [{"$ref": "#/x-hmt-files/p.yaml/q"}],
                    "requestBody": {"$ref": "#/x-hmt-files/p.yaml/body"},
                    "responses": {"200": {"$ref": "#/x-hmt-files/p.yaml/ok"}}}},
            },
            "components": {"schemas": {"Pet": {"type": "string"}}},
            "x-hmt-files": {
                "a.yaml": {"get": {"responses": {"200": {"description": "d", "content": {"application/json":
                    {"schema": {"$ref": "#/x-hmt-files/s~1pet.yaml/Pet"}}}}}}},
                "p.yaml": {"q": {"name": "q", "in": "query"}, "body": {"content": {}}, "ok": {"description": "d"},
                    "unused": {}},
                "s/pet.yaml": {"Pet": {"properties": {"mother": {"$ref": "#/x-hmt-files/s~1pet.yaml/Pet"},
                    "parameters": {"items": {"$ref": "#/x-hmt-files/tag.json"}}}}},
                "tag.json": {"type": "integer"},
            },
        });
        lift(&mut root);
        let components = &root["components"];
        assert_eq!(
            components["schemas"]["Pet2"]["properties"],
            json!({"mother": {"$ref": "#/components/schemas/Pet2"},
                "parameters": {"items": {"$ref": "#/components/schemas/tag"}}})
        );
        assert_eq!(components["schemas"]["tag"], json!({"type": "integer"}));
        let post = &root["paths"]["/b"]["post"];
        assert_eq!(post["parameters"][0]["$ref"], "#/components/parameters/q");
        assert_eq!(post["requestBody"]["$ref"], "#/components/requestBodies/body");
        assert_eq!(post["responses"]["200"]["$ref"], "#/components/responses/ok");
        assert!(root.get("x-hmt-files").is_none());
        let document =
            Document { root, source: "s".into(), version: Version::V3_0, warnings: Vec::new() };
        check_refs(&document).expect("every reference leads somewhere");
    }
}
