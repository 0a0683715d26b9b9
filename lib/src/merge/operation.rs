//! Merges path items, operations and their content.

use serde_json::{Map, Value, json};

use super::context::{ConflictPolicy, Context, Roots};
use super::lists::{Listed, push_down};
use super::servers;
use super::target::target;
use crate::schema::unite_keys;
use crate::spec::{METHODS, join_pointer, order};

type Object = Map<String, Value>;

impl Context {
    /// Unites path items. The caller merges their servers.
    pub(super) fn path_item(
        &mut self,
        at: &str,
        a: &Object,
        b: &Object,
        roots @ (root_a, root_b): Roots<'_>,
    ) -> Object {
        if a == b {
            return a.clone();
        }
        let inlined = |item: &Object, root: &Value| match item.get("$ref") {
            Some(_) => target(&Value::Object(item.clone()), root).as_object().cloned(),
            None => None,
        };
        let mut a = inlined(a, root_a).unwrap_or_else(|| a.clone());
        let mut b = inlined(b, root_b).unwrap_or_else(|| b.clone());
        let shared = self.shared_parameters(at, &mut a, &mut b, roots);
        let mut item = self.maps(at, &a, &b, |this, at, key, x, y| match (key, x, y) {
            ("x-hmt-trailing-slash", ..) => json!("both"),
            (method, Value::Object(x), Value::Object(y)) if METHODS.contains(&method) => {
                Value::Object(this.operation(at, x, y, roots))
            }
            _ => this.any(at, x, y),
        });
        if let Some(shared) = shared {
            item.insert("parameters".to_owned(), Value::Array(shared));
        }
        order::path_item(item)
    }

    /// The parameters that stay in the path item: all if both items have the same, and those of the
    /// path if there are no others. The others are moved into the operations, because they would
    /// otherwise also apply to operations of the other document.
    fn shared_parameters(
        &mut self,
        at: &str,
        a: &mut Object,
        b: &mut Object,
        roots @ (root_a, root_b): Roots<'_>,
    ) -> Option<Vec<Value>> {
        if a.get("parameters") == b.get("parameters") {
            return None;
        }
        let of_path_only = |item: &Object, root: &Value| {
            let in_path = |listed: &Listed| listed.location == "path";
            let operations =
                METHODS.iter().filter_map(|method| item.get(*method).and_then(Value::as_object));
            Listed::all(item, root).iter().all(in_path)
                && operations.into_iter().all(|o| !Listed::all(o, root).iter().any(in_path))
        };
        if !of_path_only(a, root_a) || !of_path_only(b, root_b) {
            push_down(a, root_a);
            push_down(b, root_b);
            return None;
        }
        let (ours, theirs) = (Listed::all(a, root_a), Listed::all(b, root_b));
        a.shift_remove("parameters");
        b.shift_remove("parameters");
        Some(self.parameters(&join_pointer(at, "parameters"), &ours, &theirs, roots))
    }

    fn operation(
        &mut self,
        at: &str,
        a: &Object,
        b: &Object,
        roots @ (root_a, root_b): Roots<'_>,
    ) -> Object {
        if a == b {
            return a.clone();
        }
        let parameters = self.parameters(
            &join_pointer(at, "parameters"),
            &Listed::all(a, root_a),
            &Listed::all(b, root_b),
            roots,
        );
        let (asked_a, asked_b) = (a.get("security"), b.get("security"));
        // Recordings do not show which credentials they need.
        let security = match (is_recordings_only(root_a), is_recordings_only(root_b)) {
            (true, false) if asked_a.is_none() => asked_b.cloned(),
            (false, true) if asked_b.is_none() => asked_a.cloned(),
            // Requirements that people wrote for the whole document also apply to added operations.
            _ if self.kept.is_some() && root_a.get("security").is_some() => asked_a.cloned(),
            _ => self.security(&join_pointer(at, "security"), asked_a, asked_b),
        };
        let mut operation = self.maps(at, a, b, |this, at, key, x, y| match key {
            "requestBody" => this.body(at, x, y, roots),
            "responses" => match (x, y) {
                (Value::Object(x), Value::Object(y)) => {
                    Value::Object(
                        this.maps(at, x, y, |this, at, _, x, y| this.response(at, x, y, roots)),
                    )
                }
                _ => this.choose(at, x, y),
            },
            "servers" => match (x, y) {
                (Value::Array(x), Value::Array(y)) => Value::Array(servers::unite(x, y)),
                _ => this.choose(at, x, y),
            },
            "callbacks" => this.choose(at, x, y),
            "x-hmt-graphql" => this.graphql(at, x, y),
            // People choose how to tag their operations.
            "tags" if this.policy == ConflictPolicy::Widen => x.clone(),
            // Handled above.
            "parameters" | "security" => Value::Null,
            _ => this.any(at, x, y),
        });
        operation.shift_remove("parameters");
        operation.shift_remove("security");
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), Value::Array(parameters));
        }
        if let Some(security) = security {
            operation.insert("security".to_owned(), security);
        }
        // A body that one side lacks is optional. An operation is deprecated only if both sides say
        // so.
        for (own, other, root) in [(a, b, root_a), (b, a, root_b)] {
            if self.keeps_ours() && std::ptr::eq(own, a) {
                continue;
            }
            if let (Some(body), None) = (own.get("requestBody"), other.get("requestBody")) {
                operation.insert("requestBody".to_owned(), optional(body, root));
            }
            if !other.contains_key("deprecated") && self.kept.is_none() {
                operation.shift_remove("deprecated");
            }
        }
        order::operation(operation)
    }

    pub(super) fn parameter(&mut self, at: &str, a: &Value, b: &Value, roots: Roots<'_>) -> Value {
        self.described(at, a, b, roots, order::parameter)
    }

    pub(super) fn header(&mut self, at: &str, a: &Value, b: &Value, roots: Roots<'_>) -> Value {
        self.described(at, a, b, roots, order::response)
    }

    pub(super) fn body(&mut self, at: &str, a: &Value, b: &Value, roots: Roots<'_>) -> Value {
        self.described(at, a, b, roots, order::response)
    }

    /// Unites parameters, headers or bodies: `schema`, `content`, and marks that both have.
    fn described(
        &mut self,
        at: &str,
        a: &Value,
        b: &Value,
        (root_a, root_b): Roots<'_>,
        order: fn(Object) -> Object,
    ) -> Value {
        if a == b {
            return a.clone();
        }
        let (a, b) = (target(a, root_a), target(b, root_b));
        let (Value::Object(a), Value::Object(b)) = (a, b) else { return self.choose(at, a, b) };
        let mut all = self.maps(at, a, b, |this, at, key, x, y| match (key, x, y) {
            ("schema", ..) => this.schema(at, x, y),
            ("content", Value::Object(x), Value::Object(y)) => {
                Value::Object(this.content(at, x, y))
            }
            ("required" | "deprecated" | "allowEmptyValue", ..) => this.choose(at, x, y),
            _ => this.any(at, x, y),
        });
        if self.keeps_ours() {
            // Contradicted marks and schemas were removed before.
            for word in ["required", "deprecated", "schema"] {
                match a.get(word).cloned() {
                    Some(kept) if word != "schema" => all.insert(word.to_owned(), kept),
                    Some(_) => None,
                    None => all.shift_remove(word),
                };
            }
            return Value::Object(order(all));
        }
        for flag in ["required", "deprecated"] {
            let set = |object: &Object| object.get(flag) == Some(&Value::Bool(true));
            if set(a) != set(b) && a.get("in") != Some(&json!("path")) {
                all.shift_remove(flag);
            }
        }
        // If only one side has a schema, any value is accepted, unless the other side has `content`
        // instead.
        if a.contains_key("schema") != b.contains_key("schema") {
            all.shift_remove("schema");
        }
        Value::Object(order(all))
    }

    pub(super) fn response(
        &mut self,
        at: &str,
        a: &Value,
        b: &Value,
        roots @ (root_a, root_b): Roots<'_>,
    ) -> Value {
        if a == b {
            return a.clone();
        }
        let (a, b) = (target(a, root_a), target(b, root_b));
        let (Value::Object(a), Value::Object(b)) = (a, b) else { return self.choose(at, a, b) };
        let empty = Object::new();
        let headers = |response: &Object| match response.get("headers") {
            Some(Value::Object(headers)) => headers.clone(),
            _ => empty.clone(),
        };
        let headers = self.headers(&join_pointer(at, "headers"), &headers(a), &headers(b), roots);
        let mut all = self.maps(at, a, b, |this, at, key, x, y| match (key, x, y) {
            ("content", Value::Object(x), Value::Object(y)) => {
                Value::Object(this.content(at, x, y))
            }
            ("headers", ..) => Value::Null,
            _ => this.any(at, x, y),
        });
        all.shift_remove("headers");
        if !headers.is_empty() {
            all.insert("headers".to_owned(), Value::Object(headers));
        }
        Value::Object(order::response(all))
    }

    /// Header names are case-insensitive; of two spellings, the one that sorts first is written.
    fn headers(
        &mut self,
        at: &str,
        a: &Object,
        b: &Object,
        roots @ (root_a, root_b): Roots<'_>,
    ) -> Object {
        let find = |map: &Object, name: &str| {
            map.iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(k, v)| (k.clone(), v.clone()))
        };
        let mut all = Object::new();
        for name in unite_keys(a, b) {
            let (name, value) = match (find(a, name), find(b, name)) {
                (Some((ours, x)), Some((theirs, y))) => {
                    let name = ours.min(theirs);
                    let value = self.header(&join_pointer(at, &name), &x, &y, roots);
                    (name, value)
                }
                (Some((name, x)), None) if self.keeps_ours() => (name, x),
                (Some((name, x)), None) => (name, optional(&x, root_a)),
                (None, Some((name, y))) => (name, optional(&y, root_b)),
                (None, None) => continue,
            };
            all.insert(name, value);
        }
        all
    }

    fn content(&mut self, at: &str, a: &Object, b: &Object) -> Object {
        self.maps(at, a, b, |this, at, _, x, y| {
            let (Value::Object(x), Value::Object(y)) = (x, y) else { return this.choose(at, x, y) };
            let mut media = this.maps(at, x, y, |this, at, key, x, y| match key {
                "schema" | "x-hmt-item-schema" => this.schema(at, x, y),
                "example" => this.choose(at, x, y),
                "encoding" => this.encoding(at, x, y),
                _ => this.any(at, x, y),
            });
            // No schema accepts everything.
            let kept = this.keeps_ours() && x.contains_key("schema");
            if x.contains_key("schema") != y.contains_key("schema") && !kept {
                media.shift_remove("schema");
            }
            let items = "x-hmt-item-schema";
            if x.contains_key(items) != y.contains_key(items) && !this.keeps_ours() {
                media.shift_remove(items);
            }
            Value::Object(media)
        })
    }
}

/// True for a document built in the mode `replay`.
fn is_recordings_only(root: &Value) -> bool {
    let schemes = root.get("components").and_then(|components| components.get("securitySchemes"));
    root.get("x-hmt-replay").is_some() && schemes.is_none()
}

/// A body or header that not every message has.
fn optional(value: &Value, root: &Value) -> Value {
    let found = target(value, root);
    if found.get("required") != Some(&Value::Bool(true)) {
        return value.clone();
    }
    let mut found = found.clone();
    if let Value::Object(map) = &mut found {
        map.shift_remove("required");
    }
    found
}
