//! Merges `servers` of documents and path items.

use serde_json::{Map, Value, json};

/// The servers of an object, if it has a non-empty list.
pub(super) fn own(object: &Map<String, Value>) -> Option<Vec<Value>> {
    match object.get("servers") {
        Some(Value::Array(list)) if !list.is_empty() => Some(list.clone()),
        _ => None,
    }
}

/// The default servers of a document without any.
pub(super) fn anywhere() -> Vec<Value> {
    vec![json!({"url": "/"})]
}

fn url(server: &Value) -> &str {
    server.get("url").and_then(Value::as_str).unwrap_or_default()
}

/// The union of two lists: sorted by URL if both are, otherwise the first list followed by new
/// elements.
pub(super) fn unite(a: &[Value], b: &[Value]) -> Vec<Value> {
    let mut all = a.to_vec();
    all.extend(b.iter().filter(|server| !a.contains(server)).cloned());
    if a.iter().map(url).is_sorted() && b.iter().map(url).is_sorted() {
        all.sort_by(|x, y| url(x).cmp(url(y)));
    }
    all
}

/// True if both lists have the same servers.
pub(super) fn same(a: &[Value], b: &[Value]) -> bool {
    a.iter().all(|server| b.contains(server)) && b.iter().all(|server| a.contains(server))
}

/// True if both lists may serve the same host.
pub(super) fn meet(a: &[Value], b: &[Value]) -> bool {
    let relative = |list: &[Value]| list.iter().any(|server| !url(server).contains("://"));
    relative(a) || relative(b) || a.iter().any(|x| b.iter().any(|y| url(x) == url(y)))
}
