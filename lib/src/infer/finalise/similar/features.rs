//! How rare the keys and names of an API are: what is in every object tells nothing of one.

use super::super::graph::{Graph, Kind, Side};
use super::super::intern::Name;
use super::super::likeness::{BIT, Bits, log2};

/// What any shared key is worth, however common: in a small API, errors are a large part of all objects.
const KEY: Bits = BIT;

/// What a shared name of the places is worth, however common.
const NOUN: Bits = 3 * BIT;

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

/// How rare keys and nouns are.
pub(super) struct Features {
    kinds: u64,
    /// By side and name.
    keys: [Vec<u64>; 3],
    nouns: [Vec<u64>; 3],
    /// Of [`TAGS`], those that there are.
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

    /// How much it says that two kinds share something that `n` kinds have.
    fn rarity(&self, n: u64) -> Bits {
        log2(self.kinds) - log2(n)
    }

    pub(super) fn key(&self, side: Side, key: Name) -> Bits {
        self.rarity(self.keys[side as usize][key.index()]).max(KEY)
    }

    /// The rarest keys of a kind.
    pub(super) fn handles(&self, graph: &Graph<'_>, kind: &Kind) -> Vec<Name> {
        let rarity = |key| (std::cmp::Reverse(self.key(kind.side, key)), graph.names.text(key));
        let mut keys: Vec<Name> = kind.properties.keys().collect();
        keys.sort_by_cached_key(|key| rarity(*key));
        keys.truncate(HANDLES);
        keys
    }

    /// What shared keys, and what the places are called, are worth.
    pub(super) fn shared(&self, a: &Kind, b: &Kind) -> Bits {
        let keys: Bits = a.properties.common(&b.properties).map(|key| self.key(a.side, key)).sum();
        keys + self.noun(a, b)
    }

    pub(super) fn noun(&self, a: &Kind, b: &Kind) -> Bits {
        let common = a.nouns.common(&b.nouns);
        let worth = |noun: Name| self.rarity(self.nouns[a.side as usize][noun.index()]).max(NOUN);
        common.map(worth).max().unwrap_or(0)
    }
}
