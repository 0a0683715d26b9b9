//! Aligns the three documents: gives the same thing the same name, and restores what must not be
//! lost.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::conflict::Conflict;
use crate::merge::components::rename;
use crate::merge::paths::{names, structure, with_parameters_named};
use crate::spec::{Document, SpecError, Version, check_refs, locate, on_references};

type Object = Map<String, Value>;

/// Gives equal paths the same template: the changed one, and ours if both changed it.
pub(super) fn paths(old: &mut Value, a: &mut Value, b: &mut Value) {
    let templates = |root: &Value| -> BTreeMap<String, String> {
        let paths = root.get("paths").and_then(Value::as_object);
        let templates = paths.into_iter().flat_map(Map::keys).filter(|key| key.starts_with('/'));
        let mut all = BTreeMap::new();
        let mut twice = Vec::new();
        for template in templates {
            let structure = structure(template, false);
            if all.insert(structure.clone(), template.clone()).is_some() {
                twice.push(structure);
            }
        }
        // Both spellings, with and without a trailing slash, are two paths, and each keeps its
        // name.
        all.retain(|structure, _| !twice.contains(structure));
        all
    };
    let (in_old, in_a, in_b) = (templates(old), templates(a), templates(b));
    let mut wanted = BTreeMap::new();
    for (structure, ours) in &in_a {
        let Some(theirs) = in_b.get(structure) else {
            wanted.insert(structure.clone(), ours.clone());
            continue;
        };
        let changed = in_old.get(structure) != Some(ours);
        wanted.insert(structure.clone(), if changed { ours } else { theirs }.clone());
    }
    for (structure, theirs) in &in_b {
        wanted.entry(structure.clone()).or_insert_with(|| theirs.clone());
    }
    for (root, known) in [(old, &in_old), (a, &in_a), (b, &in_b)] {
        rename_paths(root, known, &wanted);
    }
}

fn rename_paths(
    root: &mut Value,
    known: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) {
    let new_names: BTreeMap<&String, &String> = known
        .iter()
        .filter_map(|(structure, template)| Some((template, wanted.get(structure)?)))
        .filter(|(template, new)| template != new)
        .collect();
    if new_names.is_empty() {
        return;
    }
    let whole = root.clone();
    let Some(Value::Object(paths)) = root.get_mut("paths") else { return };
    *paths = std::mem::take(paths)
        .into_iter()
        .map(|(template, item)| match (new_names.get(&template), item) {
            (Some(new), Value::Object(item)) => {
                let item = with_parameters_named(item, &names(&template), &names(new), &whole);
                ((*new).clone(), Value::Object(item))
            }
            (_, item) => (template, item),
        })
        .collect();
}

/// Renames components in the base and in theirs if ours renamed them. Then the base refers to a
/// component that ours no longer has, and ours refers to the new one in the same location.
pub(super) fn components(old: &mut Value, a: &Value, b: &mut Value) {
    let mut renamed: BTreeMap<(String, String), String> = BTreeMap::new();
    on_references(old, &mut |pointer, reference| {
        let now = a.pointer(pointer).and_then(|value| value.get("$ref")).and_then(Value::as_str);
        let (Some(from), Some(to)) = (component(reference), now.and_then(component)) else {
            return;
        };
        let gone = locate(a, reference).is_none();
        let new = now.is_some_and(|now| locate(old, now).is_none());
        if from.0 == to.0 && gone && new && !renamed.values().any(|name| *name == to.1) {
            renamed.entry(from).or_insert(to.1);
        }
    });
    // If theirs has a new component with the name that ours chose, there is a real conflict.
    renamed.retain(|(kind, _), new| {
        let section = b.get("components").and_then(|components| components.get(kind));
        section.and_then(|section| section.get(&*new)).is_none()
    });
    if renamed.is_empty() {
        return;
    }
    for root in [old, b] {
        if let Value::Object(map) = root {
            *map = rename(std::mem::take(map), &renamed);
        }
    }
}

/// The kind and name in `#/components/KIND/NAME`.
fn component(reference: &str) -> Option<(String, String)> {
    let path = reference.strip_prefix("#/components/")?;
    let (kind, name) = path.split_once('/')?;
    let plain = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    (!plain.contains('/')).then(|| (kind.to_owned(), plain.replace("~1", "/").replace("~0", "~")))
}

/// Restores what one side deleted and the other now refers to.
pub(super) fn restore(root: &mut Value, sides: [&Value; 2], conflicts: &mut Vec<Conflict>) {
    loop {
        let document = Document {
            root: std::mem::take(root),
            source: String::new(),
            version: Version::V3_1,
            warnings: Vec::new(),
        };
        let broken = match check_refs(&document) {
            Err(SpecError::References { .. }) => {
                let mut all = Vec::new();
                on_references(&document.root, &mut |_, reference| {
                    if locate(&document.root, reference).is_none() {
                        all.extend(component(reference));
                    }
                });
                all
            }
            _ => Vec::new(),
        };
        *root = document.root;
        let mut any = false;
        for (kind, name) in broken {
            let find = |side: &Value| side.get("components")?.get(&kind)?.get(&name).cloned();
            let (ours, theirs) = (find(sides[0]), find(sides[1]));
            let Some(value) = theirs.clone().or_else(|| ours.clone()) else { continue };
            let Value::Object(map) = &mut *root else { continue };
            let Some(section) = section(map, &kind) else { continue };
            if section.insert(name.clone(), value).is_none() {
                any = true;
                let pointer = crate::spec::join_pointer(&format!("/components/{kind}"), &name);
                conflicts.push(Conflict { pointer, ours, theirs });
            }
        }
        if !any {
            return;
        }
    }
}

/// The section of `components`, created if missing; `None` if the document has something else
/// there.
fn section<'r>(root: &'r mut Object, kind: &str) -> Option<&'r mut Object> {
    let empty = || Value::Object(Object::new());
    let components = root.entry("components").or_insert_with(empty).as_object_mut()?;
    components.entry(kind).or_insert_with(empty).as_object_mut()
}
