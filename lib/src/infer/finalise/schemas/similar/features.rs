//! How rare the keys and names of an API are. A key that every object has says nothing about a
//! single kind.

use crate::infer::finalise::schemas::graph::{BodySide, Graph, ObjectKind};
use crate::infer::finalise::schemas::intern::Name;
use crate::infer::finalise::schemas::likeness::{BIT, Bits, log2};

/// The minimum evidence of a shared key. In a small API, errors are a large part of all objects.
const KEY: Bits = BIT;

/// The minimum evidence of a shared name of the places.
const NOUN: Bits = 3 * BIT;

/// Number of the rarest keys that are used to find candidates.
const HANDLES: usize = 8;

/// Keys that state the kind of an object.
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

/// The rarity of keys and nouns.
pub(super) struct Features {
    kinds: u64,
    /// By side and name.
    keys: [Vec<u64>; 3],
    nouns: [Vec<u64>; 3],
    /// The keys in [`TAGS`] that occur.
    pub(super) tags: Vec<Name>,
}

impl Features {
    pub(super) fn of(graph: &Graph<'_>) -> Self {
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

    /// The evidence of sharing something that `n` kinds have.
    fn rarity(&self, n: u64) -> Bits {
        log2(self.kinds) - log2(n)
    }

    pub(super) fn key(&self, side: BodySide, key: Name) -> Bits {
        self.rarity(self.keys[side as usize][key.index()]).max(KEY)
    }

    /// The rarest keys of a kind.
    pub(super) fn handles(&self, graph: &Graph<'_>, kind: &ObjectKind) -> Vec<Name> {
        let rarity = |key| (std::cmp::Reverse(self.key(kind.side, key)), graph.names.text(key));
        let mut keys: Vec<Name> = kind.properties.keys().collect();
        keys.sort_by_cached_key(|key| rarity(*key));
        keys.truncate(HANDLES);
        keys
    }

    /// The evidence of shared keys and of shared place names.
    pub(super) fn shared(&self, a: &ObjectKind, b: &ObjectKind) -> Bits {
        let keys: Bits = a.properties.common(&b.properties).map(|key| self.key(a.side, key)).sum();
        keys + self.noun(a, b)
    }

    pub(super) fn noun(&self, a: &ObjectKind, b: &ObjectKind) -> Bits {
        let common = a.nouns.common(&b.nouns);
        let worth = |noun: Name| self.rarity(self.nouns[a.side as usize][noun.index()]).max(NOUN);
        common.map(worth).max().unwrap_or(0)
    }
}
