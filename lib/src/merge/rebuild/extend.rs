//! Extends a checked schema with the inferred one for the same location: only new content is added.
//!
//! A schema that all values conform to only needs the properties that it does not list. A component
//! may be used in many locations, so everything inferred for them is joined first. This takes
//! several rounds, because each may find locations of nested components.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::merge::context::Context;
use crate::schema::{join, unite_keys};

/// Marks a schema that is replaced with the inferred one. Never written.
pub(super) const PENDING: &str = "x-\u{1}pending";

/// Distinguishes the name of an inferred component from all names that people write. Never written.
pub(super) const MARK: &str = "\u{1}";

/// Keywords below which locations are not followed.
pub(super) const HARD: [&str; 14] = [
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "prefixItems",
    "contains",
    "dependentSchemas",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$defs",
    "definitions",
    "$dynamicRef",
];

const PREFIX: &str = "#/components/schemas/";

/// The name of the component that a schema refers to.
pub(super) fn component(schema: &Value) -> Option<String> {
    let reference = schema.get("$ref")?.as_str()?.strip_prefix(PREFIX)?;
    let name = percent_encoding::percent_decode_str(reference).decode_utf8().ok()?;
    (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
}

impl Context {
    /// The schema `a`, extended with what only `b` knows.
    pub(in crate::merge) fn extend(&mut self, a: &Value, b: &Value) -> Value {
        if let Some(name) = component(a) {
            self.note(&name, b);
        }
        let Value::Object(map) = a else { return a.clone() };
        if map.contains_key(PENDING) {
            let mut bare = map.clone();
            bare.shift_remove(PENDING);
            if bare.is_empty() {
                return b.clone();
            }
            let bare = Value::Object(bare);
            let wider =
                if refers(&bare) { join(&bare, b, self.dialect) } else { self.joined(&bare, b) };
            return self.extend(&wider, b);
        }
        if map.contains_key("$ref") && component(a).is_some() && map.len() == 1 {
            return a.clone();
        }
        // If only null was seen before, everything else is new.
        if map.contains_key("x-hmt-null-only") && b.get("x-hmt-null-only").is_none() {
            let mut wider = self.joined(&json!({"x-hmt-null-only": true}), b);
            if let Value::Object(wider) = &mut wider {
                for (word, value) in map.iter().filter(|(word, _)| *word != "x-hmt-null-only") {
                    wider.entry(word).or_insert_with(|| value.clone());
                }
            }
            return wider;
        }
        // An enumeration is complete, including the lone null next to a reference.
        if map.contains_key("enum") || map.contains_key("const") {
            return a.clone();
        }
        if HARD.iter().any(|word| map.contains_key(*word)) {
            self.leave(a);
            return a.clone();
        }
        let parts = self.parts(b);
        let mut map = map.clone();
        for word in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(branches)) = map.get_mut(word) {
                for branch in branches {
                    if let Some(b) = self.for_branch(branch, b, &parts) {
                        *branch = self.extend(branch, &b);
                    }
                }
            }
        }
        let anything = parts.iter().any(|part| part.get("type").is_none());
        if anything {
            self.leave(&Value::Object(map.clone()));
            return Value::Object(map);
        }
        let of = |kind: &'static str| parts.iter().filter(move |part| is_of(part, kind));
        let joined = of("object").cloned().reduce(|x, y| join(&x, &y, self.dialect));
        if let Some(Value::Object(joined)) = joined {
            self.object(&mut map, &joined);
        }
        if let Some(items) = map.get("items").cloned() {
            let theirs = of("array")
                .filter(|part| part.get("maxItems") != Some(&json!(0)))
                .filter_map(|part| part.get("items").cloned())
                .reduce(|x, y| join(&x, &y, self.dialect));
            if let Some(theirs) = theirs {
                map.insert("items".to_owned(), self.extend(&items, &theirs));
            }
        }
        Value::Object(map)
    }

    fn object(&mut self, a: &mut Map<String, Value>, b: &Map<String, Value>) {
        let of_objects = a.get("type").is_some_and(|kind| {
            kind == "object"
                || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("object")))
        });
        let none = Map::new();
        let ours = a.get("properties").and_then(Value::as_object).unwrap_or(&none).clone();
        let theirs = b.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let unlisted = b.get("additionalProperties").filter(|schema| schema.is_object());
        let closed = a.get("additionalProperties").cloned();
        if of_objects || !ours.is_empty() {
            let mut properties = Map::new();
            for name in unite_keys(&ours, theirs) {
                let value = match (ours.get(name), theirs.get(name).or(unlisted)) {
                    (Some(ours), Some(theirs)) => self.extend(ours, theirs),
                    (Some(ours), None) => ours.clone(),
                    (None, Some(theirs)) if closed.is_none() => theirs.clone(),
                    (None, _) => continue,
                };
                properties.insert(name.to_owned(), value);
            }
            if !properties.is_empty() {
                a.insert("properties".to_owned(), properties.into());
            }
        }
        if let Some(closed) = closed.filter(Value::is_object) {
            let rest = theirs.iter().filter(|(name, _)| !ours.contains_key(*name));
            let rest = rest.map(|(_, value)| value).chain(unlisted).cloned();
            if let Some(rest) = rest.reduce(|x, y| join(&x, &y, self.dialect)) {
                a.insert("additionalProperties".to_owned(), self.extend(&closed, &rest));
            }
        }
    }

    /// Extends the components of the checked document with what was inferred for their locations so
    /// far, and adds the inferred ones.
    pub(in crate::merge) fn extend_components(
        &mut self,
        a: &Map<String, Value>,
        b: &Map<String, Value>,
    ) -> Map<String, Value> {
        let mut all = a.clone();
        for (name, schema) in &mut all {
            let inferred = self.kept.as_ref().and_then(|kept| kept.inferred.get(name)).cloned();
            if let Some(inferred) = inferred {
                *schema = self.extend(schema, &inferred);
            }
        }
        all.extend(b.clone());
        all
    }

    /// The alternatives of an inferred schema, with references followed.
    fn parts(&self, schema: &Value) -> Vec<Value> {
        let mut parts = Vec::new();
        let mut seen = BTreeSet::new();
        let mut queue = vec![schema];
        while let Some(schema) = queue.pop() {
            let branches = ["anyOf", "oneOf"].iter().find_map(|word| schema.get(*word)?.as_array());
            if let Some(name) = component(schema) {
                let found = self.schemas[1].get(&name);
                if seen.insert(name) {
                    queue.extend(found);
                }
            } else if let Some(branches) = branches {
                queue.extend(branches);
            } else {
                parts.push(schema.clone());
            }
        }
        parts
    }

    /// Joins two schemas. Inline schemas of people stay inline: references to inferred schemas are
    /// followed.
    fn joined(&self, a: &Value, b: &Value) -> Value {
        self.parts(b).iter().fold(a.clone(), |all, part| join(&all, part, self.dialect))
    }

    /// The part of the inferred schema that concerns a branch.
    fn for_branch(&mut self, branch: &Value, b: &Value, parts: &[Value]) -> Option<Value> {
        if let Some(name) = component(branch) {
            self.meet(&name, b);
            return Some(b.clone());
        }
        let Some(kind) = branch.get("type").and_then(Value::as_str) else { return Some(b.clone()) };
        let of_kind = parts.iter().filter(|part| part.get("type").is_none() || is_of(part, kind));
        of_kind.cloned().reduce(|x, y| join(&x, &y, self.dialect))
    }

    /// Notes the schema inferred for a location of a component.
    fn note(&mut self, name: &str, inferred: &Value) {
        if name.starts_with(MARK) {
            return;
        }
        let parts = self.parts(inferred);
        let dialect = self.dialect;
        let whole = parts.into_iter().reduce(|x, y| join(&x, &y, dialect));
        self.meet(name, inferred);
        let (Some(kept), Some(whole)) = (&mut self.kept, whole) else { return };
        let known = kept.inferred.entry(name.to_owned()).or_insert_with(|| whole.clone());
        *known = join(known, &whole, dialect);
    }

    /// Notes which inferred components are in a location of a component. An inferred component is
    /// in its own location.
    fn meet(&mut self, name: &str, inferred: &Value) {
        if name.starts_with(MARK) {
            return;
        }
        let Some(kept) = &mut self.kept else { return };
        let branches = ["anyOf", "oneOf"].iter().filter_map(|word| inferred.get(*word)?.as_array());
        for other in branches.flatten().chain([inferred]).filter_map(component) {
            kept.met.entry(other).or_default().insert(name.to_owned());
        }
    }

    /// Accepts anything in a schema that is not followed.
    fn leave(&mut self, schema: &Value) {
        if let Some(name) = component(schema)
            && let Some(kept) = &mut self.kept
        {
            kept.inferred.insert(name, json!({}));
        }
        match schema {
            Value::Object(map) => map.values().for_each(|child| self.leave(child)),
            Value::Array(items) => items.iter().for_each(|child| self.leave(child)),
            _ => {}
        }
    }
}

/// True if a schema or one of its branches is a reference.
fn refers(schema: &Value) -> bool {
    let branches =
        ["anyOf", "oneOf", "allOf"].iter().filter_map(|word| schema.get(*word)?.as_array());
    schema.get("$ref").is_some() || branches.flatten().any(refers)
}

fn is_of(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|known| known == kind),
        Some(known) => known == kind,
        None => false,
    }
}
