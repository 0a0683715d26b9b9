//! Merges lists that are sets with their own keys: encodings of forms, operations of GraphQL.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::context::Context;
use crate::spec::join_pointer;

impl Context {
    /// Merges two `encoding` objects: a property gets the content types of both.
    pub(super) fn encoding(&mut self, at: &str, a: &Value, b: &Value) -> Value {
        let (Value::Object(x), Value::Object(y)) = (a, b) else { return self.choose(at, a, b) };
        Value::Object(self.maps(at, x, y, |this, at, _, x, y| {
            let (Value::Object(x), Value::Object(y)) = (x, y) else { return this.choose(at, x, y) };
            Value::Object(this.maps(at, x, y, |this, at, key, x, y| match (key, x, y) {
                ("contentType", Value::String(x), Value::String(y)) => {
                    let types: BTreeSet<&str> =
                        x.split(',').chain(y.split(',')).map(str::trim).collect();
                    types.into_iter().collect::<Vec<_>>().join(", ").into()
                }
                _ => this.any(at, x, y),
            }))
        }))
    }

    /// Merges two lists of `x-hmt-graphql`: an operation in both gets the shapes of both.
    pub(super) fn graphql(&mut self, at: &str, a: &Value, b: &Value) -> Value {
        let (Value::Array(x), Value::Array(y)) = (a, b) else { return self.choose(at, a, b) };
        let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let mut all: BTreeMap<(String, String), Value> = BTreeMap::new();
        for one in x.iter().chain(y) {
            let key = (text(one, "kind"), text(one, "name"));
            match (all.get_mut(&key), one) {
                (Some(Value::Object(known)), Value::Object(one)) => {
                    let at = join_pointer(at, &key.1);
                    *known = self.called(&at, known, one);
                }
                _ => {
                    all.insert(key, one.clone());
                }
            }
        }
        all.into_values().collect()
    }

    fn called(
        &mut self,
        at: &str,
        a: &Map<String, Value>,
        b: &Map<String, Value>,
    ) -> Map<String, Value> {
        self.maps(at, a, b, |this, at, key, x, y| match key {
            "variables" | "data" => this.schema(at, x, y),
            _ => this.any(at, x, y),
        })
    }
}
