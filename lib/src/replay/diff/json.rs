//! Compares JSON values: objects by name, arrays by the ids of their items.

use std::collections::HashMap;

use super::context::{Comparing, FoundPlace, contains_word, is_index};
use crate::recorded::{JsonValue, same_number};
use crate::replay::carry::{id_name, is_wrapper};
use crate::units::counted;

/// Properties that identify the items of an array, the best ones first.
const KEYS: [&str; 8] = ["id", "_id", "uuid", "guid", "key", "slug", "sku", "code"];

/// A comparison in progress.
pub(super) struct JsonComparison<'c, 'r> {
    comparing: &'c mut Comparing<'r>,
    /// The collection that the request is about.
    about: &'c str,
    path: Vec<String>,
    /// In the first pass, renamed identifiers are collected, so that links to them are recognised
    /// in the second one.
    collects: bool,
}

impl JsonComparison<'_, '_> {
    pub(super) fn run(
        comparing: &mut Comparing<'_>,
        old: &JsonValue<'_>,
        new: &JsonValue<'_>,
        about: &str,
    ) {
        let collects = comparing.renames.is_some();
        let mut comparison = JsonComparison { comparing, about, path: Vec::new(), collects };
        if collects {
            comparison.value(old, new);
            comparison.collects = false;
        }
        comparison.value(old, new);
    }

    fn add(&mut self, rule: &'static str, old: &str, new: &str) {
        if !self.collects {
            self.comparing.add(rule, FoundPlace::Body(self.path.clone()), old, new);
        }
    }

    fn below(&mut self, step: String, visit: impl FnOnce(&mut Self)) {
        self.path.push(step);
        if !self.comparing.is_ignored(&self.path) {
            visit(self);
        }
        self.path.pop();
    }

    fn value(&mut self, old: &JsonValue<'_>, new: &JsonValue<'_>) {
        match (old, new) {
            (JsonValue::Object(old), JsonValue::Object(_)) => {
                for (name, value) in old {
                    self.below(name.to_string(), |own| match new.member(name) {
                        Some(new) => own.value(value, new),
                        None => own.add("missing", &shown(value), "absent"),
                    });
                }
                let JsonValue::Object(members) = new else { return };
                let is_new =
                    |name: &str| old.binary_search_by(|(own, _)| own.as_ref().cmp(name)).is_err();
                for (name, value) in members.iter().filter(|(name, _)| is_new(name)) {
                    self.below(name.to_string(), |own| {
                        own.add("extra", "absent", &shown(value));
                    });
                }
            }
            (JsonValue::Array(old), JsonValue::Array(new)) => self.arrays(old, new),
            (old, new) if self.same(old, new) => (),
            (old, new) => {
                let rule = if kind(old) == kind(new) { "value" } else { "type" };
                self.add(rule, &shown(old), &shown(new));
            }
        }
    }

    /// True for scalars that are equal, or equal after renaming.
    fn same(&mut self, old: &JsonValue<'_>, new: &JsonValue<'_>) -> bool {
        let is_hidden = |own: &Self| {
            let place = format!("response.body#{}", crate::recorded::display_pointer(&own.path));
            own.comparing.redacted.contains(place.as_str())
        };
        match (old, new) {
            (JsonValue::Text(old), JsonValue::Text(new)) => {
                self.comparing.same_text(old, new)
                    || self.is_renamed(old, new)
                    || !new.is_empty() && is_hidden(self)
            }
            (JsonValue::Number(old), JsonValue::Number(new)) => {
                same_number(old, new) || self.is_renamed(old, new) || is_hidden(self)
            }
            (JsonValue::Text(_), JsonValue::Number(_))
            | (JsonValue::Number(_), JsonValue::Text(_)) => is_hidden(self),
            (old, new) => old == new,
        }
    }

    fn is_renamed(&mut self, old: &str, new: &str) -> bool {
        let names: Vec<&String> = self.path.iter().filter(|step| !is_index(step)).collect();
        let name = names.last().map_or("", |name| name.as_str());
        let outer = names.iter().rev().nth(1).map(|name| name.as_str());
        let around = outer.filter(|name| !is_wrapper(name)).unwrap_or(self.about);
        let id = id_name(name, around);
        let sent = &self.comparing.sent;
        let is_sent = |value: &str| contains_word(sent, value);
        match &mut self.comparing.renames {
            Some(renames) => renames.is_renamed(old, new, id.as_ref(), &is_sent),
            None => false,
        }
    }

    fn arrays(&mut self, old: &[JsonValue<'_>], new: &[JsonValue<'_>]) {
        if let Some(matching) = self.by_key(old, new) {
            for (at, other) in matching.pairs {
                self.below(at.to_string(), |own| own.value(&old[at], &new[other]));
            }
            for at in matching.missing {
                self.below(at.to_string(), |own| {
                    own.add("missing", &shown(&old[at]), "absent");
                });
            }
            for at in matching.extra {
                self.below(at.to_string(), |own| {
                    own.add("extra", "absent", &shown(&new[at]));
                });
            }
            return;
        }
        if old.len() != new.len() {
            let count = |items: &[JsonValue<'_>]| {
                format!("an array of {}", counted(items.len() as u64, "item"))
            };
            self.add("length", &count(old), &count(new));
            return;
        }
        if old != new && old.len() > 1 && same_items(old, new) {
            let old = format!("an array of {}", counted(old.len() as u64, "item"));
            self.add("order", &old, "the same items in another order");
            return;
        }
        for (at, (old, new)) in old.iter().zip(new).enumerate() {
            self.below(at.to_string(), |own| own.value(old, new));
        }
    }

    /// The items that belong together by their ids; `None` if they have none, or only new ones.
    fn by_key(&self, old: &[JsonValue<'_>], new: &[JsonValue<'_>]) -> Option<Matching> {
        if old.is_empty() || new.is_empty() {
            return None;
        }
        let name =
            KEYS.into_iter().find(|name| keys(old, name).is_some() && keys(new, name).is_some())?;
        let (olds, news) = (keys(old, name)?, keys(new, name)?);
        let positions: HashMap<&str, usize> =
            news.iter().enumerate().map(|(at, key)| (key.as_str(), at)).collect();
        let mut matching = Matching::default();
        for (at, key) in olds.iter().enumerate() {
            match positions.get(key.as_str()) {
                Some(other) => matching.pairs.push((at, *other)),
                None => matching.missing.push(at),
            }
        }
        // If most ids are new, items are compared by position.
        if matching.pairs.len() * 2 < old.len().min(new.len()) {
            return None;
        }
        let mut taken = vec![false; new.len()];
        matching.pairs.iter().for_each(|(_, other)| taken[*other] = true);
        matching.extra = (0..new.len()).filter(|at| !taken[*at]).collect();
        Some(matching)
    }
}

/// The items of two arrays that belong together.
#[derive(Default)]
struct Matching {
    pairs: Vec<(usize, usize)>,
    missing: Vec<usize>,
    extra: Vec<usize>,
}

/// The values of a property, if they differ in each item.
fn keys(items: &[JsonValue<'_>], name: &str) -> Option<Vec<String>> {
    let key = |item: &JsonValue<'_>| match item.member(name)? {
        JsonValue::Text(text) => Some(text.to_string()),
        JsonValue::Number(number) => Some((*number).to_owned()),
        _ => None,
    };
    let keys: Vec<String> = items.iter().map(key).collect::<Option<_>>()?;
    let mut sorted: Vec<&String> = keys.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == keys.len()).then_some(keys)
}

/// True for the same items in any order.
fn same_items(old: &[JsonValue<'_>], new: &[JsonValue<'_>]) -> bool {
    let canonical = |items: &[JsonValue<'_>]| {
        let mut texts: Vec<Vec<u8>> = items.iter().map(canonical).collect();
        texts.sort_unstable();
        texts
    };
    canonical(old) == canonical(new)
}

fn canonical(value: &JsonValue<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    value.write_canonical(&[], &mut out);
    out
}

fn kind(value: &JsonValue<'_>) -> &'static str {
    match value {
        JsonValue::Null => "null",
        JsonValue::Bool(_) => "boolean",
        JsonValue::Number(_) => "number",
        JsonValue::Text(_) => "text",
        JsonValue::Array(_) => "array",
        JsonValue::Object(_) => "object",
    }
}

fn shown(value: &JsonValue<'_>) -> String {
    value.display()
}
