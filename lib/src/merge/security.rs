//! Merges `security`: alternatives of credentials.

use serde_json::{Map, Value, json};

use super::context::Context;
use crate::spec::METHODS;

type Object = Map<String, Value>;

impl Context {
    /// Unites the requirements of two operations: any alternative of either is enough. `None`
    /// requires nothing.
    pub(super) fn security(
        &mut self,
        at: &str,
        a: Option<&Value>,
        b: Option<&Value>,
    ) -> Option<Value> {
        if a == b {
            return a.cloned();
        }
        let open = json!([{}]);
        let list = |value: Option<&Value>| match value {
            Some(Value::Array(list)) if !list.is_empty() => Value::Array(list.clone()),
            _ => open.clone(),
        };
        let (a, b) = (list(a), list(b));
        if !self.policy.joins() {
            return Some(self.choose(at, &a, &b));
        }
        match self.any(at, &a, &b) {
            Value::Array(mut all) => {
                all.sort_by_key(Value::to_string);
                Some(Value::Array(all))
            }
            other => Some(other),
        }
    }
}

/// Writes the document's requirements into each operation without its own, if the documents differ.
pub(super) fn push_down(a: &mut Object, b: &mut Object) {
    if a.get("security") == b.get("security") {
        return;
    }
    for root in [a, b] {
        let Some(security) = root.shift_remove("security") else { continue };
        for paths in ["paths", "webhooks"] {
            let items = root.get_mut(paths).and_then(Value::as_object_mut);
            let items =
                items.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
            for item in items {
                for method in METHODS {
                    if let Some(Value::Object(operation)) = item.get_mut(method) {
                        operation.entry("security").or_insert_with(|| security.clone());
                    }
                }
            }
        }
    }
}
