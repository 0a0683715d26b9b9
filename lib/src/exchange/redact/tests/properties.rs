//! Properties of redaction, with generated bodies.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "CANARY|[a-z\\\\\"é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("token|title|my secret|[a-c\"\\\\]{0,3}", inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// The same replacement on a tree.
fn expected(value: &Value, secret: bool, redactor: &Redactor) -> Value {
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| expected(item, secret && !item.is_array() && !item.is_object(), redactor))
            .collect(),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| {
                    let secret = name == "token" || name == "my secret";
                    (name.clone(), expected(value, secret, redactor))
                })
                .collect(),
        ),
        Value::String(text) if secret && !text.trim().is_empty() => {
            Value::String(redactor.pseudonym(text))
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn the_walk_equals_a_replacement_on_the_tree(value in json(), pretty in any::<bool>()) {
        let redactor = redactor();
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        let hidden = redactor.document(text.as_bytes(), "application/json", &mut Found::default(), 0);
        let hidden = hidden.unwrap_or_else(|| text.clone().into_bytes());
        let tree: Value = serde_json::from_slice(&hidden).unwrap();
        prop_assert_eq!(tree, expected(&value, false, &redactor));
    }

    #[test]
    fn no_cut_shows_more_than_the_whole_does(secret in "CANARY[a-z\\\\\"é]{0,9}", at in any::<prop::sample::Index>()) {
        let redactor = redactor();
        let text = serde_json::json!([{"a": 1, "token": [secret, 2], "b": "x"}]).to_string();
        let start = text.find("[\"CAN").unwrap() + 3;
        let cut = start + at.index(text.len() - start);
        let hidden = redactor
            .document(&text.as_bytes()[..cut], "application/json", &mut Found::default(), 0)
            .unwrap_or_else(|| text.as_bytes()[..cut].to_vec());
        prop_assert!(!String::from_utf8_lossy(&hidden).contains("CANARY"));
    }

    #[test]
    fn nothing_makes_it_panic(
        text in "[\\[\\]{}\",:\\\\ a=&;<>@/é'-]{0,12}(token|code|otp|<password|Bearer |://|\\\\u00|-----BEGIN PRIVATE KEY-----)?[\\[\\]{}\",:\\\\ 1=&;<>@/é'-]{0,20}",
        media_type in "(application/json|text/plain|multipart/form-data; boundary=-|application/http|application/x-www-form-urlencoded|text/xml|)",
    ) {
        let redactor = with(&[], &["/*/0"], &["a"]);
        redactor.document(text.as_bytes(), &media_type, &mut Found::default(), 0);
        let mut exchange = Exchange::default();
        for name in ["cookie", "set-cookie", "location", "authorization", "link"] {
            exchange.request.headers.push((name.into(), text.clone().into()));
        }
        redactor.apply(&mut exchange);
    }
}
