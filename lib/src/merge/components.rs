//! Merges `components` by name. A component is renamed only if two with the same name cannot be
//! united.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::context::{Context, Roots};
use crate::schema::{Dialect, may_meet};
use crate::spec::{METHODS, escape, on_references_mut};

type Object = Map<String, Value>;

/// Renames those components of `b` that clash with one of `a`, with all references to them.
pub(super) fn rename_clashes(a: &Object, b: Object, dialect: Dialect) -> Object {
    let mut renamed: BTreeMap<(String, String), String> = BTreeMap::new();
    let section = |root: &Object, name: &str| -> Object {
        match root.get("components").and_then(|components| components.get(name)) {
            Some(Value::Object(section)) => section.clone(),
            _ => Object::new(),
        }
    };
    let kinds = b.get("components").and_then(Value::as_object).into_iter().flatten();
    for (kind, theirs) in kinds {
        let ours = section(a, kind);
        for (name, value) in theirs.as_object().into_iter().flatten() {
            let Some(other) = ours.get(name) else { continue };
            if other == value || unitable(kind, other, value, dialect) {
                continue;
            }
            let theirs = section(&b, kind);
            let mut number = 2;
            let new = loop {
                let new = format!("{name}_{number}");
                // The same component may have been renamed in an earlier merge.
                if ours.get(&new) == Some(value)
                    || !ours.contains_key(&new) && !theirs.contains_key(&new)
                {
                    break new;
                }
                number += 1;
            };
            renamed.insert((kind.clone(), name.clone()), new);
        }
    }
    if renamed.is_empty() {
        return b;
    }
    rename(b, &renamed)
}

pub(super) fn rename(mut root: Object, renamed: &BTreeMap<(String, String), String>) -> Object {
    if let Some(Value::Object(components)) = root.get_mut("components") {
        for (kind, section) in components.iter_mut() {
            let Value::Object(section) = section else { continue };
            *section = std::mem::take(section)
                .into_iter()
                .map(|(name, value)| {
                    let key = (kind.clone(), name);
                    (renamed.get(&key).cloned().unwrap_or(key.1), value)
                })
                .collect();
        }
    }
    rename_schemes(&mut root, renamed);
    let mut value = Value::Object(root);
    let new_reference = |reference: &str| {
        let path = reference.strip_prefix("#/components/")?;
        let mut parts = path.splitn(3, '/');
        let (kind, name) = (parts.next()?, parts.next()?);
        let plain = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
        let plain = plain.replace("~1", "/").replace("~0", "~");
        let new = renamed.get(&(kind.to_owned(), plain))?;
        let rest = parts.next().map(|rest| format!("/{rest}")).unwrap_or_default();
        Some(format!("#/components/{kind}/{}{rest}", escape(new)))
    };
    on_references_mut(&mut value, &new_reference);
    rename_mappings(&mut value, &new_reference);
    match value {
        Value::Object(root) => root,
        // `value` was made an object above.
        _ => Object::new(),
    }
}

/// The mapping of a discriminator refers to schemas by plain text.
fn rename_mappings(value: &mut Value, new: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::Object(map) => {
            let mapping = map.get_mut("discriminator").and_then(|word| word.get_mut("mapping"));
            for reference in
                mapping.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
            {
                if let Some(new) = reference.as_str().and_then(new) {
                    *reference = new.into();
                }
            }
            map.values_mut().for_each(|child| rename_mappings(child, new));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_mappings(item, new)),
        _ => {}
    }
}

/// Security requirements name their schemes without a reference.
fn rename_schemes(root: &mut Object, renamed: &BTreeMap<(String, String), String>) {
    let in_list = |list: Option<&mut Value>| {
        let list = list.and_then(Value::as_array_mut);
        for requirement in list.into_iter().flatten().filter_map(Value::as_object_mut) {
            *requirement = std::mem::take(requirement)
                .into_iter()
                .map(|(name, scopes)| {
                    let key = ("securitySchemes".to_owned(), name);
                    (renamed.get(&key).cloned().unwrap_or(key.1), scopes)
                })
                .collect();
        }
    };
    in_list(root.get_mut("security"));
    let paths = root.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths.into_iter().flat_map(Map::values_mut) {
        for method in METHODS {
            in_list(item.get_mut(method).and_then(|operation| operation.get_mut("security")));
        }
    }
}

/// True if two components of the same name can be united.
fn unitable(kind: &str, a: &Value, b: &Value, dialect: Dialect) -> bool {
    match kind {
        "schemas" => may_meet(a, b, dialect),
        "parameters" => {
            ["name", "in"].iter().all(|key| a.get(key).is_some() && a.get(key) == b.get(key))
        }
        "responses" | "requestBodies" | "headers" => {
            a.get("$ref").is_none() && b.get("$ref").is_none()
        }
        _ => false,
    }
}

impl Context {
    pub(super) fn components(&mut self, at: &str, a: &Value, b: &Value, roots: Roots<'_>) -> Value {
        let (Value::Object(a), Value::Object(b)) = (a, b) else { return self.choose(at, a, b) };
        let sections = self.maps(at, a, b, |this, at, kind, x, y| {
            let (Value::Object(x), Value::Object(y)) = (x, y) else { return this.any(at, x, y) };
            if kind == "schemas" && this.kept.is_some() {
                return Value::Object(this.extend_components(x, y));
            }
            let section = this.maps(at, x, y, |this, at, _, x, y| match kind {
                _ if x == y => x.clone(),
                "schemas" => this.schema(at, x, y),
                "parameters" => this.parameter(at, x, y, roots),
                "responses" => this.response(at, x, y, roots),
                "requestBodies" => this.body(at, x, y, roots),
                "headers" => this.header(at, x, y, roots),
                _ => this.choose(at, x, y),
            });
            Value::Object(section)
        });
        Value::Object(sections)
    }
}
