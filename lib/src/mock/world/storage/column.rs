//! Hashes of members, so that a list is filtered without reading its entities.
//!
//! Equal values have equal hashes, and the hashes of different values are equal with a probability
//! of 2⁻⁶⁴, as the seed is random.

use std::sync::LazyLock;

use serde_json::{Number, Value};
use twox_hash::XxHash3_64;

/// The entity does not have the member.
pub(super) const ABSENT: u64 = 0;
/// A list or an object, which must be compared itself.
pub(super) const COMPLEX: u64 = 1;

static SEED: LazyLock<u64> = LazyLock::new(rand::random);

fn hashed(kind: u64, text: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(SEED.wrapping_add(kind), text.as_bytes()).max(COMPLEX + 1)
}

/// The hash of a member's value.
pub(super) fn value_hash(value: Option<&Value>) -> u64 {
    match value {
        None | Some(Value::Null) => ABSENT,
        Some(Value::Bool(truth)) => hashed(1, if *truth { "true" } else { "false" }),
        Some(Value::Number(number)) => hashed(2, &plain(number)),
        Some(Value::String(text)) => hashed(3, text),
        Some(Value::Array(_) | Value::Object(_)) => COMPLEX,
    }
}

/// The hashes of the possible values of a text from a request.
pub(super) fn text_hashes(text: &str) -> Vec<u64> {
    let mut hashes = vec![hashed(3, text)];
    if text == "true" || text == "false" {
        hashes.push(hashed(1, text));
    }
    if let Ok(number) = serde_json::from_str::<Number>(text) {
        hashes.push(hashed(2, &plain(&number)));
    }
    hashes
}

/// The hash of a text.
pub(super) fn text_hash(text: &str) -> u64 {
    hashed(3, text)
}

/// A number as text, the same for 1 and 1.0.
fn plain(number: &Number) -> String {
    match number.as_f64() {
        // Above 2⁵³, a float cannot represent all integers.
        Some(float) if float.abs() < 9e15 => float.to_string(),
        _ => number.to_string(),
    }
}

/// True if a value, or an item of a list, is one of some texts. Items that are objects are compared
/// by their `id` or `name`.
pub(super) fn is_one_of(value: &Value, texts: &[String]) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| is_one_of(item, texts)),
        Value::Object(members) => {
            let named = ["id", "name"].iter().filter_map(|name| members.get(*name));
            named.into_iter().any(|value| !value.is_object() && is_one_of(value, texts))
        }
        Value::Null => false,
        scalar => {
            let hash = value_hash(Some(scalar));
            texts.iter().any(|text| text_hashes(text).contains(&hash))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_mean_what_they_say_in_each_type() {
        for (value, text, expected) in [
            (json!(1), "1", true),
            (json!(1.0), "1", true),
            (json!(1.5), "1.5", true),
            (json!("1"), "1", true),
            (json!(true), "true", true),
            (json!("a"), "b", false),
            (json!(1), "2", false),
            (json!(9_007_199_254_740_993_u64), "9007199254740992", false),
            (json!(null), "null", false),
            (json!(["a", "b"]), "b", true),
            (json!([{"id": 3, "name": "x"}]), "x", true),
            (json!([{"id": 3, "name": "x"}]), "y", false),
        ] {
            assert_eq!(is_one_of(&value, &[text.to_owned()]), expected, "{value} {text}");
        }
    }
}
