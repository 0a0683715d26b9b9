//! Adds traffic to a spec that people edit.
//!
//! Only the built and edited spec is passed from one build to the next, so the edits must be
//! recognisable in it. With these rules they are, and every folded exchange conforms to the result:
//!
//! * **What is written stays unless traffic contradicts it.** Each exchange was checked against the
//!   spec while it was folded ([`Contradictions`]). A keyword that no exchange contradicts holds
//!   for all of them, whether a person or the builder wrote it, so it is kept unchanged:
//!   descriptions, names, limits, enumerations.
//! * **A contradicted keyword is widened alone**: an enumeration gets the value, `required` loses
//!   the name, another type is added, and a limit is removed, because a spec must not contain
//!   observed values. If the keyword was edited, this is reported, and listed under
//!   `x-hmt-conflicts`.
//! * **What is new is added**: paths, operations, responses, parameters, properties, each with its
//!   inferred content.
//! * **What was deleted stays out.** `x-hmt-base` stores hashes of the names that the spec had when
//!   it was last written. If traffic shows a name that the spec had before but no longer has,
//!   somebody deleted it. The name is listed under `x-hmt-deleted` and left out, until its line is
//!   removed from that list.
//!
//! The base holds only what the last rule and messages about edits need, six bytes per name; see
//! [`Base`]. A spec without a base was not built by HMT, so all of it counts as written by people.
//!
//! Partials and states contain only the sum of their traffic. With them, a keyword is kept if it
//! follows from the inferred spec with the observed ranges ([`Contradictions::of_sum`]).

mod base;
mod contradictions;
mod deleted;
mod extend;
mod implied;
mod inferred;
mod inferred_part;
mod named;
mod sum;
mod widened;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

pub use contradictions::Contradictions;
pub use widened::Widened;

pub(super) use base::{BASE, Base};

use super::context::{ConflictPolicy, Context, Kept, MergeError};
use super::root::{documents_of_one_version, verify};
use crate::spec::Document;
use named::{is_below, named};

/// The list of widened edits.
const CONFLICTS: &str = "x-hmt-conflicts";
/// The list of deleted locations that traffic has shown again.
const DELETED: &str = "x-hmt-deleted";

/// The result of adding traffic to a spec.
#[derive(Debug)]
pub struct Rebuilt {
    /// The new spec.
    pub root: Value,
    /// The new spec with everything that stays deleted; every folded exchange conforms to this one.
    /// `None` if it equals the new spec.
    pub whole: Option<Value>,
    /// Edited locations that traffic contradicts.
    pub widened: Vec<Widened>,
    /// JSON pointers of deleted locations that this traffic is the first to show again.
    pub deleted: Vec<String>,
}

/// Adds the inferred spec to a spec; see the module. Neither may have broken references.
///
/// `contradictions` are those of every exchange behind `inferred` against `initial`.
///
/// # Errors
/// Those of [`super::specs`].
pub fn rebuild(
    initial: &Document,
    inferred: &Document,
    contradictions: &Contradictions,
) -> Result<Rebuilt, MergeError> {
    let base = initial.root.get(BASE).and_then(Base::read);
    let listed = pointers(initial.root.get(DELETED));
    let ([ours, theirs], dialect) = documents_of_one_version([initial, inferred]);
    let before = named(&ours);
    let edited: BTreeSet<&str> = before
        .iter()
        .filter(|name| base.as_ref().is_none_or(|base| !base.is_as_written(name)))
        .map(|name| name.key.as_str())
        .collect();
    let mut whole = ours.clone();
    let noted = take_notes(&mut whole);
    let is_edited = |pointer: &str| {
        // The nearest enclosing name.
        let above = before.iter().filter(|name| is_below(pointer, &name.pointer));
        above.max_by_key(|name| name.pointer.len()).is_none_or(|n| edited.contains(&*n.key))
    };
    let is_edited_below = |component: &str| {
        let key = format!("/components/schemas/{}", crate::spec::escape(component));
        before.iter().any(|name| is_below(&name.key, &key) && edited.contains(&*name.key))
    };
    let mut widened = contradictions.widen(&mut whole, dialect);
    widened.retain(|place| is_edited(&place.at));
    let (mut whole, mut aliases) = inferred::add(whole, theirs, dialect, &is_edited_below);
    contradictions.declare(&mut whole);
    let mut root = whole.clone();
    for (name, former) in base.iter().flat_map(|base| base.former_names(&before)) {
        aliases.entry(name).or_default().extend(former);
    }
    let known: BTreeSet<&str> = before.iter().map(|name| name.key.as_str()).collect();
    let gone = deleted::delete(&mut root, &known, base.as_ref(), &listed, &aliases);
    inferred::prune(&mut root, &ours);
    let mut tombstones = listed;
    tombstones.extend(gone.iter().map(|place| (place.key.clone(), place.pointer.clone())));
    let after = named(&root);
    tombstones.retain(|key, _| !after.iter().any(|name| name.key == *key));
    let deleted =
        gone.iter().filter(|place| place.is_new).map(|place| place.pointer.clone()).collect();
    let next = Base::of(&after, |key| edited.contains(key), base.as_ref(), &tombstones);
    let mut conflicts = noted;
    for place in &widened {
        let was = serde_json::from_str(&place.was).unwrap_or(Value::Null);
        let entry = json!({"at": place.at, "was": {&*place.keyword: was}});
        if !conflicts.contains(&entry) {
            conflicts.push(entry);
        }
    }
    if let Value::Object(map) = &mut root {
        if !conflicts.is_empty() {
            map.insert(CONFLICTS.to_owned(), conflicts.into());
        }
        if !tombstones.is_empty() {
            map.insert(DELETED.to_owned(), tombstones.into_values().collect());
        }
        map.insert(BASE.to_owned(), next.text().into());
    }
    let root = verify(root, dialect)?;
    let whole = if gone.is_empty() { None } else { Some(verify(whole, dialect)?) };
    Ok(Rebuilt { root, whole, widened, deleted })
}

/// Stores the base in a newly built spec, so that [`rebuild`] can recognise edits.
pub fn remember(root: &mut Value) {
    let base = Base::of(&named(root), |_| false, None, &BTreeMap::new());
    if let Value::Object(map) = root {
        map.insert(BASE.to_owned(), base.text().into());
    }
}

/// Removes HMT's own lists from a document, so that they are not merged; returns the conflicts.
fn take_notes(root: &mut Value) -> Vec<Value> {
    let Value::Object(map) = root else { return Vec::new() };
    map.shift_remove(BASE);
    map.shift_remove(DELETED);
    match map.shift_remove(CONFLICTS) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

/// The listed pointers, by their keys.
fn pointers(list: Option<&Value>) -> BTreeMap<String, String> {
    let list = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    list.map(|pointer| (named::key_of(pointer), pointer.to_owned())).collect()
}

impl Context {
    /// The context for adding to a checked document.
    fn adding(dialect: crate::schema::Dialect, theirs: &Value, kept: Kept) -> Context {
        let schemas = [Value::Null, theirs["components"]["schemas"].clone()];
        Context {
            policy: ConflictPolicy::Widen,
            dialect,
            conflicts: Vec::new(),
            schemas,
            kept: Some(kept),
        }
    }
}

#[cfg(test)]
mod tests;
