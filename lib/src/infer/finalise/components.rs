//! Names for the kinds of object that stand in several places: the document's components.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, Kind, ObjectId};
use super::names::singular_camel;
use super::unions::discriminator;

/// The component of each kind that has one.
#[derive(Debug, Default)]
pub(super) struct Components {
    names: BTreeMap<ObjectId, String>,
    /// The keys by which kinds are told apart.
    tags: BTreeMap<ObjectId, BTreeSet<String>>,
}

impl Components {
    /// Names every kind that stands in more than one place (a kind that contains itself always does), and every one that is part
    /// of a union whose kinds can be told apart: discriminators want names.
    ///
    /// What the objects say of themselves comes first, if they all say one word; then what the places are called.
    pub(super) fn of(graph: &Graph<'_>) -> Self {
        let mut tags: BTreeMap<ObjectId, BTreeSet<String>> = BTreeMap::new();
        for slot in graph.slots() {
            let kinds = graph.kinds_at(slot);
            if kinds.len() > 1
                && let Some(found) = discriminator(graph, slot, &kinds)
            {
                for id in kinds {
                    tags.entry(id).or_default().insert(found.key.clone());
                }
            }
        }
        let mut kinds: Vec<(ObjectId, &Kind)> = graph
            .kinds()
            .filter(|(id, kind)| {
                (kind.places >= 2 && is_worth_a_name(kind)) || tags.contains_key(id)
            })
            .collect();
        // Those of most places choose first; keys make the order independent of where a kind was found.
        kinds.sort_by_cached_key(|(_, kind)| {
            let keys: Vec<&str> =
                graph.properties(kind).into_iter().map(|(name, ..)| name).collect();
            (std::cmp::Reverse(kind.places), keys, kind.n)
        });
        let mut names = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for (id, kind) in kinds {
            let name = free_name(graph, kind, own_name(graph, kind), &taken);
            taken.insert(name.clone());
            names.insert(id, name);
        }
        Components { names, tags }
    }

    /// The keys by which readers tell a kind from others.
    pub(super) fn tags(&self, id: ObjectId) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.tags.get(&id).unwrap_or(&NONE)
    }

    pub(super) fn name(&self, id: ObjectId) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ObjectId, &str)> {
        self.names.iter().map(|(id, name)| (*id, name.as_str()))
    }
}

/// An object without keys says nothing that a name would help.
fn is_worth_a_name(kind: &Kind) -> bool {
    !kind.properties.is_empty() || kind.additional.is_some()
}

/// Keys under which objects say what they are.
const TAGS: [&str; 6] = ["object", "kind", "__typename", "resourceType", "resource_type", "type"];

fn own_name(graph: &Graph<'_>, kind: &Kind) -> Option<String> {
    TAGS.iter().find_map(|tag| {
        let (present, slot) = graph.property(kind, tag)?;
        let counts = graph.slot(slot).scalars.text.as_ref()?.values.exact()?;
        let (value, n) = counts.iter().next().filter(|_| counts.len() == 1)?;
        let is_word =
            value.len() > 2 && value.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        (is_word && n >= 2 && n == present && present == kind.n).then(|| type_name(value))
    })
}

fn free_name(
    graph: &Graph<'_>,
    kind: &Kind,
    own: Option<String>,
    taken: &BTreeSet<String>,
) -> String {
    let mut votes: Vec<(String, u64)> =
        kind.votes.iter().map(|(noun, n)| (type_name(graph.names.text(noun)), *n)).collect();
    // Most votes, then the shortest, then by bytes.
    votes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.len().cmp(&b.0.len())).then(a.0.cmp(&b.0)));
    let names: Vec<String> =
        own.into_iter().chain(votes.into_iter().map(|(name, _)| name)).collect();
    if let Some(name) = names.iter().find(|name| !taken.contains(*name)) {
        return name.clone();
    }
    let base = names.first().map_or("Object", String::as_str);
    (2u32..).map(|n| format!("{base}{n}")).find(|name| !taken.contains(name)).unwrap_or_default()
}

/// `line_items` is `LineItem`.
fn type_name(noun: &str) -> String {
    let name = singular_camel(noun);
    let mut chars = name.chars();
    match chars.next() {
        Some(first) if first.is_ascii_alphabetic() && name.is_ascii() => {
            first.to_ascii_uppercase().to_string() + chars.as_str()
        }
        _ => "Object".to_owned(),
    }
}
