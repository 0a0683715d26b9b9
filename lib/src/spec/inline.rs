//! Inlines references in locations where the specification allows none, as bundlers do: for a whole
//! map of names (`parameters: {$ref: …}`), for an operation, and in examples. Their targets are
//! copied.

use serde_json::{Map, Value};

use super::METHODS;
use super::refs::{Below, FILES, Keys, below, join_pointer, locate, resolve};

/// Maximum number of rounds, because copies may contain references.
const MAX_ROUNDS: usize = 16;
/// Maximum number of values in all copies; more is an attack.
const MAX_VALUES: usize = 2_000_000;

/// A reference to replace.
struct Odd {
    pointer: String,
    /// In example data, where an unresolved reference stays.
    data: bool,
}

/// Replaces all of them. Unresolved references in data stay.
pub(super) fn inline(root: &mut Value) {
    let swagger = root.get("swagger").is_some();
    let mut left = MAX_VALUES;
    for _ in 0..MAX_ROUNDS {
        let mut odd = Vec::new();
        collect(root, swagger, &mut odd);
        let mut changed = false;
        // In document order, inner references come after outer ones, which would copy them
        // unchanged.
        for Odd { pointer, data } in odd.iter().rev() {
            let Some(new) = replacement(root, pointer, *data) else { continue };
            let size = size(&new);
            if size > left {
                return;
            }
            left -= size;
            if let Some(place) = root.pointer_mut(pointer) {
                *place = new;
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

fn collect(root: &Value, swagger: bool, odd: &mut Vec<Odd>) {
    let Value::Object(map) = root else { return };
    for (key, child) in map {
        if let Some(list) = child.as_array().filter(|_| key == "servers" || key == "tags") {
            for (index, _) in list.iter().enumerate().filter(|(_, item)| is_reference(item)) {
                odd.push(Odd { pointer: format!("/{key}/{index}"), data: false });
            }
        }
        if matches!(key.as_str(), "info" | "servers" | "components" | "tags" | "externalDocs")
            && is_reference(child)
        {
            odd.push(Odd { pointer: join_pointer("", key), data: false });
        }
    }
    Collector { swagger, odd }.value(root, Keys::Words, &mut String::new());
    let files = map.get(FILES).and_then(Value::as_object);
    for (name, file) in files.into_iter().flatten() {
        let mut pointer = join_pointer(&format!("/{FILES}"), name);
        Collector { swagger, odd }.value(file, Keys::Words, &mut pointer);
    }
}

fn is_reference(value: &Value) -> bool {
    value.get("$ref").is_some_and(Value::is_string)
}

struct Collector<'o> {
    swagger: bool,
    odd: &'o mut Vec<Odd>,
}

impl Collector<'_> {
    fn value(&mut self, value: &Value, keys: Keys, pointer: &mut String) {
        let length = pointer.len();
        match value {
            Value::Object(map) => {
                if keys == Keys::Names && is_reference(value) {
                    self.odd.push(Odd { pointer: pointer.clone(), data: false });
                }
                for (key, child) in map {
                    if !child.is_object() && !child.is_array() {
                        continue;
                    }
                    pointer.push('/');
                    pointer.push_str(&super::refs::escape(key));
                    if keys == Keys::Words && METHODS.contains(&key.as_str()) && is_reference(child)
                    {
                        self.odd.push(Odd { pointer: pointer.clone(), data: false });
                    }
                    match below(keys, key, child) {
                        Below::Data if matches!(key.as_str(), "example" | "examples") => {
                            self.data(child, pointer);
                        }
                        Below::Data => {}
                        Below::Examples => self.examples(child, pointer),
                        Below::Names => self.value(child, Keys::Names, pointer),
                        Below::Words => self.value(child, Keys::Words, pointer),
                    }
                    pointer.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, child) in items.iter().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    self.value(child, Keys::Words, pointer);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// `Example` objects by name; in Swagger 2.0 the values themselves.
    fn examples(&mut self, examples: &Value, pointer: &str) {
        if is_reference(examples) {
            self.odd.push(Odd { pointer: pointer.to_owned(), data: false });
        }
        for (name, example) in examples.as_object().into_iter().flatten() {
            let mut place = join_pointer(pointer, name);
            if self.swagger {
                self.data(example, &mut place);
            } else {
                for key in ["value", "dataValue"] {
                    if let Some(value) = example.get(key) {
                        self.data(value, &mut format!("{place}/{key}"));
                    }
                }
            }
        }
    }

    fn data(&mut self, value: &Value, pointer: &mut String) {
        let length = pointer.len();
        match value {
            Value::Object(map) => {
                if is_reference(value) {
                    self.odd.push(Odd { pointer: pointer.clone(), data: true });
                    return;
                }
                for (key, child) in map.iter().filter(|(_, v)| v.is_object() || v.is_array()) {
                    pointer.push('/');
                    pointer.push_str(&super::refs::escape(key));
                    self.data(child, pointer);
                    pointer.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, child) in items.iter().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    self.data(child, pointer);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }
}

/// The replacement of a reference; `None` if it is unresolved or refers to itself.
fn replacement(root: &Value, pointer: &str, data: bool) -> Option<Value> {
    let place = root.pointer(pointer)?;
    let reference = place.get("$ref")?.as_str()?;
    let (at, target) = locate(root, reference)?;
    // A value that contains itself would grow in each round.
    if pointer.strip_prefix(at.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('/')) {
        return None;
    }
    if data {
        let holder = at.rsplit('/').nth(1);
        let value = target.get("value").filter(|_| holder == Some("examples"));
        return Some(value.unwrap_or(target).clone());
    }
    let Value::Object(named) = target else { return Some(target.clone()) };
    let mut new: Map<String, Value> = named.clone();
    for (key, value) in place.as_object().into_iter().flatten().filter(|(key, _)| *key != "$ref") {
        new.insert(key.clone(), value.clone());
    }
    Some(Value::Object(new))
}

fn size(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// True if a chain of references ends.
pub(super) fn leads_somewhere(root: &Value, reference: &str) -> bool {
    let mut reference = reference;
    for _ in 0..64 {
        let Some(target) = resolve(root, reference) else { return false };
        match target.get("$ref").and_then(Value::as_str) {
            Some(next) => reference = next,
            None => return true,
        }
    }
    false
}
