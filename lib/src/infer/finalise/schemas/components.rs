//! Names for the object kinds that occur in several places: the document's components.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, ObjectId, ObjectKind};
use super::similar::is_reference;
use super::unions::discriminator;
use crate::infer::finalise::words::camel::singular_camel;

/// The component name of each kind that has one.
#[derive(Debug, Default)]
pub(crate) struct Components {
    names: BTreeMap<ObjectId, String>,
    /// The keys that distinguish kinds.
    tags: BTreeMap<ObjectId, BTreeSet<String>>,
}

impl Components {
    /// Names every kind that occurs in more than one place (including every kind that contains
    /// itself), and every kind in a union with a discriminator, because discriminators refer to
    /// names.
    ///
    /// The value of the objects' tag comes first, if they all have the same one, then the names of
    /// the places.
    pub(crate) fn of(graph: &Graph<'_>) -> Self {
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
        let mut kinds: Vec<(ObjectId, &ObjectKind)> = graph
            .kinds()
            .filter(|(id, kind)| {
                (kind.places >= 2 && is_worth_a_name(kind)) || tags.contains_key(id)
            })
            .collect();
        // Kinds with the most places choose first; the keys make the order independent of where a
        // kind was found.
        kinds.sort_by_cached_key(|(_, kind)| {
            let keys: Vec<&str> =
                graph.properties(kind).into_iter().map(|(name, ..)| name).collect();
            (std::cmp::Reverse(kind.places), keys, kind.n)
        });
        let holders = holders(graph);
        let mut names = BTreeMap::new();
        let mut taken = BTreeSet::new();
        // A page is named after its items, so it comes after them.
        let (pages, things): (Vec<_>, Vec<_>) =
            kinds.into_iter().partition(|(_, kind)| page(graph, kind).is_some());
        for (id, kind) in things.into_iter().chain(pages) {
            let tagged = tags.contains_key(&id);
            let own = match page(graph, kind) {
                Some(page) => Some(page.name(graph, kind, &names)),
                None => reference_name(graph, kind).or_else(|| own_name(graph, kind, tagged)),
            };
            let name = free_name(graph, kind, own, holders.get(&id), &taken);
            taken.insert(name.clone());
            names.insert(id, name);
        }
        Components { names, tags }
    }

    /// The keys that distinguish a kind from others.
    pub(crate) fn tags(&self, id: ObjectId) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        self.tags.get(&id).unwrap_or(&NONE)
    }

    pub(crate) fn name(&self, id: ObjectId) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectId, &str)> {
        self.names.iter().map(|(id, name)| (*id, name.as_str()))
    }
}

/// An object without keys needs no name.
fn is_worth_a_name(kind: &ObjectKind) -> bool {
    !kind.properties.is_empty() || kind.additional.is_some()
}

/// A kind that wraps a list.
struct Page {
    item: ObjectId,
    end: &'static str,
}

/// Keys of an envelope that give the position in a list.
const PAGING: [&str; 32] = [
    "after",
    "before",
    "count",
    "cursor",
    "end_cursor",
    "first",
    "has_more",
    "hasMore",
    "has_next",
    "last",
    "limit",
    "links",
    "_links",
    "meta",
    "next",
    "next_cursor",
    "nextCursor",
    "nextPageToken",
    "next_page",
    "offset",
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
    "total_pages",
    "totalPages",
];

/// The same, for keys that complete lists have too.
const COUNTS: [&str; 9] =
    ["all", "object", "size", "status", "success", "total", "totalCount", "total_count", "version"];

/// Recognises a kind in which one property is a list of objects, and all others belong to an
/// envelope.
fn page(graph: &Graph<'_>, kind: &ObjectKind) -> Option<Page> {
    let mut item = None;
    let mut paged = false;
    for (name, _, slot) in graph.properties(kind) {
        let items = graph.slot(slot).array.flatten();
        let objects: Vec<ObjectId> = items
            .map(|items| graph.kinds_at(graph.slot(items)).into_iter().collect())
            .unwrap_or_default();
        match objects.as_slice() {
            [only] if item.is_none() && !PAGING.contains(&name) => item = Some(*only),
            [] if PAGING.contains(&name) => paged = true,
            [] if COUNTS.contains(&name) => {}
            _ => return None,
        }
    }
    Some(Page { item: item?, end: if paged { "Page" } else { "List" } })
}

impl Page {
    fn name(
        &self,
        graph: &Graph<'_>,
        page: &ObjectKind,
        names: &BTreeMap<ObjectId, String>,
    ) -> String {
        let item = graph.kind(self.item);
        let first = |kind| voted(graph, kind).into_iter().next().unwrap_or_default();
        let item = match names.get(&self.item) {
            // A list of references is named after their targets.
            _ if reference_name(graph, item).is_some() => first(page),
            Some(name) => name.clone(),
            None => first(item),
        };
        format!("{item}{}", self.end)
    }
}

/// For each kind, the names of the kinds that contain it.
fn holders(graph: &Graph<'_>) -> BTreeMap<ObjectId, BTreeSet<String>> {
    let mut all: BTreeMap<ObjectId, BTreeSet<String>> = BTreeMap::new();
    for (_, holder) in graph.kinds() {
        let Some(name) = voted(graph, holder).into_iter().next() else { continue };
        for (_, _, slot) in graph.properties(holder) {
            let slot = graph.slot(slot);
            let items = slot.array.flatten().map(|items| graph.slot(items));
            for id in std::iter::once(slot).chain(items).flat_map(|slot| graph.kinds_at(slot)) {
                all.entry(id).or_default().insert(name.clone());
            }
        }
    }
    all
}

/// The name of references that occur in places with different names.
fn reference_name(graph: &Graph<'_>, kind: &ObjectKind) -> Option<String> {
    (kind.nouns.len() >= 2 && is_reference(graph, kind)).then(|| "NamedResource".to_owned())
}

/// The names of a kind's places: most votes first, then the shortest, then by bytes.
fn voted(graph: &Graph<'_>, kind: &ObjectKind) -> Vec<String> {
    let mut votes: Vec<(String, u64)> =
        kind.votes.iter().map(|(noun, n)| (type_name(graph.names.text(noun)), *n)).collect();
    votes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.len().cmp(&b.0.len())).then(a.0.cmp(&b.0)));
    votes.into_iter().map(|(name, _)| name).collect()
}

/// Keys in which objects state their kind.
const TAGS: [&str; 6] = ["object", "kind", "__typename", "resourceType", "resource_type", "type"];

fn own_name(graph: &Graph<'_>, kind: &ObjectKind, tagged: bool) -> Option<String> {
    TAGS.iter().find_map(|tag| {
        let (present, slot) = graph.property(kind, tag)?;
        let counts = graph.slot(slot).scalars.text.as_ref()?.values.exact()?;
        let (value, n) = counts.iter().next().filter(|_| counts.len() == 1)?;
        let is_word =
            value.len() > 2 && value.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        (is_word && (n >= 2 || tagged) && n == present && present == kind.n)
            .then(|| type_name(value))
    })
}

fn free_name(
    graph: &Graph<'_>,
    kind: &ObjectKind,
    own: Option<String>,
    holders: Option<&BTreeSet<String>>,
    taken: &BTreeSet<String>,
) -> String {
    let names: Vec<String> = own.into_iter().chain(voted(graph, kind)).collect();
    let base = names.first().map_or("Object", String::as_str);
    // `OrderAddress`, if there is another `Address`.
    let held = holders.into_iter().flatten().map(|holder| {
        if base.starts_with(holder.as_str()) { base.to_owned() } else { format!("{holder}{base}") }
    });
    let found = names.iter().cloned().chain(held).find(|name| !taken.contains(name));
    found.unwrap_or_else(|| {
        (2u32..)
            .map(|n| format!("{base}{n}"))
            .find(|name| !taken.contains(name))
            .unwrap_or_default()
    })
}

/// `line_items` becomes `LineItem`.
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
