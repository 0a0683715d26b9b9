//! Collects the keywords of a spec that traffic contradicts, and removes them from the spec.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::extend::PENDING;
use super::widened::Widened;
use crate::merge::target::target;
use crate::schema::{Dialect, Fault, MAX_ENUM, join};
use crate::spec::locate;

/// The contradicted keywords by their location, with the rejected values. It is a set, so the order
/// of exchanges does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contradictions(BTreeMap<(String, &'static str), BTreeSet<String>>);

impl Contradictions {
    /// Adds a contradiction.
    pub fn add(&mut self, fault: &Fault) {
        let values = self.0.entry((fault.schema.clone(), fault.keyword)).or_default();
        values.insert(fault.value.to_string());
        // More values than an enumeration may have show that it is not one.
        if fault.keyword == "enum" && values.len() > MAX_ENUM + 1 {
            values.pop_last();
        }
    }

    /// Adds all contradictions of another set.
    pub fn unite(&mut self, other: Contradictions) {
        for ((schema, keyword), values) in other.0 {
            for value in values {
                let value = serde_json::from_str(&value).unwrap_or(Value::Null);
                self.add(&Fault { schema: schema.clone(), keyword, value });
            }
        }
    }

    /// Declares not-found responses on paths of the spec: no path is inferred if there are only
    /// these.
    pub(super) fn declare(&self, root: &mut Value) {
        for ((operation, _), values) in self.0.iter().filter(|((_, word), _)| *word == "status") {
            for value in values {
                let value: Value = serde_json::from_str(value).unwrap_or(Value::Null);
                let text = |index: usize| value.get(index).and_then(Value::as_str);
                let Some(status) = text(0) else { continue };
                let Some(Value::Object(responses)) =
                    root.pointer_mut(&format!("{operation}/responses"))
                else {
                    continue;
                };
                let known = responses.keys().find(|key| key.eq_ignore_ascii_case(status)).cloned();
                let key = known.unwrap_or_else(|| status.to_owned());
                if !responses.contains_key(&key) {
                    let sorted = responses.keys().is_sorted();
                    responses.insert(key.clone(), json!({"description": reason(status)}));
                    if sorted {
                        responses.sort_keys();
                    }
                }
                let mut at = format!("{operation}/responses/{key}");
                let reference = root.pointer(&at).and_then(|value| value.get("$ref")?.as_str());
                if let Some((found, _)) = reference.and_then(|reference| locate(root, reference)) {
                    at = found;
                }
                if let (Some(media), Some(Value::Object(response))) =
                    (text(1), root.pointer_mut(&at))
                    && let Value::Object(content) =
                        response.entry("content").or_insert_with(|| json!({}))
                    && !content.keys().any(|known| known.eq_ignore_ascii_case(media))
                {
                    content.insert(media.to_owned(), json!({}));
                }
            }
        }
    }

    /// Widens the spec until nothing contradicts it, and returns the changes. A schema that cannot
    /// be widened alone is marked, and is replaced with the inferred one.
    pub(super) fn widen(&self, root: &mut Value, dialect: Dialect) -> Vec<Widened> {
        let mut all = Vec::new();
        // From the innermost locations outwards, because a replacement further out includes them.
        // At one location, a change that replaces the schema comes last.
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|((pointer, keyword), _)| (Reverse(pointer), *keyword == "type"));
        for ((pointer, keyword), values) in entries {
            let values: Vec<Value> =
                values.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
            let mut was = Map::new();
            match *keyword {
                "parameters" | "requestBody" | "headers" => {
                    all.extend(not_required(root, pointer, keyword, &values));
                    continue;
                }
                // Handled later, when the inferred responses are known.
                "status" => continue,
                "never" => never(root, pointer, &mut was),
                _ => {
                    if let Some(Value::Object(schema)) = root.pointer_mut(pointer) {
                        let whole = std::mem::take(schema);
                        *schema = wider(whole, keyword, &values, dialect, &mut was);
                    }
                }
            }
            all.extend(was.into_iter().map(|(keyword, value)| Widened {
                at: pointer.clone(),
                keyword,
                was: value.to_string(),
            }));
        }
        all.sort();
        all
    }
}

fn reason(status: &str) -> &'static str {
    match status {
        "404" => "Not Found",
        "405" => "Method Not Allowed",
        "410" => "Gone",
        "501" => "Not Implemented",
        _ => "",
    }
}

/// A schema with a keyword that accepts some more values.
fn wider(
    mut schema: Map<String, Value>,
    keyword: &str,
    values: &[Value],
    dialect: Dialect,
    was: &mut Map<String, Value>,
) -> Map<String, Value> {
    let before = |schema: &Map<String, Value>, words: &[&str], was: &mut Map<String, Value>| {
        for word in words {
            if let Some(value) = schema.get(*word) {
                was.insert((*word).to_owned(), value.clone());
            }
        }
    };
    match keyword {
        "enum" => {
            before(&schema, &["enum", "const"], was);
            let only = schema.shift_remove("const");
            let mut known = match schema.shift_remove("enum") {
                Some(Value::Array(known)) => known,
                _ => Vec::new(),
            };
            known.extend(only);
            let sorted = known.is_sorted_by_key(Value::to_string);
            known.extend(values.iter().cloned());
            if sorted {
                known.sort_by_key(Value::to_string);
            }
            if known.len() <= MAX_ENUM {
                schema.insert("enum".to_owned(), known.into());
            }
        }
        "type" => {
            before(&schema, &["type"], was);
            // Null first, because it can be added to a single type.
            let (null, other): (Vec<&str>, Vec<&str>) =
                values.iter().filter_map(Value::as_str).partition(|kind| *kind == "null");
            for kind in null.into_iter().chain(other) {
                schema = with_type(schema, kind, dialect);
            }
        }
        "required" => {
            before(&schema, &["required"], was);
            if let Some(Value::Array(names)) = schema.get_mut("required") {
                names.retain(|name| !values.contains(name));
                if names.is_empty() {
                    schema.shift_remove("required");
                }
            }
        }
        "minimum" | "maximum" => {
            let strict = if keyword == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" };
            before(&schema, &[keyword, strict], was);
            schema.shift_remove(keyword);
            schema.shift_remove(strict);
        }
        "anyOf" | "oneOf" | "" => {
            before(&schema, &["anyOf", "oneOf", "$ref"], was);
            schema.insert(PENDING.to_owned(), json!(true));
        }
        other => {
            before(&schema, &[other], was);
            let only_empty = other == "maxItems" && schema.get(other) == Some(&json!(0));
            schema.shift_remove(other);
            if only_empty {
                // Nothing was known about its items.
                schema.insert("items".to_owned(), json!({PENDING: true}));
            }
        }
    }
    schema
}

fn with_type(mut schema: Map<String, Value>, kind: &str, dialect: Dialect) -> Map<String, Value> {
    let other = match kind {
        "array" | "object" => {
            schema.insert(PENDING.to_owned(), json!(true));
            return schema;
        }
        "number" if schema.get("type") == Some(&json!("integer")) => {
            schema.insert("type".to_owned(), json!("number"));
            let of_integers = |format: &Value| format.as_str().is_some_and(|f| f.contains("int"));
            if schema.get("format").is_some_and(of_integers) {
                schema.shift_remove("format");
            }
            return schema;
        }
        "null" if dialect == Dialect::V3_0 && schema.get("type").is_some_and(Value::is_string) => {
            schema.insert("nullable".to_owned(), json!(true));
            if let Some(Value::Array(values)) = schema.get_mut("enum") {
                values.push(Value::Null);
            }
            return schema;
        }
        kind => json!({"type": kind}),
    };
    match join(&Value::Object(schema), &other, dialect) {
        Value::Object(wider) => wider,
        // Every join is an object.
        _ => Map::new(),
    }
}

/// Widens the schema `false`: it is removed as `additionalProperties`, and otherwise replaced with
/// the inferred schema.
fn never(root: &mut Value, pointer: &str, was: &mut Map<String, Value>) {
    let Some((above, word)) = pointer.rsplit_once('/') else { return };
    if word == "additionalProperties"
        && let Some(Value::Object(schema)) = root.pointer_mut(above)
        && let Some(value) = schema.shift_remove(word)
    {
        was.insert(word.to_owned(), value);
    } else if let Some(schema) = root.pointer_mut(pointer) {
        was.insert("never".to_owned(), schema.take());
        *schema = json!({PENDING: true});
    }
}

/// Makes parameters, headers and bodies optional that requests or responses lacked.
fn not_required(
    root: &mut Value,
    operation: &str,
    keyword: &str,
    values: &[Value],
) -> Vec<Widened> {
    let mut places = Vec::new();
    let here = |pointer: String| root.pointer(&pointer).map(|_| pointer);
    let item = operation.rsplit_once('/').map_or("", |(item, _)| item);
    for value in values {
        let text = |index: usize| value.get(index).and_then(Value::as_str).unwrap_or_default();
        match keyword {
            "requestBody" => places.extend(here(format!("{operation}/requestBody"))),
            "headers" => {
                let responses = root.pointer(&format!("{operation}/responses"));
                let found = responses.and_then(Value::as_object).into_iter().flatten();
                for (status, response) in found.filter(|(s, _)| s.eq_ignore_ascii_case(text(0))) {
                    let pointer = match response.get("$ref").and_then(Value::as_str) {
                        Some(reference) => locate(root, reference).map(|(pointer, _)| pointer),
                        None => Some(format!("{operation}/responses/{status}")),
                    };
                    let headers = target(response, root).get("headers");
                    let names = headers.and_then(Value::as_object).into_iter().flat_map(Map::keys);
                    let name = names.into_iter().find(|name| name.eq_ignore_ascii_case(text(1)));
                    let name = name.map(|name| crate::spec::escape(name).into_owned());
                    places.extend(pointer.zip(name).map(|(p, name)| format!("{p}/headers/{name}")));
                }
            }
            _ => {
                for owner in [operation, item] {
                    let list = root.pointer(&format!("{owner}/parameters"));
                    let list = list.and_then(Value::as_array).into_iter().flatten();
                    for (index, parameter) in list.enumerate() {
                        let parameter = target(parameter, root);
                        let is = |key: &str, text: &str| {
                            let found = parameter.get(key).and_then(Value::as_str);
                            found.is_some_and(|found| found.eq_ignore_ascii_case(text))
                        };
                        if is("in", text(0)) && is("name", text(1)) {
                            places.push(format!("{owner}/parameters/{index}"));
                        }
                    }
                }
            }
        }
    }
    let mut all = Vec::new();
    for mut at in places {
        // A shared object is widened for all its users.
        for _ in 0..32 {
            let reference = root.pointer(&at).and_then(|value| value.get("$ref"));
            let Some((found, _)) = reference.and_then(Value::as_str).and_then(|r| locate(root, r))
            else {
                break;
            };
            at = found;
        }
        if let Some(Value::Object(map)) = root.pointer_mut(&at)
            && let Some(value) = map.shift_remove("required")
        {
            all.push(Widened { at, keyword: "required".to_owned(), was: value.to_string() });
        }
    }
    all
}
