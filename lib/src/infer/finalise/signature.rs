//! What a place in the path trie does: by this the values of one parameter are alike, and names are not.
//!
//! A feature is a method, what is asked with it (query names, keys of bodies), what is answered (keys of objects, looking through an
//! envelope), or one of these at a place below. There, identifiers and words that no API's author would write are one and the same, or
//! the values of two parameters would keep apart what does the same.

use std::collections::BTreeSet;

use super::locales::is_locale;
use super::template::decoded;
use super::vocabulary::Vocabulary;
use crate::infer::state::{Class, Json, Node, Operation};

/// How many segments below a place are looked at.
const DEPTH: usize = 6;

/// The features of a place.
#[derive(Debug, Default)]
pub(super) struct Signature {
    /// Methods at the place itself: nearly everything has the same, so they tell little.
    pub(super) methods: BTreeSet<String>,
    /// Everything else that is asked and answered at the place, and the names below with their methods.
    pub(super) features: BTreeSet<String>,
    /// What is answered below.
    pub(super) below: BTreeSet<String>,
    /// At which depths there are which methods.
    pub(super) ends: BTreeSet<String>,
    /// There is something below.
    pub(super) inner: bool,
}

impl Signature {
    pub(super) fn of(node: &Node, vocabulary: &Vocabulary) -> Signature {
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

    /// Something is read here.
    pub(super) fn reads(&self) -> bool {
        self.methods.contains("get")
    }

    /// Each segment below counts by itself, with its depth: what leads there was seen in few combinations.
    fn add_kids(&mut self, node: &Node, depth: usize, vocabulary: &Vocabulary) {
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

fn add_operation(operation: &Operation, place: &str, features: &mut BTreeSet<String>) {
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

/// Adds the keys of an answer but for those of its envelope.
fn add_answer(json: &Json, place: &str, features: &mut BTreeSet<String>) {
    let mut all = BTreeSet::new();
    add_keys(json, place, &mut all);
    features.extend(
        all.into_iter().filter(|feature| {
            feature.strip_prefix(place).is_none_or(|key| !ENVELOPE.contains(&key))
        }),
    );
}

fn add_answers(operation: &Operation, place: &str, features: &mut BTreeSet<String>) {
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

/// Keys of envelopes, whatever is in them: most of an API's answers have them, so they tell nothing.
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

/// The property names of objects, looking through an envelope, and of the objects of an array, told apart from them.
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
