//! The behaviour of a place in the path trie: the values of one parameter behave alike, and names
//! do not.
//!
//! A feature is a method, its inputs (query names, keys of bodies), its responses (keys of objects,
//! inside an envelope), or one of these at a place below. There, identifiers and words that no
//! author would choose are treated as the same; otherwise the values of two parameters would
//! separate places that behave alike.

use std::collections::BTreeSet;

use super::before::decoded;
use crate::infer::finalise::words::locales::is_locale;
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::state::{Class, Json, ObservedOperation, TrieNode};

/// How many segments below a place are examined.
const DEPTH: usize = 6;

/// The features of a place.
#[derive(Debug, Default)]
pub(crate) struct Signature {
    /// Methods at the place itself. Nearly all places have the same ones, so they say little.
    pub(crate) methods: BTreeSet<String>,
    /// All other inputs and responses at the place, and the names below with their methods.
    pub(crate) features: BTreeSet<String>,
    /// The responses below.
    pub(crate) below: BTreeSet<String>,
    /// The methods at each depth.
    pub(crate) ends: BTreeSet<String>,
    /// There is something below.
    pub(crate) inner: bool,
}

impl Signature {
    pub(crate) fn of(node: &TrieNode, vocabulary: &Vocabulary) -> Signature {
        let mut signature = Signature { inner: !node.kids.is_empty(), ..Signature::default() };
        for (method, operation) in &node.operations {
            let method = method.as_str().to_owned();
            add_operation(operation, &method, &mut signature.features);
            signature.ends.insert(format!("0 {method}"));
            signature.methods.insert(method);
        }
        signature.add_kids(node, 1, vocabulary);
        signature
    }

    /// Something can be read here.
    pub(crate) fn reads(&self) -> bool {
        self.methods.contains("get")
    }

    /// Each segment below counts by itself, with its depth, because few combinations were observed.
    fn add_kids(&mut self, node: &TrieNode, depth: usize, vocabulary: &Vocabulary) {
        if depth > DEPTH {
            return;
        }
        for (class, kids) in &node.kids {
            let kept = kids.iter().map(|(raw, kid)| {
                let name = decoded(raw);
                let is_name = *class == Class::Keyed
                    || !class.is_id() && vocabulary.knows(&name) && !is_locale(&name);
                (if is_name { name } else { "{}".to_owned() }, kid)
            });
            for (name, kid) in kept.chain(kids.rest().map(|kid| ("{}".to_owned(), kid))) {
                let place = format!("{depth} {name}");
                for (method, operation) in &kid.operations {
                    let end = format!("{depth} {method}");
                    add_answers(operation, &end, &mut self.below);
                    self.ends.insert(end);
                    self.features.insert(format!("{place} {method}"));
                }
                self.features.insert(place);
                self.add_kids(kid, depth + 1, vocabulary);
            }
        }
    }
}

fn add_operation(operation: &ObservedOperation, place: &str, features: &mut BTreeSet<String>) {
    let asked = [&operation.ok, &operation.failed, &operation.unanswered];
    for (name, _) in asked.iter().flat_map(|asked| asked.query.iter()) {
        features.insert(format!("{place} ?{name}"));
    }
    for (_, body) in operation.ok.bodies.iter().chain(operation.unanswered.bodies.iter()) {
        if let Some(form) = &body.form {
            add_keys(&form.json, &format!("{place} <"), features);
        }
        let xml = body.xml.as_ref().map(|xml| &xml.json);
        for json in [body.items.as_deref(), xml].into_iter().flatten() {
            add_keys(json, &format!("{place} <"), features);
        }
        for (name, _) in body.parts.iter().flat_map(|parts| parts.fields.iter()) {
            features.insert(format!("{place} <{name}"));
        }
        if let Some(json) = &body.json {
            add_keys(json, &format!("{place} <"), features);
        }
    }
    add_answers(operation, place, features);
}

/// Adds the keys of a response, except those of its envelope.
fn add_answer(json: &Json, place: &str, features: &mut BTreeSet<String>) {
    let mut all = BTreeSet::new();
    add_keys(json, place, &mut all);
    features.extend(
        all.into_iter().filter(|feature| {
            feature.strip_prefix(place).is_none_or(|key| !ENVELOPE.contains(&key))
        }),
    );
}

fn add_answers(operation: &ObservedOperation, place: &str, features: &mut BTreeSet<String>) {
    for (status, answered) in &operation.responses {
        if (200..300).contains(status) {
            for (_, body) in answered.bodies.iter() {
                if let Some(json) = &body.json {
                    add_answer(json, &format!("{place} >"), features);
                }
            }
        }
    }
}

/// Keys of envelopes of any content: most responses of an API have them, so they say little.
const ENVELOPE: [&str; 38] = [
    "_links",
    "code",
    "count",
    "cursor",
    "data",
    "error",
    "errors",
    "has_more",
    "hasMore",
    "items",
    "limit",
    "links",
    "message",
    "meta",
    "metadata",
    "msg",
    "next",
    "next_cursor",
    "nextPageToken",
    "offset",
    "ok",
    "page",
    "page_size",
    "pageSize",
    "pages",
    "pagination",
    "paging",
    "per_page",
    "perPage",
    "prev",
    "previous",
    "result",
    "results",
    "status",
    "success",
    "total",
    "total_count",
    "totalCount",
];

/// The property names of objects, inside an envelope, and those of the objects in an array, which
/// are kept apart.
fn add_keys(json: &Json, place: &str, features: &mut BTreeSet<String>) {
    for (_, object) in json.objects() {
        for (key, property) in object.keys.iter() {
            features.insert(format!("{place}{key}"));
            if matches!(key, "data" | "items" | "result" | "results") {
                add_keys(&property.json, place, features);
            }
        }
    }
    if let Some(items) = json.array.as_ref().and_then(|array| array.items.as_ref()) {
        add_keys(items, &format!("{place}[]"), features);
    }
}
