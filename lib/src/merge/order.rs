//! The order of keys in merged objects.

use serde_json::{Map, Value};

const PATH_ITEM: [&str; 15] = [
    "$ref",
    "summary",
    "description",
    "servers",
    "x-hmt-trailing-slash",
    "parameters",
    "get",
    "put",
    "post",
    "patch",
    "delete",
    "options",
    "trace",
    "head",
    "query",
];

const OPERATION: [&str; 12] = [
    "tags",
    "summary",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "callbacks",
    "deprecated",
    "security",
    "servers",
];

const PARAMETER: [&str; 9] = [
    "name",
    "in",
    "description",
    "required",
    "deprecated",
    "style",
    "explode",
    "schema",
    "content",
];

const RESPONSE: [&str; 5] = ["description", "required", "headers", "schema", "content"];

/// Known keys first, in the usual order, then the others in their own order.
fn order(map: Map<String, Value>, known: &[&str]) -> Map<String, Value> {
    let rank = |key: &str| known.iter().position(|k| *k == key).unwrap_or(known.len());
    let mut entries: Vec<(String, Value)> = map.into_iter().collect();
    // The sort is stable, so extensions keep their order.
    entries.sort_by_key(|(key, _)| rank(key));
    entries.into_iter().collect()
}

pub(super) fn path_item(map: Map<String, Value>) -> Map<String, Value> {
    order(map, &PATH_ITEM)
}

pub(super) fn operation(map: Map<String, Value>) -> Map<String, Value> {
    order(map, &OPERATION)
}

pub(super) fn parameter(map: Map<String, Value>) -> Map<String, Value> {
    order(map, &PARAMETER)
}

/// Also for request bodies and headers.
pub(super) fn response(map: Map<String, Value>) -> Map<String, Value> {
    order(map, &RESPONSE)
}
