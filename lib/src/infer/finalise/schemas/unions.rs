//! Decides which kinds at one place are a union, and which are one kind whose objects merely have
//! different tags.
//!
//! The state keeps objects with different tags (`type`, `object`, …) apart. Here, two summaries are
//! kept if they describe more, in the presence and types of keys, than they cost. The gain of each
//! key is the likelihood ratio of [`super::likeness`]. The cost is that of another parameter
//! (Schwarz 1978: half the logarithm of the number of observations), plus a bit, because the ratio
//! of few observations is seldom zero. A wrong decision only affects brevity or precision: all
//! observations are valid in either case.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, ObjectId, ObjectKind, Slot, SlotId};
use super::likeness::{BIT, Bits, KindCounts, difference, log2};

/// The minimum gain for kinds to be different.
const PROOF: Bits = 6 * BIT;

/// The minimum loss for kinds of a union to be united. Between these limits, they stay as they are.
const SAME: Bits = -4 * BIT;

/// Maximum depth of a difference.
const DEPTH: usize = 2;

/// Maximum number of kinds in a union.
const MOST: usize = 32;

/// Maximum number of rounds; each round reduces the number of kinds.
const ROUNDS: usize = 8;

/// Unites kinds at the same place that do not differ.
pub(crate) fn settle_unions(graph: &mut Graph<'_>) {
    for _ in 0..ROUNDS {
        let mut known = BTreeMap::new();
        let mut pairs = Vec::new();
        for slot in graph.slots() {
            let kinds: Vec<ObjectId> = graph.kinds_at(slot).into_iter().collect();
            if kinds.len() > 1 {
                pairs.extend(ones(graph, &kinds, &tag_keys(graph, slot), &mut known));
            }
        }
        if pairs.is_empty() {
            return;
        }
        graph.unite(&pairs);
    }
}

/// Unites the kinds at each place where some objects lack the surest tag: an optional key
/// distinguishes no kinds.
pub(crate) fn unite_optional(graph: &mut Graph<'_>) {
    let mut pairs = Vec::new();
    for slot in graph.slots().filter(|slot| slot.kinds.len() > 1) {
        let first = |tags| graph.names.text(tags).split('=').next();
        let mut keys = slot.kinds.keys().map(first);
        let key = keys.next().flatten();
        if key == Some("") || keys.any(|other| other != key) {
            let kinds: Vec<ObjectId> = slot.kinds.values().copied().collect();
            pairs.extend(kinds.windows(2).map(|two| (two[0], two[1])));
        }
    }
    graph.unite(&pairs);
}

/// The keys of the tags at a place.
pub(crate) fn tag_keys(graph: &Graph<'_>, slot: &Slot) -> BTreeSet<String> {
    let tags = slot.kinds.keys().flat_map(|tags| graph.names.text(tags).split(' '));
    tags.filter_map(|tag| tag.split_once('=')).map(|(key, _)| key.to_owned()).collect()
}

/// The pairs of kinds at one place that are the same.
fn ones(
    graph: &Graph<'_>,
    kinds: &[ObjectId],
    tags: &BTreeSet<String>,
    known: &mut BTreeMap<(ObjectId, ObjectId), Bits>,
) -> Vec<(ObjectId, ObjectId)> {
    let all = || kinds.windows(2).map(|two| (two[0], two[1]));
    if kinds.len() > MOST {
        return all().collect();
    }
    let mut gains = Vec::new();
    for (index, a) in kinds.iter().enumerate() {
        for b in &kinds[index + 1..] {
            let gain = *known
                .entry((*a, *b))
                .or_insert_with(|| gain(graph, graph.kind(*a), graph.kind(*b), tags, DEPTH));
            gains.push(((*a, *b), gain));
        }
    }
    if gains.iter().all(|(_, gain)| *gain < PROOF) {
        return all().collect();
    }
    gains.into_iter().filter(|(_, gain)| *gain <= SAME).map(|(pair, _)| pair).collect()
}

/// The gain of two summaries instead of one.
fn gain(
    graph: &Graph<'_>,
    a: &ObjectKind,
    b: &ObjectKind,
    tags: &BTreeSet<String>,
    depth: usize,
) -> Bits {
    if a.additional.is_some() != b.additional.is_some() {
        return PROOF;
    }
    let cost = BIT + log2(1 + a.n.min(b.n).min(32)) / 2;
    let mut gained = 0;
    for (name, mine, theirs) in a.properties.beside(&b.properties) {
        if tags.contains(graph.names.text(name)) {
            continue;
        }
        let counts = |kind: &ObjectKind, property: Option<&(u64, SlotId)>| match property {
            Some((present, slot)) => graph.counts(kind.n, *present, *slot),
            None => [kind.n, 0, 0, 0, 0, 0, 0],
        };
        let (x, y): (KindCounts, KindCounts) = (counts(a, mine), counts(b, theirs));
        gained += difference(&x, &y) - cost;
        if let (Some((_, mine)), Some((_, theirs))) = (mine, theirs)
            && depth > 0
        {
            gained += gain_below(graph, graph.slot(*mine), graph.slot(*theirs), tags, depth - 1);
        }
    }
    gained
}

/// The gain in places below, if it is sufficient.
fn gain_below(
    graph: &Graph<'_>,
    a: &Slot,
    b: &Slot,
    tags: &BTreeSet<String>,
    depth: usize,
) -> Bits {
    if let (Some(mine), Some(theirs)) = (a.array.flatten(), b.array.flatten()) {
        return gain_below(graph, graph.slot(mine), graph.slot(theirs), tags, depth);
    }
    let (mine, theirs) = (graph.kinds_at(a), graph.kinds_at(b));
    match (mine.first(), theirs.first()) {
        (Some(x), Some(y)) if mine.len() == 1 && theirs.len() == 1 && x != y => {
            let found = gain(graph, graph.kind(*x), graph.kind(*y), tags, depth);
            if found >= PROOF { found } else { 0 }
        }
        _ => 0,
    }
}

/// The discriminator of the kinds at a place: a key that is a text in all objects of each kind,
/// with a few values that no other kind has.
pub(crate) fn discriminator(
    graph: &Graph<'_>,
    slot: &Slot,
    kinds: &BTreeSet<ObjectId>,
) -> Option<TagMapping> {
    tag_keys(graph, slot).into_iter().find_map(|key| {
        let mut mapping = BTreeMap::new();
        for id in kinds {
            for value in values(graph, graph.kind(*id), &key)? {
                if mapping.insert(value, *id).is_some() {
                    return None;
                }
            }
        }
        Some(TagMapping { key, mapping })
    })
}

/// A key, and the kind for each of its values.
pub(crate) struct TagMapping {
    pub(crate) key: String,
    pub(crate) mapping: BTreeMap<String, ObjectId>,
}

/// All values of a key, if every object has it and it is always a text.
pub(crate) fn values(graph: &Graph<'_>, kind: &ObjectKind, key: &str) -> Option<Vec<String>> {
    let (present, slot) = graph.property(kind, key)?;
    let text = graph.slot(slot).scalars.text.as_ref()?;
    // Some readers take the first value of a duplicate key and others the last. The key was counted
    // once, its values twice.
    let always = present == kind.n && text.n == kind.n && kind.n > 0;
    let only = graph.counts(kind.n, present, slot) == [0, 0, 0, 0, kind.n, 0, 0];
    let opaque = graph.slot(slot).scalars.opaque > 0;
    (always && only && !opaque)
        .then(|| text.values.exact())?
        .map(|counts| counts.keys().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::Limits;
    use crate::infer::finalise::schemas::graph::BodySide;
    use crate::infer::finalise::schemas::maps::MapNames;
    use crate::infer::finalise::schemas::testing::folded;

    /// The number of kinds at the root of the bodies, and the key that distinguishes them.
    fn settled(bodies: &[String]) -> (usize, Option<String>) {
        let (limits, json) = (Limits::default(), folded(bodies));
        let maps = MapNames::learn(std::iter::once(&json));
        let mut graph = Graph::new(&limits, &maps);
        let root = graph.add(&json, "thing", BodySide::Response);
        unite_optional(&mut graph);
        settle_unions(&mut graph);
        let slot = graph.slot(root);
        let kinds = graph.kinds_at(slot);
        let found = discriminator(&graph, slot, &kinds).filter(|_| kinds.len() > 1);
        (kinds.len(), found.map(|found| found.key))
    }

    fn things(one: &str, other: &str, n: usize) -> Vec<String> {
        let body = |fields: &str| format!(r#"{{"id": 1, {fields}}}"#);
        (0..n).flat_map(|_| [body(one), body(other)]).collect()
    }

    #[test]
    fn different_things_are_a_union() {
        let card = r#""object": "card", "brand": "visa", "last4": "4242", "exp_year": 2030"#;
        let bank = r#""object": "bank_account", "routing": "x", "country": "FI", "status": "ok""#;
        assert_eq!(settled(&things(card, bank, 6)), (2, Some("object".to_owned())));
    }

    #[test]
    fn like_things_are_one_whatever_they_say() {
        let user = r#""type": "User", "login": "a", "site_admin": false"#;
        let team = r#""type": "Organization", "login": "b", "site_admin": false"#;
        assert_eq!(settled(&things(user, team, 6)).0, 1);
        // Two objects that differ in a single key are not enough evidence.
        let more = r#""type": "Organization", "login": "b", "members": 3"#;
        assert_eq!(settled(&things(user, more, 1)).0, 1);
    }

    #[test]
    fn what_differs_below_differs() {
        let made = r#""type": "made", "at": 1, "data": {"name": "x", "price": 1, "stock": 3}"#;
        let sold = r#""type": "sold", "at": 1, "data": {"buyer": "x", "paid": true, "to": "y"}"#;
        assert_eq!(settled(&things(made, sold, 9)).0, 2);
    }

    #[test]
    fn two_keys_may_be_needed_to_tell() {
        let a = r#""object": "event", "type": "a", "x": 1, "y": 2, "z": 3"#;
        let b = r#""object": "event", "type": "b", "u": "", "v": "", "w": """#;
        assert_eq!(settled(&things(a, b, 6)), (2, Some("type".to_owned())));
        let none = r#""u": "", "v": "", "w": """#;
        // An optional tag is an ordinary key.
        assert_eq!(settled(&things(a, none, 6)), (1, None));
    }
}
