//! Finds the item, or the items, within an answer.

use serde_json::{Map, Value};

use super::edit::Object;
use crate::mock::catalogue::same_name;

/// Properties that identify an item.
pub(super) const IDS: [&str; 5] = ["id", "uuid", "guid", "key", "slug"];
/// Properties that hold the item or the items of an envelope.
const ENVELOPES: [&str; 6] = ["data", "result", "results", "item", "items", "response"];

/// Index of the one property that holds the item or the items. An object with properties that were
/// sent is the item itself.
pub(super) fn enveloped(
    json: &[u8],
    object: &Object,
    sent: Option<&Map<String, Value>>,
) -> Option<usize> {
    let starts = |index: usize, signs: &[u8]| {
        let span = object.members[index].span.as_ref();
        span.and_then(|span| json.get(span.value.start)).is_some_and(|sign| signs.contains(sign))
    };
    let all = 0..object.members.len();
    let names_it =
        |index: &usize| ENVELOPES.iter().any(|name| same_name(name, &object.members[*index].name));
    let is_sent =
        |index: usize| sent.is_some_and(|sent| sent.contains_key(&*object.members[index].name));
    let is_item = all.clone().any(is_sent);
    // A list in an item is one of its properties.
    let signs: &[u8] = if is_item { b"{" } else { b"[{" };
    let named =
        all.clone().find(|index| names_it(index) && !is_sent(*index) && starts(*index, signs));
    let of_objects = |index: usize| {
        let span = object.members[index].span.as_ref();
        let list = span.and_then(|span| json.get(span.value.clone())).unwrap_or_default();
        matches!(list, [b'[', b'{' | b']', ..])
    };
    let only_list = || {
        let has_id = IDS.iter().any(|id| object.has(id));
        let mut lists = all.clone().filter(|index| starts(*index, b"["));
        let only = lists.next().filter(|_| !has_id && !is_item && lists.next().is_none());
        only.filter(|index| of_objects(*index))
    };
    let only_item = || (object.members.len() == 1 && !is_item && starts(0, b"{")).then_some(0);
    named.or_else(only_item).or_else(only_list)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn envelopes_are_found() {
        for (value, expected) in [
            (json!({"data": {"id": 1}, "meta": {}}), Some("data")),
            (json!({"items": [], "total": 1}), Some("items")),
            (json!({"pets": [], "next": null}), Some("pets")),
            (json!({"pet": {"id": 1}}), Some("pet")),
            (json!({"id": 1, "tags": []}), None),
            (json!({"a": [], "b": []}), None),
            (json!({"name": "x"}), None),
            (json!({"name": "x", "tags": ["a"]}), None),
        ] {
            let text = value.to_string();
            let object = Object::read(text.as_bytes(), 0..text.len()).unwrap();
            let found =
                enveloped(text.as_bytes(), &object, None).map(|at| &*object.members[at].name);
            assert_eq!(found, expected, "{value}");
        }
        for (value, expected) in [
            // The tags, lines and address of an item are no envelope.
            (json!({"name": "x", "tags": ["a"]}), None),
            (json!({"name": "x", "items": [{"n": 1}]}), None),
            (json!({"name": "x", "lines": [{"n": 1}]}), None),
            (json!({"name": "x", "data": {"name": "y"}}), Some("data")),
            (json!({"users": [{"id": 1}]}), Some("users")),
        ] {
            let text = value.to_string();
            let object = Object::read(text.as_bytes(), 0..text.len()).unwrap();
            let sent = json!({"name": "z"});
            let found = enveloped(text.as_bytes(), &object, sent.as_object());
            assert_eq!(found.map(|at| &*object.members[at].name), expected, "{value}");
        }
    }
}
