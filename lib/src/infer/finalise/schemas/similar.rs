//! Decides which object kinds are the same.
//!
//! Kinds are processed in the order of their evidence. Each one is compared with the kind that
//! shares the most rare keys with it, and both are united if one kind explains their evidence
//! better than two ([`super::likeness`]). United kinds are then compared as one kind, so that a
//! chain of similar kinds cannot connect different things. Uniting two kinds unites the values
//! under their common keys, so these must agree too, on all levels: every list of an API may have
//! `data`, `next` and `total`, but the items may differ.

mod features;
mod trial;

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{BodySide, Graph, ObjectId, ObjectKind};
use super::intern::Name;
use super::json_kinds::{NULL, NUMBER, TEXT, kinds};
use super::likeness::{Bits, PROOF};
use features::Features;
use trial::Trial;

/// Maximum number of candidates for one kind.
const CANDIDATES: usize = 8;

/// Unites kinds that are the same.
pub(crate) fn unite_similar(graph: &mut Graph<'_>) {
    let features = Features::of(graph);
    let mut kinds: Vec<(ObjectId, u64, usize)> = graph
        .kinds()
        .filter(|(_, kind)| !kind.properties.is_empty())
        .map(|(id, kind)| (id, kind.n, kind.properties.len()))
        .collect();
    // Kinds with the most evidence come first. Ids follow the sorted paths.
    kinds.sort_by_key(|(id, n, keys)| {
        (std::cmp::Reverse(n.min(&32).saturating_mul(*keys as u64)), *id)
    });
    // United kinds have more evidence, so a second round finds more.
    for _ in 0..2 {
        let mut index = Index::of(graph);
        for (id, ..) in &kinds {
            let id = graph.same(*id);
            let found = candidates(graph, id, &mut index, &features);
            if let Some(partner) = best(graph, &features, id, found) {
                graph.unite(&[(id, partner)]);
            }
            index.add(graph, graph.same(id));
        }
    }
}

/// What two kinds must have in common to be the same, however often each of their keys was seen.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Outline {
    side: BodySide,
    /// The names of the places; empty for references, which are the same wherever they are.
    nouns: Vec<Name>,
    /// Each key with the types of its values, as bits.
    keys: Vec<(Name, u32)>,
    is_map: bool,
}

impl Outline {
    /// `None` for a kind with nested objects or arrays that may be of other kinds elsewhere. Maps
    /// are allowed, because their values are described together. One key is not enough: any two
    /// things may have an `id`.
    fn of(graph: &Graph<'_>, kind: &ObjectKind) -> Option<Outline> {
        if kind.properties.len() < 2 {
            return None;
        }
        let mut keys = Vec::new();
        for (name, (_, slot)) in kind.properties.iter() {
            let slot = graph.slot(*slot);
            let below = graph.kinds_at(slot);
            let is_map = |id: &ObjectId| {
                let kind = graph.kind(*id);
                kind.additional.is_some() || kind.properties.is_empty()
            };
            if slot.array.is_some() || !below.iter().all(is_map) {
                return None;
            }
            keys.push((name, kinds(&slot.scalars, false, !below.is_empty()) & !NULL));
        }
        let nouns =
            if is_reference(graph, kind) { Vec::new() } else { kind.nouns.keys().collect() };
        Some(Outline { side: kind.side, nouns, keys, is_map: kind.additional.is_some() })
    }
}

/// Unites kinds under properties with the same name that have the same keys with the same types,
/// and only differ in the frequency of keys. References are united whatever the names of their
/// places are.
pub(crate) fn unite_namesakes(graph: &mut Graph<'_>) {
    let mut namesakes: BTreeMap<Outline, Vec<ObjectId>> = BTreeMap::new();
    for (id, kind) in graph.kinds() {
        if let Some(outline) = Outline::of(graph, kind) {
            namesakes.entry(outline).or_default().push(id);
        }
    }
    for same in namesakes.values() {
        let pairs: Vec<(ObjectId, ObjectId)> =
            same.windows(2).map(|two| (two[0], two[1])).collect();
        graph.unite(&pairs);
    }
}

/// Keys with the address of a reference's target.
const ADDRESSES: [&str; 3] = ["href", "uri", "url"];

/// Keys with the name of a reference's target.
const LABELS: [&str; 2] = ["name", "title"];

/// Further keys of references.
const IDENTIFIERS: [&str; 4] = ["id", "index", "key", "slug"];

/// True for an object that only names another thing and its address, such as `{"name": …, "url":
/// …}`.
pub(crate) fn is_reference(graph: &Graph<'_>, kind: &ObjectKind) -> bool {
    let (mut addresses, mut labels) = (0, 0);
    for (name, (_, slot)) in kind.properties.iter() {
        let name = graph.names.text(name);
        let slot = graph.slot(*slot);
        let found = kinds(&slot.scalars, slot.array.is_some(), !slot.kinds.is_empty()) & !NULL;
        let is_text = found == TEXT;
        if ADDRESSES.contains(&name) && is_text {
            addresses += 1;
        } else if LABELS.contains(&name) && is_text {
            labels += 1;
        } else if !(IDENTIFIERS.contains(&name) && (is_text || found == NUMBER)) {
            return false;
        }
    }
    addresses == 1 && labels == 1 && kind.properties.len() <= 3 && kind.additional.is_none()
}

/// The kinds that have a key, by side and key.
struct Index {
    kinds: [Vec<Vec<ObjectId>>; 3],
    /// By kind: the last search that found it.
    found: Vec<u32>,
    searches: u32,
}

impl Index {
    fn of(graph: &Graph<'_>) -> Self {
        let empty = vec![Vec::new(); graph.names.len()];
        let kinds = [empty.clone(), empty.clone(), empty];
        Index { kinds, found: vec![0; graph.size()], searches: 0 }
    }

    fn add(&mut self, graph: &Graph<'_>, id: ObjectId) {
        let kind = graph.kind(id);
        for key in kind.properties.keys() {
            let kinds = &mut self.kinds[kind.side as usize][key.index()];
            if kinds.last() != Some(&id) {
                kinds.push(id);
            }
        }
    }

    /// The kinds of a side that have one of some keys, each once.
    fn search(&mut self, graph: &Graph<'_>, side: BodySide, keys: &[Name]) -> Vec<ObjectId> {
        self.searches += 1;
        let mut all = Vec::new();
        for key in keys {
            for id in &self.kinds[side as usize][key.index()] {
                let id = graph.same(*id);
                let found = &mut self.found[id.index()];
                if *found != self.searches {
                    *found = self.searches;
                    all.push(id);
                }
            }
        }
        all
    }
}

/// The kind with the strongest evidence of being the same.
fn best(
    graph: &Graph<'_>,
    features: &Features,
    id: ObjectId,
    candidates: Vec<ObjectId>,
) -> Option<ObjectId> {
    let kind = graph.kind(id);
    let mut trial = Trial { graph, features, assumed: BTreeSet::new() };
    let mut ranked: Vec<(Bits, ObjectId)> = candidates
        .into_iter()
        .filter_map(|other| Some((trial.proof(kind, graph.kind(other))?, other)))
        .collect();
    ranked.sort_by_key(|(bits, other)| (std::cmp::Reverse(*bits), *other));
    ranked.into_iter().map(|(_, other)| other).find(|other| {
        trial.assumed = BTreeSet::from([(id.min(*other), id.max(*other))]);
        trial.below(kind, graph.kind(*other))
    })
}

/// The kinds that share the most with one, best first.
fn candidates(
    graph: &Graph<'_>,
    id: ObjectId,
    index: &mut Index,
    features: &Features,
) -> Vec<ObjectId> {
    let kind = graph.kind(id);
    let handles = features.handles(graph, kind);
    let mut ranked: Vec<(Bits, ObjectId)> = index
        .search(graph, kind.side, &handles)
        .into_iter()
        .filter(|other| *other != id)
        .map(|other| (features.shared(kind, graph.kind(other)), other))
        .filter(|(shared, _)| *shared >= PROOF)
        .collect();
    ranked.sort_unstable_by_key(|(shared, other)| (std::cmp::Reverse(*shared), *other));
    ranked.truncate(CANDIDATES);
    ranked.into_iter().map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::Limits;
    use crate::infer::finalise::schemas::graph::SlotId;
    use crate::infer::finalise::schemas::maps::MapNames;
    use crate::infer::finalise::schemas::testing::folded;
    use crate::infer::state::Json;

    /// Adds the bodies of each place to a graph. Returns the kinds at their roots after `unite`.
    fn roots<B: AsRef<str>>(
        places: &[(&str, &[B])],
        unite: impl FnOnce(&mut Graph<'_>),
    ) -> Vec<Vec<ObjectId>> {
        let limits = Limits::default();
        let all: Vec<Json> = places.iter().map(|(_, bodies)| folded(bodies)).collect();
        let maps = MapNames::learn(all.iter());
        let mut graph = Graph::new(&limits, &maps);
        let slots: Vec<SlotId> = places
            .iter()
            .zip(&all)
            .map(|((noun, _), json)| graph.add(json, noun, BodySide::Response))
            .collect();
        unite(&mut graph);
        slots
            .iter()
            .map(|slot| graph.kinds_at(graph.slot(*slot)).iter().copied().collect())
            .collect()
    }

    /// For each body, the number of its root's kind.
    fn kinds(places: &[(&str, Vec<String>)]) -> Vec<usize> {
        // The API has other objects too, so that keys can be rare.
        let others = ["ants", "bees", "cats", "dogs", "eels", "foxes", "gnus", "hens"];
        let others =
            others.map(|o| (o, vec![format!(r#"{{"id": 1, "{o}_a": 1, "{o}_b": 2}}"#); 9]));
        let all = places.iter().chain(&others);
        let all: Vec<(&str, &[String])> = all.map(|(noun, bodies)| (*noun, &**bodies)).collect();
        let roots = roots(&all, unite_similar);
        let ids: Vec<ObjectId> =
            roots.iter().map(|kinds| *kinds.first().expect("an object")).collect();
        let first = |id| ids.iter().position(|other| *other == id).unwrap_or_default();
        ids[..places.len()].iter().map(|id| first(*id)).collect()
    }

    fn user(n: usize, optional: bool) -> Vec<String> {
        (0..n)
            .map(|i| {
                let more = if optional && i % 2 == 0 {
                    r#", "biography": "x", "avatar": null"#
                } else {
                    ""
                };
                format!(
                    r#"{{"id": {i}, "login": "u", "followers": 3, "joined": "2024-01-15"{more}}}"#
                )
            })
            .collect()
    }

    fn invoice(n: usize) -> Vec<String> {
        (0..n)
            .map(|i| format!(r#"{{"id": {i}, "total": 5, "currency": "EUR", "lines": []}}"#))
            .collect()
    }

    /// The number of kinds at the root of the bodies after namesakes are united.
    fn namesakes(places: &[(&str, &[&str])]) -> usize {
        let roots = roots(places, unite_namesakes);
        roots.into_iter().flatten().collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn namesakes_with_maps_are_one_and_things_with_other_things_are_not() {
        let plain = r#"{"code": 1, "message": "x", "details": {}}"#;
        let mapped = r#"{"code": 1, "message": "x", "details": {"en-US": 1, "de-DE": "x"}}"#;
        assert_eq!(namesakes(&[("error", &[plain]), ("error", &[mapped])]), 1);
        let other = r#"{"code": 1, "message": "x", "details": {"reason": "y"}}"#;
        assert_eq!(namesakes(&[("error", &[plain]), ("error", &[other])]), 2);
        assert_eq!(namesakes(&[("error", &[plain]), ("notice", &[mapped])]), 2);
    }

    #[test]
    fn references_are_one_wherever_they_stand() {
        let reference = r#"{"name": "x", "url": "https://a.example/1"}"#;
        let indexed = r#"{"index": "x", "name": "x", "url": "/1"}"#;
        let thing = r#"{"name": "x", "url": "/1", "size": 3}"#;
        assert_eq!(namesakes(&[("move", &[reference]), ("language", &[reference])]), 1);
        assert_eq!(namesakes(&[("move", &[reference]), ("language", &[indexed])]), 2);
        assert_eq!(namesakes(&[("move", &[thing]), ("language", &[thing])]), 2);
    }

    #[test]
    fn one_thing_in_two_places_is_one_kind_and_another_is_not() {
        let places =
            [("users", user(20, true)), ("user", user(1, false)), ("invoices", invoice(20))];
        assert_eq!(kinds(&places), [0, 0, 2]);
    }

    #[test]
    fn lists_of_different_things_are_different_lists() {
        let list = |items: Vec<String>| {
            let items = items.join(",");
            vec![
                format!(r#"{{"data": [{items}], "next": null, "total": 7, "has_more": false}}"#);
                10
            ]
        };
        let places = [
            ("users", list(user(3, true))),
            ("invoices", list(invoice(3))),
            ("members", list(user(3, true))),
        ];
        let kinds = kinds(&places);
        assert_eq!(kinds[0], kinds[2]);
        assert_ne!(kinds[0], kinds[1]);
    }

    #[test]
    fn what_says_that_it_is_something_else_is() {
        let tagged = |tag: &str| {
            vec![format!(r#"{{"object": "{tag}", "id": "x", "amount": 1, "currency": "EUR"}}"#); 12]
        };
        let places = [("charges", tagged("charge")), ("refunds", tagged("refund"))];
        assert_eq!(kinds(&places), [0, 1]);
    }

    #[test]
    fn objects_without_keys_are_no_bridge() {
        let holder = |inner: String| vec![format!(r#"{{"details": {inner}, "id": 1}}"#); 9];
        let places = [
            ("users", holder(user(1, false).remove(0))),
            ("things", holder("{}".to_owned())),
            ("invoices", holder(invoice(1).remove(0))),
        ];
        let kinds = kinds(&places);
        assert_ne!(kinds[0], kinds[2]);
    }
}
