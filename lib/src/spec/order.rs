//! The order of keys in the objects that are built or merged.

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

const MEDIA_TYPE: [&str; 2] = ["encoding", "schema"];

/// Known keys first, in the usual order, then the others in their own order.
fn order(map: Map<String, Value>, known: &[&str]) -> Map<String, Value> {
    let rank = |key: &str| known.iter().position(|k| *k == key).unwrap_or(known.len());
    let mut entries: Vec<(String, Value)> = map.into_iter().collect();
    // The sort is stable, so extensions keep their order.
    entries.sort_by_key(|(key, _)| rank(key));
    entries.into_iter().collect()
}

/// A path item in order.
pub(crate) fn path_item(map: Map<String, Value>) -> Map<String, Value> {
    order(map, &PATH_ITEM)
}

/// An operation in order.
pub(crate) fn operation(map: Map<String, Value>) -> Map<String, Value> {
    order(map, &OPERATION)
}

/// A parameter in order.
pub(crate) fn parameter(map: Map<String, Value>) -> Map<String, Value> {
    order(map, &PARAMETER)
}

/// A response, request body or header in order.
pub(crate) fn response(map: Map<String, Value>) -> Map<String, Value> {
    order(map, &RESPONSE)
}

/// A media type object in order.
pub(crate) fn media_type(map: Map<String, Value>) -> Map<String, Value> {
    order(map, &MEDIA_TYPE)
}
