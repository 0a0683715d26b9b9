//! The lists in successful responses of an operation.

use crate::infer::finalise::words::split::words;
use crate::infer::state::{Json, ObservedOperation};

/// True if successful responses of an operation, at a place with this name, hold a list.
pub(crate) fn answers_list(operation: &ObservedOperation, last: &str) -> bool {
    good_answers(operation).any(|json| is_list(json, last))
}

/// The list items in successful responses of an operation.
pub(crate) fn lists_of<'o>(operation: &'o ObservedOperation, last: &str) -> Vec<&'o Json> {
    let mut arrays = Vec::new();
    for json in good_answers(operation) {
        arrays.extend(json.array.as_ref());
        for (_, object) in json.objects() {
            let named = object.keys.iter().filter(|(key, _)| is_name_of_list(key, last));
            arrays.extend(named.filter_map(|(_, property)| property.json.array.as_ref()));
        }
    }
    arrays.into_iter().filter_map(|array| array.items.as_deref()).collect()
}

/// The JSON bodies of successful responses.
pub(crate) fn good_answers(operation: &ObservedOperation) -> impl Iterator<Item = &Json> {
    let good = operation.responses.iter().filter(|(status, _)| (200..300).contains(*status));
    let bodies = good.flat_map(|(_, answered)| answered.bodies.iter());
    bodies.filter_map(|(_, body)| body.json.as_deref())
}

fn is_name_of_list(key: &str, last: &str) -> bool {
    const ENVELOPES: [&str; 11] = [
        "content", "data", "elements", "entries", "items", "list", "records", "results", "rows",
        "value", "values",
    ];
    ENVELOPES.contains(&key) || words(key) == words(last)
}

/// True for arrays, and for objects that have an array under a name for lists.
pub(crate) fn is_list(json: &Json, last: &str) -> bool {
    let is_name = |key: &str| is_name_of_list(key, last);
    json.array.is_some()
        || json.objects().iter().any(|(_, object)| {
            object.keys.iter().any(|(key, property)| property.json.array.is_some() && is_name(key))
        })
}
