//! Leaves out what other documents infer from the same recordings.
//!
//! A document of recordings (`hmt-build -m replay`) describes each recorded path by the recorded
//! constants. Where another document describes the same exchanges by inferred schemas, these
//! constants add nothing, so only the recordings themselves stay: a merge with the output of
//! `hmt-build -m gen` for the same input gives the output of `-m mixed`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::conform::{Api, Violation};
use crate::exchange::Exchange;
use crate::infer::{is_not_found, undescribed};
use crate::recorded::{is_recordings_only, recorded_exchanges};
use crate::schema::Direction;
use crate::spec::{Document, METHODS};

/// Keys of a generated operation; others are edits, which stay.
const GENERATED: [&str; 4] = ["parameters", "requestBody", "responses", "security"];

/// The documents. From those of recordings, operations are removed whose recordings all conform to
/// one of the other documents.
pub(super) fn absorb(documents: &[Document]) -> Vec<Cow<'_, Document>> {
    let is_recording: Vec<bool> =
        documents.iter().map(|document| is_recordings_only(&document.root)).collect();
    let mut apis = Vec::new();
    if is_recording.contains(&true) {
        let inferred = documents.iter().zip(&is_recording).filter(|(_, recording)| !**recording);
        // A document that cannot be compiled describes no exchange.
        apis.extend(inferred.filter_map(|(document, _)| Api::compile(document).ok()));
    }
    let reduced = documents.iter().zip(is_recording).map(|(document, recording)| {
        match recording && !apis.is_empty() {
            true => without_described(document, &apis).map_or(Cow::Borrowed(document), Cow::Owned),
            false => Cow::Borrowed(document),
        }
    });
    reduced.collect()
}

/// The document without the operations that another document describes; `None` if there are none.
fn without_described(document: &Document, apis: &[Api]) -> Option<Document> {
    // For each path and method: true if all its recordings are described.
    let mut described: HashMap<(String, String), bool> = HashMap::new();
    for exchange in recorded_exchanges(&document.root).ok()? {
        let all =
            described.entry(place(&exchange.request.pathname, exchange.request.method.as_str()));
        let all = all.or_insert(true);
        *all = *all && apis.iter().any(|api| describes(api, &exchange));
    }
    let mut reduced = document.clone();
    let paths = reduced.root.get_mut("paths")?.as_object_mut()?;
    let mut changed = false;
    paths.retain(|path, item| {
        let Some(item) = item.as_object_mut() else { return true };
        for method in METHODS {
            let is_generated = item.get(method).and_then(Value::as_object).is_some_and(generated);
            if is_generated && described.get(&place(path, method)) == Some(&true) {
                item.shift_remove(method);
                changed = true;
            }
        }
        METHODS.iter().any(|method| item.contains_key(*method))
    });
    changed.then_some(reduced)
}

/// True if a document describes a recorded exchange.
fn describes(api: &Api, exchange: &Exchange<'_>) -> bool {
    // A document has only those headers of a request that distinguish it from other requests.
    let is_unrecorded = |violation: &Violation| {
        violation.direction == Direction::Request
            && matches!(violation.location, "header" | "cookie")
    };
    // Errors such as 404 at a path without an operation are not described.
    let status = exchange.response.as_ref().map_or(0, |response| response.status);
    let is_absent = |violation: &Violation| {
        is_not_found(status) && matches!(violation.location, "path" | "method")
    };
    let conforms = |exchange: &Exchange<'_>| match api.conforms(exchange) {
        Ok(()) => true,
        Err(all) => all.iter().all(|violation| is_unrecorded(violation) || is_absent(violation)),
    };
    if conforms(exchange) {
        return true;
    }
    // Bodies that are not what their media type says are not described.
    let odd = undescribed(exchange);
    let mut known = exchange.clone();
    known.meta.truncated_request = odd.request.then_some(0);
    known.meta.truncated_response = odd.response.then_some(0);
    (odd.request || odd.response) && conforms(&known)
}

fn generated(operation: &Map<String, Value>) -> bool {
    operation.keys().all(|key| GENERATED.contains(&key.as_str()))
}

/// A key that is equal for an operation and its exchanges. It ignores a trailing slash.
fn place(path: &str, method: &str) -> (String, String) {
    (path.trim_end_matches('/').to_owned(), method.to_ascii_lowercase())
}
