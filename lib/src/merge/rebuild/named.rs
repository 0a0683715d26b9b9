//! The named parts of a document, which people can delete or edit.

use serde_json::{Map, Value};

use crate::merge::paths::structure;
use crate::merge::target::target;
use crate::spec::{Below, Keys, METHODS, below, join_pointer, pointer_keys};

/// A path, an operation, a response, a parameter, a property, a component: anything with a name.
pub(super) struct Named<'v> {
    /// JSON pointer.
    pub(super) pointer: String,
    /// The pointer without what may change: names of path parameters, list indices, and whether a
    /// schema is one of several.
    pub(super) key: String,
    /// The key of the enclosing name; empty at the root.
    pub(super) above: String,
    pub(super) value: &'v Value,
}

impl Named<'_> {
    /// The name of a component, if it is a schema.
    pub(super) fn schema(&self) -> Option<String> {
        let keys: Vec<String> = pointer_keys(&self.key).collect();
        match keys.as_slice() {
            [components, schemas, name] if components == "components" && schemas == "schemas" => {
                Some(name.clone())
            }
            _ => None,
        }
    }
}

/// All names, in document order.
pub(super) fn named(root: &Value) -> Vec<Named<'_>> {
    let mut walk = Walk { root, all: Vec::new() };
    walk.value(root, "", "", "");
    walk.all
}

struct Walk<'v> {
    root: &'v Value,
    all: Vec<Named<'v>>,
}

impl<'v> Walk<'v> {
    fn value(&mut self, value: &'v Value, pointer: &str, key: &str, above: &str) {
        match value {
            Value::Object(map) => {
                for (word, child) in map {
                    self.word(word, child, pointer, key, above);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let index = index.to_string();
                    let (pointer, key) = (join_pointer(pointer, &index), join_pointer(key, &index));
                    self.value(item, &pointer, &key, above);
                }
            }
            _ => {}
        }
    }

    fn word(&mut self, word: &str, child: &'v Value, pointer: &str, key: &str, above: &str) {
        if let (true, Value::Array(branches)) = (is_combination(word), child) {
            for (index, branch) in branches.iter().enumerate() {
                let pointer = join_pointer(&join_pointer(pointer, word), &index.to_string());
                self.value(branch, &pointer, key, above);
            }
            return;
        }
        let (pointer, key) = (join_pointer(pointer, word), join_pointer(key, word));
        match below(Keys::Words, word, child) {
            Below::Data | Below::Examples => {}
            Below::Names if child.is_object() => {
                for (name, value) in child.as_object().into_iter().flatten() {
                    let known =
                        if word == "paths" { structure(name, false) } else { name.to_owned() };
                    let pointer = join_pointer(&pointer, name);
                    self.name(&pointer, &join_pointer(&key, &known), above, value);
                }
            }
            Below::Names if word == "parameters" => {
                for (index, value) in child.as_array().into_iter().flatten().enumerate() {
                    let parameter = target(value, self.root);
                    let text = |word| parameter.get(word).and_then(Value::as_str);
                    let (Some(place), Some(name)) = (text("in"), text("name")) else { continue };
                    // Path parameters belong to the template.
                    if place != "path" {
                        let key = join_pointer(&key, &format!("{place} {name}"));
                        self.name(&join_pointer(&pointer, &index.to_string()), &key, above, value);
                    }
                }
            }
            _ if word == "requestBody" || METHODS.contains(&word) && child.is_object() => {
                self.name(&pointer, &key, above, child);
            }
            _ => self.value(child, &pointer, &key, above),
        }
    }

    fn name(&mut self, pointer: &str, key: &str, above: &str, value: &'v Value) {
        let (pointer, key, above) = (pointer.to_owned(), key.to_owned(), above.to_owned());
        self.all.push(Named { pointer: pointer.clone(), key: key.clone(), above, value });
        self.value(value, &pointer, &key, &key);
    }
}

fn is_combination(word: &str) -> bool {
    matches!(word, "anyOf" | "oneOf" | "allOf")
}

/// The listed form of a pointer.
pub(super) fn key_of(pointer: &str) -> String {
    let mut key = String::new();
    let mut before = String::new();
    let mut names = pointer_keys(pointer).enumerate().peekable();
    while let Some((depth, name)) = names.next() {
        if is_combination(&name) && names.next_if(|(_, next)| next.parse::<u32>().is_ok()).is_some()
        {
            continue;
        }
        let known = if depth == 1 && before == "paths" { structure(&name, false) } else { name };
        key = join_pointer(&key, &known);
        before = known;
    }
    key
}

/// The content of a name, without that of names below it and without annotations.
pub(super) fn spine(value: &Value) -> Value {
    const WORDS: [&str; 9] = [
        "title",
        "description",
        "summary",
        "example",
        "examples",
        "externalDocs",
        "deprecated",
        "operationId",
        "tags",
    ];
    match value {
        Value::Object(map) => {
            let mut own: Map<String, Value> = map
                .iter()
                .filter(|(word, child)| {
                    !WORDS.contains(&word.as_str())
                        && !word.starts_with("x-")
                        && !METHODS.contains(&word.as_str())
                        && *word != "requestBody"
                        && below(Keys::Words, word, child) != Below::Names
                })
                .map(|(word, child)| {
                    let data = below(Keys::Words, word, child) == Below::Data;
                    (word.clone(), if data { child.clone() } else { spine(child) })
                })
                .collect();
            own.sort_keys();
            Value::Object(own)
        }
        Value::Array(items) => Value::Array(items.iter().map(spine).collect()),
        _ => value.clone(),
    }
}

/// True if a pointer refers to a location or to something below it.
pub(super) fn is_below(pointer: &str, place: &str) -> bool {
    pointer.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
