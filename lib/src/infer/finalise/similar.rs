//! Which kinds of object are one.
//!
//! Kinds are taken in the order of their evidence, and each is united with the kind that shares the most rare keys with it, if
//! the evidence of *both, with all that was united into them*, is better explained by one kind ([`super::likeness`]). So a
//! chain of likenesses cannot lead from one thing to another: what was united speaks as one. Uniting two kinds unites what stands
//! below their common keys, so that must agree too, all the way down: every list of an API may have `data`, `next` and
//! `total`, and is not for that a list of the same things.

use std::collections::BTreeSet;

use super::graph::{Graph, Kind, ObjectId, Side, Slot, SlotId};
use super::intern::Name;
use super::likeness::{BIT, Bits, difference, log2};
use super::maps::{NULL, kinds};

/// What must speak for two kinds being one, all told. This and the other thresholds were fitted on generated traffic of eight
/// public APIs; of several hundred pairs united there, the wrong ones came from mixtures and from maps, not from these numbers.
const PROOF: Bits = 6 * BIT;

/// What may speak against, as a share of what speaks for it: half between places of one name, a fifth between others.
const DOUBTS: [i64; 2] = [5, 2];

/// What may speak against in one key: beyond it, no other key helps. Every key is one chance to err, so the
/// logarithm of their number is added.
const VETO: Bits = 10 * BIT;

/// What more may speak against two things below kinds that are one for other reasons.
const TOLERANCE: Bits = 20 * BIT;

/// What any shared key is worth, however common: in a small API, errors are a large part of all objects.
const KEY: Bits = BIT;

/// What a shared name of the places is worth, however common.
const NOUN: Bits = 3 * BIT;

/// The candidates looked at for one kind.
const CANDIDATES: usize = 8;

/// The rarest keys by which candidates are found.
const HANDLES: usize = 8;

/// Keys that tell what an object is.
const TAGS: [&str; 10] = [
    "type",
    "kind",
    "object",
    "event",
    "eventType",
    "event_type",
    "@type",
    "__typename",
    "resourceType",
    "resource_type",
];

/// Unites kinds that are one.
pub(super) fn unite_similar(graph: &mut Graph<'_>) {
    let features = Features::of(graph);
    let mut kinds: Vec<(ObjectId, u64, usize)> = graph
        .kinds()
        .filter(|(_, kind)| !kind.properties.is_empty())
        .map(|(id, kind)| (id, kind.n, kind.properties.len()))
        .collect();
    // Those with the most evidence come first. Ids follow the sorted paths.
    kinds.sort_by_key(|(id, n, keys)| {
        (std::cmp::Reverse(n.min(&32).saturating_mul(*keys as u64)), *id)
    });
    // What was united knows more, so a second round finds what the first could not tell.
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

/// The kinds that have a key, by side and key.
struct Index {
    kinds: [Vec<Vec<ObjectId>>; 3],
    /// By kind: the search that found it last.
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
    fn search(&mut self, graph: &Graph<'_>, side: Side, keys: &[Name]) -> Vec<ObjectId> {
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

/// The kind that is the same by the strongest evidence.
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

/// True where the keys are so seldom there that the objects are of several kinds. Which kinds these are, every place says for
/// itself.
fn is_mixture(kind: &Kind) -> bool {
    let keys = kind.properties.len() as u64;
    let present = kind.properties.values().fold(0_u64, |all, (n, _)| all.saturating_add(*n));
    kind.n >= 3
        && keys >= 6
        && present.saturating_mul(10) < kind.n.saturating_mul(keys).saturating_mul(4)
}

/// How rare keys and nouns are.
struct Features {
    kinds: u64,
    /// By side and name.
    keys: [Vec<u64>; 3],
    nouns: [Vec<u64>; 3],
    /// Of [`TAGS`], those that there are.
    tags: Vec<Name>,
}

impl Features {
    fn of(graph: &Graph<'_>) -> Self {
        let none = || [(); 3].map(|()| vec![0; graph.names.len()]);
        let tags = TAGS.iter().filter_map(|tag| graph.names.find(tag)).collect();
        let mut features = Features { kinds: 0, keys: none(), nouns: none(), tags };
        for (_, kind) in graph.kinds() {
            features.kinds += 1;
            let side = kind.side as usize;
            kind.properties.keys().for_each(|key| features.keys[side][key.index()] += 1);
            kind.nouns.keys().for_each(|noun| features.nouns[side][noun.index()] += 1);
        }
        features
    }

    /// How much it says that two kinds share something that `n` kinds have.
    fn rarity(&self, n: u64) -> Bits {
        log2(self.kinds) - log2(n)
    }

    fn key(&self, side: Side, key: Name) -> Bits {
        self.rarity(self.keys[side as usize][key.index()]).max(KEY)
    }

    /// The rarest keys of a kind.
    fn handles(&self, graph: &Graph<'_>, kind: &Kind) -> Vec<Name> {
        let rarity = |key| (std::cmp::Reverse(self.key(kind.side, key)), graph.names.text(key));
        let mut keys: Vec<Name> = kind.properties.keys().collect();
        keys.sort_by_cached_key(|key| rarity(*key));
        keys.truncate(HANDLES);
        keys
    }

    /// What shared keys, and what the places are called, are worth.
    fn shared(&self, a: &Kind, b: &Kind) -> Bits {
        let keys: Bits = a.properties.common(&b.properties).map(|key| self.key(a.side, key)).sum();
        keys + self.noun(a, b)
    }

    fn noun(&self, a: &Kind, b: &Kind) -> Bits {
        let common = a.nouns.common(&b.nouns);
        let worth = |noun: Name| self.rarity(self.nouns[a.side as usize][noun.index()]).max(NOUN);
        common.map(worth).max().unwrap_or(0)
    }
}

/// What speaks for and against.
struct Evidence {
    shared: Bits,
    against: Bits,
}

/// The supposition that two kinds are one, with all that follows.
struct Trial<'t, 'l> {
    graph: &'t Graph<'l>,
    features: &'t Features,
    /// Pairs that are one if the supposition holds.
    assumed: BTreeSet<(ObjectId, ObjectId)>,
}

impl Trial<'_, '_> {
    /// The evidence that two kinds are one, where it is enough.
    fn proof(&self, a: &Kind, b: &Kind) -> Option<Bits> {
        if a.additional.is_some() != b.additional.is_some() || is_mixture(a) || is_mixture(b) {
            return None;
        }
        let Evidence { shared, against } = self.evidence(a, b)?;
        // A single object is likelier one of a mixture than of anything else, which is no reason to mix it in.
        let doubts = DOUBTS[usize::from(self.features.noun(a, b) > 0)];
        (shared - against >= PROOF && against * doubts <= shared).then_some(shared - against)
    }

    /// What speaks for and against two kinds being one; `None` where one key rules it out.
    fn evidence(&self, a: &Kind, b: &Kind) -> Option<Evidence> {
        let veto = VETO + log2((a.properties.len() + b.properties.len()) as u64);
        let mut evidence = Evidence { shared: self.features.noun(a, b), against: 0 };
        for (key, mine, theirs) in a.properties.beside(&b.properties) {
            let counts = |kind: &Kind, property: Option<&(u64, SlotId)>| match property {
                Some((present, slot)) => self.graph.counts(kind.n, *present, *slot),
                None => [kind.n, 0, 0, 0, 0, 0, 0],
            };
            let mut against = difference(&counts(a, mine), &counts(b, theirs));
            if let (Some((_, mine)), Some((_, theirs))) = (mine, theirs) {
                evidence.shared += self.features.key(a.side, key);
                against += self.tag(key, *mine, *theirs) + self.below_differ(*mine, *theirs);
            }
            if against > veto {
                return None;
            }
            evidence.against += against;
        }
        Some(evidence)
    }

    /// What it says that a tag has one value here and another there.
    fn tag(&self, key: Name, a: SlotId, b: SlotId) -> Bits {
        if !self.features.tags.contains(&key) {
            return 0;
        }
        let single = |slot| {
            let text = self.graph.slot(slot).scalars.text.as_ref()?;
            let counts = text.values.exact()?;
            (counts.len() == 1).then(|| counts.iter().next())?
        };
        match (single(a), single(b)) {
            (Some((value, n)), Some((other, m))) if value != other => difference(&[n, 0], &[0, m]),
            _ => 0,
        }
    }

    /// How much it speaks against two places being one that objects there say they are different things, or in other shares.
    fn below_differ(&self, a: SlotId, b: SlotId) -> Bits {
        let (a, b) = (self.graph.slot(a), self.graph.slot(b));
        let items = match (a.array.flatten(), b.array.flatten()) {
            (Some(mine), Some(theirs)) => self.below_differ(mine, theirs),
            _ => 0,
        };
        items + self.kinds_differ(a, b)
    }

    fn kinds_differ(&self, a: &Slot, b: &Slot) -> Bits {
        // The commonest case: both hold one kind, of one name.
        if a.kinds.len() <= 1 && b.kinds.len() <= 1 && a.kinds.keys().eq(b.kinds.keys()) {
            return 0;
        }
        let count = |n: Option<&u64>| n.copied().unwrap_or_default();
        let (mine, theirs): (Vec<u64>, Vec<u64>) = a
            .tagged
            .beside(&b.tagged)
            .map(|(_, mine, theirs)| (count(mine), count(theirs)))
            .unzip();
        difference(&mine, &theirs)
    }

    /// True where what stands below common keys can be one as well.
    fn below(&mut self, a: &Kind, b: &Kind) -> bool {
        let properties = a.properties.beside(&b.properties).filter_map(|(_, mine, theirs)| {
            let ((_, mine), (_, theirs)) = (mine?, theirs?);
            Some((*mine, *theirs))
        });
        let pairs: Vec<(SlotId, SlotId)> =
            properties.chain(a.additional.zip(b.additional)).collect();
        pairs.into_iter().all(|(mine, theirs)| self.slots_agree(mine, theirs))
    }

    fn slots_agree(&mut self, a: SlotId, b: SlotId) -> bool {
        let (a, b) = (self.graph.slot(a), self.graph.slot(b));
        self.kinds_agree(a, b)
            && match (a.array.flatten(), b.array.flatten()) {
                (Some(mine), Some(theirs)) => self.slots_agree(mine, theirs),
                _ => true,
            }
    }

    /// True where the objects of two places can stand in one: what says of itself that it is the same must be so. Of what says that
    /// it is something else, a few may be of a union.
    fn kinds_agree(&mut self, a: &Slot, b: &Slot) -> bool {
        if self.kinds_differ(a, b) > VETO {
            return false;
        }
        let mut common = false;
        for (_, mine, theirs) in a.kinds.beside(&b.kinds) {
            if let (Some(mine), Some(theirs)) = (mine, theirs) {
                common = true;
                if !self.agree(*mine, *theirs) {
                    return false;
                }
            }
        }
        let untagged = |slot: &Slot| slot.kinds.get(Name::EMPTY).is_some();
        if common || a.kinds.is_empty() || b.kinds.is_empty() || !(untagged(a) || untagged(b)) {
            return true;
        }
        let (mine, theirs) = (self.graph.kinds_at(a), self.graph.kinds_at(b));
        let before = self.assumed.clone();
        let pairs = mine.iter().flat_map(|x| theirs.iter().map(|y| (*x, *y)));
        pairs.into_iter().any(|(x, y)| {
            // What followed from a wrong supposition is none.
            self.assumed.clone_from(&before);
            self.agree(x, y)
        })
    }

    /// True where two kinds can be one that would be so for other reasons.
    fn agree(&mut self, a: ObjectId, b: ObjectId) -> bool {
        let (a, b) = (self.graph.same(a), self.graph.same(b));
        if a == b || !self.assumed.insert((a.min(b), a.max(b))) {
            return true;
        }
        let (x, y) = (self.graph.kind(a), self.graph.kind(b));
        match (Self::may_be_map(x), Self::may_be_map(y)) {
            (true, true) => {
                let (mine, theirs) = (self.value_types(x), self.value_types(y));
                (mine == 0 || theirs == 0 || mine & theirs != 0) && self.below(x, y)
            }
            _ if x.additional.is_some() != y.additional.is_some() => false,
            _ => {
                self.evidence(x, y).is_some_and(|found| found.against <= found.shared + TOLERANCE)
                    && self.below(x, y)
            }
        }
    }

    /// The types of all values but null, as bits.
    fn value_types(&self, kind: &Kind) -> u32 {
        let slots = kind.properties.values().map(|(_, slot)| *slot).chain(kind.additional);
        slots.fold(0, |all, slot| {
            let slot = self.graph.slot(slot);
            all | kinds(&slot.scalars, slot.array.is_some(), !slot.kinds.is_empty()) & !NULL
        })
    }

    /// True for maps, and for objects without keys.
    fn may_be_map(kind: &Kind) -> bool {
        kind.additional.is_some() || kind.properties.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::Limits;
    use crate::infer::finalise::maps::MapNames;
    use crate::infer::finalise::testing::folded;
    use crate::infer::state::Json;

    /// For each body, the number of its root's kind.
    fn kinds(places: &[(&str, Vec<String>)]) -> Vec<usize> {
        let limits = Limits::default();
        // In an API of other things, so that keys can be rare.
        let others = ["ants", "bees", "cats", "dogs", "eels", "foxes", "gnus", "hens"];
        let others =
            others.map(|o| (o, vec![format!(r#"{{"id": 1, "{o}_a": 1, "{o}_b": 2}}"#); 9]));
        let places: Vec<_> = places.iter().chain(&others).collect();
        let all: Vec<Json> = places.iter().map(|(_, bodies)| folded(bodies)).collect();
        let maps = MapNames::learn(all.iter());
        let mut graph = Graph::new(&limits, &maps);
        let slots: Vec<SlotId> = places
            .iter()
            .zip(&all)
            .map(|((noun, _), json)| graph.add(json, noun, Side::Response))
            .collect();
        unite_similar(&mut graph);
        let ids: Vec<ObjectId> = slots
            .iter()
            .map(|slot| *graph.kinds_at(graph.slot(*slot)).first().expect("an object"))
            .collect();
        let first = |id| ids.iter().position(|other| *other == id).unwrap_or_default();
        let ids = &ids[..ids.len() - others.len()];
        ids.iter().map(|id| first(*id)).collect()
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
