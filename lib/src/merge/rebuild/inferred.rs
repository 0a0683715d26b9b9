//! Adds the inferred spec to a spec that was checked against the same traffic, and finds out which
//! components are the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::extend::{MARK, PENDING, component};
use crate::merge::components::rename;
use crate::merge::context::{ConflictPolicy, Context, Kept};
use crate::merge::root::specs;
use crate::schema::{Dialect, covers, join};
use crate::spec::{Document, METHODS, Version, on_references};

/// Maximum number of rounds until all locations of all components are known; the nesting depth of
/// components in any real document.
const ROUNDS: usize = 64;

/// Other names of components.
pub(super) type Aliases = BTreeMap<String, BTreeSet<String>>;

/// The spec with everything new, and the names of its components in the inferred spec. `is_edited`
/// says whether a component was edited.
pub(super) fn add(
    ours: Value,
    mut theirs: Value,
    dialect: Dialect,
    is_edited: &dyn Fn(&str) -> bool,
) -> (Value, Aliases) {
    drop_credentials(&ours, &mut theirs);
    let nothing = theirs.get("paths").and_then(Value::as_object).is_none_or(Map::is_empty);
    if nothing && let Value::Object(map) = &mut theirs {
        // Without exchanges no server is known, but a missing list would mean any server.
        map.extend(ours.get("servers").map(|servers| ("servers".to_owned(), servers.clone())));
    }
    if !schemas(&ours).is_empty() && theirs["components"].get("schemas").is_none() {
        // Components only meet the components of the checked document.
        theirs["components"]["schemas"] = Value::Object(Map::new());
    }
    let names: Vec<String> = schemas(&theirs).keys().cloned().collect();
    let marked = names.iter().map(|name| (key(name), format!("{MARK}{name}"))).collect();
    let theirs = renamed(theirs, &marked);
    let mut kept = Kept::default();
    for _ in 0..ROUNDS {
        let mut context = Context::adding(dialect, &theirs, kept.clone());
        let root = context.documents(ours.clone(), theirs.clone());
        let found = context.kept.unwrap_or_default();
        if found == kept {
            return settled(root, &ours, &kept, &names, dialect, is_edited);
        }
        kept = found;
    }
    // No document seen so far reaches this; a join is sound in any case.
    let documents = [ours, theirs].map(|root| Document {
        root,
        source: String::new(),
        version: Version::V3_0,
        warnings: Vec::new(),
    });
    (specs(&documents, ConflictPolicy::Widen).unwrap_or_default(), Aliases::new())
}

/// Credentials that people wrote for the document also apply to new operations.
fn drop_credentials(ours: &Value, theirs: &mut Value) {
    if ours.get("security").is_none() {
        return;
    }
    if let Value::Object(map) = theirs {
        map.shift_remove("security");
    }
    let paths = theirs.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths.into_iter().flat_map(Map::values_mut) {
        for method in METHODS {
            if let Some(Value::Object(operation)) = item.get_mut(method) {
                operation.shift_remove("security");
            }
        }
    }
}

/// Names the inferred components: each gets the name of the component in whose locations it is, if
/// that accepts all its values.
fn settled(
    mut root: Value,
    ours: &Value,
    kept: &Kept,
    names: &[String],
    dialect: Dialect,
    is_edited: &dyn Fn(&str) -> bool,
) -> (Value, Aliases) {
    resolve_pending(&mut root);
    let known = schemas(ours);
    let mut one: BTreeMap<String, String> = BTreeMap::new();
    let mut aliases = Aliases::new();
    for name in names {
        let met = kept.met.get(&format!("{MARK}{name}"));
        for other in met.into_iter().flatten() {
            aliases.entry(other.clone()).or_default().insert(name.clone());
        }
        let same = known.contains_key(name).then_some(name);
        let chosen = match met {
            Some(met) if !met.contains(name) => met.first().or(same),
            _ => same,
        };
        if let Some(chosen) = chosen {
            one.insert(name.clone(), chosen.clone());
        }
    }
    loop {
        let as_one: BTreeMap<_, _> =
            one.iter().map(|(from, to)| (key(&format!("{MARK}{from}")), to.clone())).collect();
        let mut changed = false;
        for (from, to) in one.clone() {
            let all = schemas(&root);
            let Some(theirs) = all.get(&format!("{MARK}{from}")) else { continue };
            let Some(ours) = all.get(&to) else { continue };
            let Value::Object(theirs) = with_references(theirs, &as_one) else { continue };
            let theirs = Value::Object(theirs);
            if covers(&bare(ours), &bare(&theirs), dialect) {
                continue;
            }
            let wider = join(ours, &theirs, dialect);
            changed = true;
            if is_edited(&to) || wider == *ours {
                one.remove(&from);
            } else if let Some(place) = root.pointer_mut("/components/schemas")
                && let Some(place) = place.get_mut(&to)
            {
                *place = wider;
            }
        }
        if !changed {
            break;
        }
    }
    let mut names_now = BTreeMap::new();
    let mut taken: BTreeSet<String> = known.keys().cloned().collect();
    for name in names {
        let marked = format!("{MARK}{name}");
        if let Some(to) = one.get(name) {
            if let Some(Value::Object(all)) = root.pointer_mut("/components/schemas") {
                all.shift_remove(&marked);
            }
            names_now.insert(key(&marked), to.clone());
            continue;
        }
        let mut new = name.clone();
        let mut number = 2;
        while taken.contains(&new) {
            new = format!("{name}_{number}");
            number += 1;
        }
        taken.insert(new.clone());
        names_now.insert(key(&marked), new);
    }
    let mut root = renamed(root, &names_now);
    unite_branches(&mut root);
    prune(&mut root, ours);
    if known.keys().is_sorted()
        && let Some(Value::Object(all)) = root.pointer_mut("/components/schemas")
    {
        all.sort_keys();
    }
    (root, aliases)
}

/// Removes unreferenced schemas that `ours` does not have.
pub(super) fn prune(root: &mut Value, ours: &Value) {
    let known = schemas(ours);
    loop {
        let mut used = BTreeSet::new();
        on_references(root, &mut |place, reference| {
            let name = component(&json!({"$ref": reference}));
            // A reference to itself does not count.
            used.extend(name.filter(|name| {
                let own = format!("/components/schemas/{}", crate::spec::escape(name));
                !super::named::is_below(place, &own)
            }));
        });
        let Some(Value::Object(all)) = root.pointer_mut("/components/schemas") else { return };
        let before = all.len();
        all.retain(|name, _| known.contains_key(name) || used.contains(name));
        if all.len() == before {
            break;
        }
    }
    let Some(Value::Object(map)) = root.get_mut("components") else { return };
    if map.get("schemas").and_then(Value::as_object).is_some_and(Map::is_empty) {
        map.shift_remove("schemas");
    }
    if map.is_empty()
        && let Value::Object(map) = root
    {
        map.shift_remove("components");
    }
}

/// Unites branches that now refer to the same component.
fn unite_branches(value: &mut Value) {
    if let Value::Object(map) = value {
        for word in ["anyOf", "oneOf"] {
            let Some(Value::Array(branches)) = map.get_mut(word) else { continue };
            let mut seen = BTreeSet::new();
            let before = branches.len();
            branches.retain(|branch| component(branch).is_none_or(|name| seen.insert(name)));
            if branches.len() == 1 && before > 1 {
                let branch = branches.remove(0);
                map.shift_remove(word);
                if let (true, Value::Object(branch)) = (map.is_empty(), &branch) {
                    map.clone_from(branch);
                } else {
                    map.insert("allOf".to_owned(), json!([branch]));
                }
            }
        }
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(unite_branches),
        Value::Array(items) => items.iter_mut().for_each(unite_branches),
        _ => {}
    }
}

/// Nothing is known about the schemas that are still marked.
fn resolve_pending(value: &mut Value) {
    match value {
        Value::Object(map) if map.contains_key(PENDING) => map.clear(),
        Value::Object(map) => map.values_mut().for_each(resolve_pending),
        Value::Array(items) => items.iter_mut().for_each(resolve_pending),
        _ => {}
    }
}

/// The constraints of a schema, without its annotations.
pub(super) fn bare(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let constrains = |(word, value): &(&String, &Value)| {
                // A property with such a name has a schema.
                let says = matches!(word.as_str(), "title" | "description" | "summary" | "example")
                    || word.starts_with("x-") && *word != "x-hmt-null-only";
                !says || value.is_object()
            };
            map.iter().filter(constrains).map(|(word, value)| (word.clone(), bare(value))).collect()
        }
        Value::Array(items) => items.iter().map(bare).collect(),
        _ => schema.clone(),
    }
}

fn schemas(root: &Value) -> Map<String, Value> {
    match root.pointer("/components/schemas") {
        Some(Value::Object(all)) => all.clone(),
        _ => Map::new(),
    }
}

fn key(name: &str) -> (String, String) {
    ("schemas".to_owned(), name.to_owned())
}

fn renamed(root: Value, names: &BTreeMap<(String, String), String>) -> Value {
    match root {
        Value::Object(map) => Value::Object(rename(map, names)),
        other => other,
    }
}

/// A schema with other references.
fn with_references(schema: &Value, names: &BTreeMap<(String, String), String>) -> Value {
    let wrapped = json!({"schema": schema});
    renamed(wrapped, names).get_mut("schema").map(Value::take).unwrap_or_default()
}
