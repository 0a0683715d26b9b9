//! Removes again what people deleted and traffic shows again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::base::Base;
use super::named::{Named, named};
use crate::spec::pointer_keys;

/// A location that stays deleted.
pub(super) struct Gone {
    pub(super) key: String,
    /// The pointer for messages, with elements of lists by name.
    pub(super) pointer: String,
    /// Not listed yet.
    pub(super) is_new: bool,
}

/// Removes names that the spec had when it was last written, but no longer had when it was read.
/// `aliases` maps the components here to their names in the inferred spec.
pub(super) fn delete(
    root: &mut Value,
    known: &BTreeSet<&str>,
    base: Option<&Base>,
    listed: &BTreeMap<String, String>,
    aliases: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<Gone> {
    let had = |key: &str| listed.contains_key(key) || base.is_some_and(|base| base.had(key));
    let is_gone = |name: &Named<'_>| {
        let above_is_there = name.above.is_empty() || known.contains(&*name.above);
        !known.contains(&*name.key)
            && above_is_there
            && !is_component(&name.key)
            && (had(&name.key) || other_keys(&name.key, aliases).iter().any(|key| had(key)))
    };
    let found: Vec<(String, Gone)> = named(root)
        .iter()
        .filter(|name| is_gone(name))
        .map(|name| {
            let pointer = listed.get(&name.key).cloned().unwrap_or_else(|| shown(name));
            let is_new = !listed.contains_key(&name.key);
            (name.pointer.clone(), Gone { key: name.key.clone(), pointer, is_new })
        })
        .collect();
    // From the end, so that list indices stay valid.
    for (pointer, _) in found.iter().rev() {
        take_out(root, pointer);
    }
    found.into_iter().map(|(_, gone)| gone).collect()
}

/// Components are removed with their references.
pub(super) fn is_component(key: &str) -> bool {
    let mut keys = pointer_keys(key);
    keys.next().as_deref() == Some("components") && keys.count() == 2
}

/// The keys of a location in a component, with the component's other names.
fn other_keys(key: &str, aliases: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let prefix = "/components/schemas/";
    let Some((name, rest)) = key.strip_prefix(prefix).and_then(|key| key.split_once('/')) else {
        return Vec::new();
    };
    let others = aliases.get(name).into_iter().flatten();
    others.map(|other| format!("{prefix}{other}/{rest}")).collect()
}

fn shown(name: &Named<'_>) -> String {
    match name.key.rsplit_once('/') {
        Some((list, last)) if list.ends_with("/parameters") && last.contains(' ') => {
            let above = name.pointer.rsplit_once('/').map_or("", |(above, _)| above);
            format!("{above}/{last}")
        }
        _ => name.pointer.clone(),
    }
}

pub(super) fn take_out(root: &mut Value, pointer: &str) {
    let Some((above, _)) = pointer.rsplit_once('/') else { return };
    let last = pointer_keys(pointer).last().unwrap_or_default();
    let mut empty = false;
    match root.pointer_mut(above) {
        Some(Value::Object(map)) => {
            map.shift_remove(&last);
            empty = map.is_empty();
        }
        Some(Value::Array(list)) => {
            if let Ok(index) = last.parse::<usize>()
                && index < list.len()
            {
                list.remove(index);
            }
            empty = list.is_empty();
        }
        _ => {}
    }
    let Some((owner, word)) = above.rsplit_once('/') else { return };
    let Some(Value::Object(owner)) = root.pointer_mut(owner) else { return };
    if word == "properties"
        && let Some(Value::Array(required)) = owner.get_mut("required")
    {
        required.retain(|name| name.as_str() != Some(&last));
        if required.is_empty() {
            owner.shift_remove("required");
        }
    }
    if empty && matches!(word, "properties" | "parameters" | "headers") {
        owner.shift_remove(word);
    }
}
