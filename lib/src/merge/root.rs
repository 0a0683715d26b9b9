//! Merges whole documents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::absorb::absorb;
use super::context::{ConflictPolicy, Context, MergeError};
use super::rebuild::{BASE, Base};
use super::security::push_down;
use super::side::SourceSpec;
use super::upgrade::upgrade;
use super::{components, servers};
use crate::schema::Dialect;
use crate::spec::{Document, METHODS, Version, check_refs};

/// The keys of a document in the order in which they are written.
const KEYS: [&str; 9] = [
    "openapi",
    "info",
    "jsonSchemaDialect",
    "servers",
    "paths",
    "webhooks",
    "components",
    "security",
    "tags",
];

/// Merges documents, which must not have broken references ([`check_refs`]).
///
/// The result has the latest version among them. If versions are mixed, schemas of 3.0 are
/// converted to the form of 3.1.
///
/// # Errors
/// There are no documents, or [`ConflictPolicy::Error`] meets a difference.
pub fn specs(documents: &[Document], policy: ConflictPolicy) -> Result<Value, MergeError> {
    let modern = |document: &Document| document.version >= Version::V3_1;
    let any_modern = documents.iter().any(modern);
    let dialect = if any_modern { Dialect::V3_1 } else { Dialect::V3_0 };
    let mut documents = absorb(documents);
    if policy == ConflictPolicy::Union {
        // Recordings last, when all templates are known that may match their paths.
        documents.sort_by_key(|document| document.root.get("x-hmt-replay").is_some());
    }
    let mut merged: Option<Value> = None;
    for document in documents {
        let mut root = document.root.clone();
        if any_modern && !modern(&document) {
            upgrade(&mut root);
        }
        merged = Some(match merged {
            None => root,
            Some(before) if before == root => before,
            Some(before) => {
                let schemas = [&before, &root].map(|root| root["components"]["schemas"].clone());
                let mut context =
                    Context { policy, dialect, conflicts: Vec::new(), schemas, kept: None };
                let root = context.documents(before, root);
                if !context.conflicts.is_empty() {
                    return Err(MergeError::Conflict {
                        source_name: document.source.clone(),
                        pointers: context.conflicts,
                    });
                }
                root
            }
        });
    }
    let root = merged.ok_or(MergeError::Nothing)?;
    verify(root, dialect)
}

/// The trees of some documents, all in the form of the latest version among them.
pub(super) fn documents_of_one_version<const N: usize>(
    documents: [&Document; N],
) -> ([Value; N], Dialect) {
    let modern = |document: &Document| document.version >= Version::V3_1;
    let any_modern = documents.iter().any(|document| modern(document));
    let roots = documents.map(|document| {
        let mut root = document.root.clone();
        if any_modern && !modern(document) {
            upgrade(&mut root);
        }
        root
    });
    (roots, if any_modern { Dialect::V3_1 } else { Dialect::V3_0 })
}

/// Never returns a document with broken references, for any input.
pub(super) fn verify(root: Value, dialect: Dialect) -> Result<Value, MergeError> {
    let version = if dialect == Dialect::V3_1 { Version::V3_1 } else { Version::V3_0 };
    let document = Document { root, source: String::new(), version, warnings: Vec::new() };
    match check_refs(&document) {
        Ok(()) => Ok(document.root),
        Err(crate::spec::SpecError::References { broken, .. }) => {
            Err(MergeError::References { pointers: broken })
        }
        Err(other) => Err(MergeError::References { pointers: vec![other.to_string()] }),
    }
}

impl Context {
    pub(super) fn documents(&mut self, a: Value, b: Value) -> Value {
        let (Value::Object(mut a), Value::Object(mut b)) = (a, b) else { return Value::Null };
        if self.kept.is_none() {
            push_down(&mut a, &mut b);
        }
        if self.policy.joins() {
            b = components::rename_clashes(&a, b, self.dialect);
        }
        let (ours, theirs) = (servers::own(&a), servers::own(&b));
        let any_servers = ours.is_some() || theirs.is_some();
        let ours = ours.unwrap_or_else(servers::anywhere);
        let theirs = theirs.unwrap_or_else(servers::anywhere);
        let united = servers::unite(&ours, &theirs);
        let (root_a, root_b) = (Value::Object(a), Value::Object(b));
        let (Value::Object(a), Value::Object(b)) = (&root_a, &root_b) else { return Value::Null };
        let side_a = SourceSpec::new(&root_a, ours);
        let side_b = SourceSpec::new(&root_b, theirs);
        let mut root = Map::new();
        let rest = self.maps("", a, b, |this, at, key, x, y| match key {
            "openapi" => {
                if x.as_str() >= y.as_str() {
                    x.clone()
                } else {
                    y.clone()
                }
            }
            "components" => this.components(at, x, y, (&root_a, &root_b)),
            "tags" => this.tags(at, x, y),
            "x-hmt-replay" => this.replay(at, x, y),
            BASE => Base::united(x, y),
            "paths" | "webhooks" | "servers" => Value::Null,
            _ => this.any(at, x, y),
        });
        root.extend(rest);
        root.shift_remove("servers");
        if any_servers {
            root.insert("servers".to_owned(), Value::Array(united.clone()));
        }
        for key in ["paths", "webhooks"] {
            if a.contains_key(key) || b.contains_key(key) {
                let paths = self.paths(key, &side_a, &side_b, &united);
                root.insert(key.to_owned(), Value::Object(paths));
            }
        }
        let mut root = in_order(root);
        if let Some(Value::Object(paths)) = root.get_mut("paths") {
            let first = (self.policy == ConflictPolicy::Widen).then_some(&root_a);
            unique_operation_ids(paths, first);
        }
        Value::Object(root)
    }

    /// Tags with the same name are united.
    fn tags(&mut self, at: &str, a: &Value, b: &Value) -> Value {
        let (Value::Array(a), Value::Array(b)) = (a, b) else { return self.choose(at, a, b) };
        let name = |tag: &Value| tag.get("name").map(Value::to_string).unwrap_or_default();
        let mut all: Vec<Value> = a
            .iter()
            .map(|tag| match b.iter().find(|other| name(other) == name(tag)) {
                Some(other) => self.any(at, tag, other),
                None => tag.clone(),
            })
            .collect();
        all.extend(b.iter().filter(|tag| !a.iter().any(|t| name(t) == name(tag))).cloned());
        if a.is_sorted_by_key(name) && b.is_sorted_by_key(name) {
            all.sort_by_key(name);
        }
        Value::Array(all)
    }
}

fn in_order(map: Map<String, Value>) -> Map<String, Value> {
    let rank = |key: &str| KEYS.iter().position(|known| *known == key).unwrap_or(KEYS.len());
    let mut entries: Vec<(String, Value)> = map.into_iter().collect();
    // The stored base is not content.
    entries.sort_by_key(|(key, _)| (rank(key), key == BASE));
    entries.into_iter().collect()
}

/// Makes each `operationId` unique in a document. If ids are equal, the one in `first`, if any,
/// stays unchanged. The others are numbered in the order of the paths, together with previously
/// numbered ones, so that the order of merging does not matter.
fn unique_operation_ids(paths: &mut Map<String, Value>, first: Option<&Value>) {
    let of_first = |path: &str, method: &str, id: &str| {
        first.is_some_and(|root| root["paths"][path][method]["operationId"] == id)
    };
    let mut kept: BTreeSet<String> = BTreeSet::new();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for_each_id(paths, |path, method, id| {
        *counts.entry(id.clone()).or_insert(0) += 1;
        if of_first(path, method, id) {
            kept.insert(id.clone());
        }
    });
    let shared: BTreeSet<&str> =
        counts.iter().filter(|(_, count)| **count > 1).map(|(id, _)| unnumbered(id)).collect();
    let mut seen = kept.clone();
    for_each_id(paths, |path, method, id| {
        if !shared.contains(unnumbered(id)) || of_first(path, method, id) {
            return;
        }
        let name = unnumbered(id).to_owned();
        let mut unique = name.clone();
        let mut number = 2;
        while !seen.insert(unique.clone()) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        *id = unique;
    });
}

/// The id without the number of an earlier merge.
fn unnumbered(id: &str) -> &str {
    match id.rsplit_once('_') {
        Some((name, number))
            if !name.is_empty()
                && !number.starts_with('0')
                && number != "1"
                && number.parse::<u32>().is_ok() =>
        {
            name
        }
        _ => id,
    }
}

fn for_each_id(paths: &mut Map<String, Value>, mut each: impl FnMut(&str, &str, &mut String)) {
    for (path, item) in paths {
        for method in METHODS {
            let id = item.get_mut(method).and_then(|operation| operation.get_mut("operationId"));
            if let Some(Value::String(id)) = id {
                each(path, method, id);
            }
        }
    }
}
