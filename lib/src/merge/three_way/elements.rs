//! Merges lists element by element.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ThreeWay;
use crate::merge::target::target;
use crate::spec::{Keys, join_pointer};

/// The elements of a list, with their identities and sort keys.
type Named<'v> = Vec<((usize, String), &'v Value)>;

impl ThreeWay<'_> {
    /// Merges the lists; `None` if their elements have no identity.
    pub(super) fn lists(
        &mut self,
        at: &str,
        key: &str,
        old: Option<&Value>,
        a: &[Value],
        b: &[Value],
    ) -> Option<Vec<Value>> {
        let old = old.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let [root_old, root_a, root_b] = self.roots;
        let lists = [(old, root_old), (a, root_a), (b, root_b)];
        let named = lists.map(|(list, root)| named(key, list, root));
        let named = if named.iter().all(are_different) {
            named
        } else if [old, a, b].iter().all(|list| list.iter().all(is_plain)) {
            // The number of repeated values may have a meaning, which is unknown here.
            return None;
        } else {
            let by_value = lists.map(|(list, _)| by_value(list));
            if !by_value.iter().all(are_different) {
                return None;
            }
            by_value
        };
        if named.iter().flatten().any(|((_, name), _)| name.is_empty()) {
            return None;
        }
        let [of_old, of_a, of_b] = named;
        let sorted = |list: &Named<'_>| list.is_sorted_by(|(x, _), (y, _)| x <= y);
        let in_order = sorted(&of_a) && sorted(&of_b);
        let mut names: Vec<(usize, String)> = of_a.iter().map(|(name, _)| name.clone()).collect();
        names.extend(
            of_b.iter()
                .map(|(name, _)| name.clone())
                .filter(|name| !of_a.iter().any(|(known, _)| known == name)),
        );
        if in_order {
            names.sort();
        }
        let [of_old, of_a, of_b] = [of_old, of_a, of_b]
            .map(|list| list.into_iter().collect::<BTreeMap<(usize, String), &Value>>());
        let merged = names.into_iter().filter_map(|name| {
            let three = [of_old.get(&name), of_a.get(&name), of_b.get(&name)]
                .map(Option::<&&Value>::copied);
            self.value(&join_pointer(at, &name.1), Keys::Names, &name.1, three)
        });
        Some(merged.collect())
    }
}

fn is_plain(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

fn are_different(list: &Named<'_>) -> bool {
    let mut names: Vec<_> = list.iter().map(|(name, _)| name).collect();
    names.sort();
    names.windows(2).all(|pair| pair[0] != pair[1])
}

fn by_value(list: &[Value]) -> Named<'_> {
    list.iter().map(|value| ((0, value.to_string()), value)).collect()
}

/// The elements with their identities, which are empty if unknown.
fn named<'v>(key: &str, list: &'v [Value], root: &Value) -> Named<'v> {
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let name = |value: &Value| match (key, value) {
        ("parameters", Value::Object(_)) => {
            let parameter = target(value, root);
            let places = ["path", "query", "header", "cookie"];
            let place = text(parameter, "in");
            let rank = places.iter().position(|known| *known == place).unwrap_or(places.len());
            let mut name = text(parameter, "name");
            if place == "header" {
                name.make_ascii_lowercase();
            }
            (rank, if name.is_empty() { name } else { format!("{place} {name}") })
        }
        ("servers", Value::Object(_)) => (0, text(value, "url")),
        ("tags", Value::Object(_)) => (0, text(value, "name")),
        ("anyOf" | "oneOf" | "allOf", Value::Object(_)) => {
            let (reference, kind) = (text(value, "$ref"), text(value, "type"));
            // Otherwise the whole content is the identity.
            let named = [reference, kind].into_iter().find(|name| !name.is_empty());
            (0, named.unwrap_or_else(|| value.to_string()))
        }
        ("prefixItems", _) => (0, String::new()),
        ("x-hmt-replay", Value::Object(entry)) => {
            let part = |name: &str| entry.get(name).map(Value::to_string).unwrap_or_default();
            (0, part("key") + &part("request"))
        }
        // Security requirements, values of `enum` and `required`, examples.
        _ => (0, value.to_string()),
    };
    list.iter().map(|value| (name(value), value)).collect()
}
