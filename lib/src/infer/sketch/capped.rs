//! CappedMap: the only combinator that bounds the state.
//!
//! It keeps the `cap` smallest keys, in an order that is a pure function of the key, each with
//! *all* of its observations, and everything else in one `rest`. A key that is kept at the end was
//! among the smallest at every moment and in every shard, so it was never evicted and its value is
//! exact; all other observations are in `rest`, however they got there. Hence `map(A ++ B) ==
//! merge(map(A), map(B))`. The order must not depend on the prefix of the key, time or frequency:
//! each of these breaks the law.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::key::{Ends, Key};
use super::{Caps, Merge};
use crate::infer::Limits;

/// Seed of the hash that orders keys; part of the configuration of a partial.
const SEED: u64 = 0x484d_5431;

/// Adjusts the order: keys of priority 0 are kept before all others. Must be a pure function of the
/// key.
pub(crate) type Priority = fn(&str) -> u8;

#[derive(Clone, Debug, PartialEq)]
struct Entry<V> {
    priority: u8,
    hash: u64,
    key: Key,
    /// Boxed, so that keeping the entries sorted moves few bytes.
    value: Box<V>,
}

/// At most a given number of keys with their values, and the rest. See the module's documentation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CappedMap<V> {
    /// Sorted by priority, hash and key.
    kept: Vec<Entry<V>>,
    /// All observations of keys that are not kept.
    rest: Option<Box<V>>,
}

impl<V> Default for CappedMap<V> {
    fn default() -> Self {
        CappedMap { kept: Vec::new(), rest: None }
    }
}

pub(crate) fn hash(key: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(SEED, key.as_bytes())
}

impl<V: Merge> CappedMap<V> {
    /// The value for an observation of `key`, if [`Merge::demote`] does nothing.
    pub(crate) fn slot(
        &mut self,
        key: &str,
        cap: usize,
        priority: Priority,
        caps: &Caps<'_>,
    ) -> &mut V {
        match self.index(key, cap, priority, caps) {
            Some(index) => &mut self.kept[index].value,
            None => self.rest.get_or_insert_default(),
        }
    }

    /// Folds an observation of `key` with `fold`. Details that only make sense for a single key are
    /// not kept in the rest.
    pub(crate) fn fold(
        &mut self,
        key: &str,
        cap: usize,
        priority: Priority,
        caps: &Caps<'_>,
        fold: impl FnOnce(&mut V),
    ) {
        match self.index(key, cap, priority, caps) {
            Some(index) => fold(&mut self.kept[index].value),
            None => {
                let rest = self.rest.get_or_insert_default();
                fold(rest);
                rest.demote();
            }
        }
    }

    /// The index of `key` among the kept keys, which is created if it belongs there; `None` if it
    /// belongs to the rest.
    pub(crate) fn index(
        &mut self,
        key: &str,
        cap: usize,
        priority: Priority,
        caps: &Caps<'_>,
    ) -> Option<usize> {
        let hash = hash(key);
        let ends = Ends::of(key);
        // Nearly every key exists already, without priority. Searching twice is cheaper than
        // computing the priority.
        if let Ok(index) = self.find((1, hash), key, ends) {
            return Some(index);
        }
        let rank = (priority(key), hash);
        let index = match self.find(rank, key, ends) {
            Ok(index) => return Some(index),
            Err(index) => index,
        };
        if index >= cap {
            caps.note_fresh();
            return None;
        }
        caps.note_fresh();
        let entry =
            Entry { priority: rank.0, hash, key: Key::new(key, ends), value: Box::default() };
        self.kept.insert(index, entry);
        self.evict(cap, caps);
        Some(index)
    }

    /// A map with one key.
    pub(crate) fn of_one(key: &str, priority: Priority, value: V) -> Self {
        let entry = Entry {
            priority: priority(key),
            hash: hash(key),
            key: Key::new(key, Ends::of(key)),
            value: Box::new(value),
        };
        CappedMap { kept: vec![entry], rest: None }
    }

    fn find(&self, rank: (u8, u64), key: &str, ends: Ends) -> Result<usize, usize> {
        self.kept.binary_search_by(|e| {
            (e.priority, e.hash).cmp(&rank).then_with(|| e.key.cmp(key, ends))
        })
    }

    fn evict(&mut self, cap: usize, limits: &Limits) {
        while self.kept.len() > cap {
            if let Some(mut entry) = self.kept.pop() {
                entry.value.demote();
                self.rest.get_or_insert_default().merge(*entry.value, limits);
            }
        }
    }

    /// Keeps at most `cap` keys, and coarsens all values.
    pub(crate) fn coarsen(&mut self, cap: usize, limits: &Limits) {
        self.evict(cap, limits);
        for entry in &mut self.kept {
            entry.value.coarsen(limits);
        }
        super::coarsen_option(&mut self.rest, limits);
    }

    /// Adds another map with the same cap and order.
    pub(crate) fn merge(&mut self, other: Self, cap: usize, limits: &Limits) {
        let mine = std::mem::take(&mut self.kept);
        self.kept = Vec::with_capacity(mine.len().max(other.kept.len()));
        let (mut left, mut right) =
            (mine.into_iter().peekable(), other.kept.into_iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some(a), Some(b)) => {
                    (a.priority, a.hash, a.key.as_str()).cmp(&(b.priority, b.hash, b.key.as_str()))
                }
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => break,
            };
            let next = match order {
                std::cmp::Ordering::Less => left.next(),
                std::cmp::Ordering::Greater => right.next(),
                std::cmp::Ordering::Equal => left.next().map(|mut entry| {
                    if let Some(same) = right.next() {
                        entry.value.merge(*same.value, limits);
                    }
                    entry
                }),
            };
            self.kept.extend(next);
        }
        super::merge_option(&mut self.rest, other.rest, limits);
        self.evict(cap, limits);
    }
}

impl<V> CappedMap<V> {
    /// True if the key at an index is `key`.
    pub(crate) fn is_at(&self, index: usize, key: &str) -> bool {
        self.kept.get(index).is_some_and(|e| e.key.is(key, Ends::of(key)))
    }

    /// The value at an index from an earlier [`CappedMap::index`], if it still exists.
    pub(crate) fn at(&mut self, index: usize) -> Option<&mut V> {
        self.kept.get_mut(index).map(|e| e.value.as_mut())
    }

    /// The value at an index that [`CappedMap::index`] has just returned.
    pub(crate) fn value_at(&mut self, index: usize) -> &mut V {
        &mut self.kept[index].value
    }

    /// The value for keys that are not kept.
    pub(crate) fn rest_slot(&mut self) -> &mut V
    where
        V: Default,
    {
        self.rest.get_or_insert_default()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.kept.iter().find(|e| e.key.as_str() == key).map(|e| e.value.as_ref())
    }

    pub(crate) fn rest(&self) -> Option<&V> {
        self.rest.as_deref()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.rest.is_none()
    }

    /// Kept keys with their values, in the map's own order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.kept.iter().map(|e| (e.key.as_str(), e.value.as_ref()))
    }

    /// All values, including the rest.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.kept.iter_mut().map(|e| e.value.as_mut()).chain(self.rest.as_deref_mut())
    }

    /// Kept keys with their values, sorted by key.
    pub(crate) fn sorted(&self) -> Vec<(&str, &V)> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }

    /// Kept entries sorted by key, and the rest.
    pub(crate) fn into_parts(self) -> (Vec<(Box<str>, V)>, Option<V>) {
        let mut kept: Vec<_> =
            self.kept.into_iter().map(|e| (e.key.into_text(), *e.value)).collect();
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        (kept, self.rest.map(|v| *v))
    }

    /// Replaces every value; the rest has an empty key.
    pub(crate) fn transform(&mut self, mut with: impl FnMut(&str, V) -> V)
    where
        V: Default,
    {
        for entry in &mut self.kept {
            let value = std::mem::take(entry.value.as_mut());
            *entry.value = with(entry.key.as_str(), value);
        }
        if let Some(rest) = &mut self.rest {
            let value = std::mem::take(rest.as_mut());
            **rest = with("", value);
        }
    }

    /// True if `key` is not kept but may be in the rest.
    pub(crate) fn may_be_in_rest(&self, key: &str) -> bool {
        self.rest.is_some() && self.get(key).is_none()
    }
}

/// The key of the rest in a partial. Real keys have a prefix, so none is equal to it.
const REST: &str = "*";

impl<V: Serialize> Serialize for CappedMap<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(rest) = &self.rest {
            map.serialize_entry(REST, rest)?;
        }
        // The prefix stores the priority, which cannot be computed when the map is read back.
        let marked = self.kept.iter().map(|entry| {
            let mark = if entry.priority == 0 { '=' } else { '>' };
            (format!("{mark}{}", entry.key.as_str()), &entry.value)
        });
        for (key, value) in marked.collect::<std::collections::BTreeMap<_, _>>() {
            map.serialize_entry(&key, value)?;
        }
        map.end()
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for CappedMap<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = CappedMap<V>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of kept keys and the rest")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut access: M) -> Result<Self::Value, M::Error> {
                let mut map = CappedMap::default();
                while let Some(key) = access.next_key::<String>()? {
                    if key == REST {
                        map.rest = Some(access.next_value()?);
                        continue;
                    }
                    let priority = match key.chars().next() {
                        Some('=') => 0,
                        Some('>') => 1,
                        _ => {
                            return Err(serde::de::Error::custom(format!(
                                "key {key:?} has no mark"
                            )));
                        }
                    };
                    let name = &key[1..];
                    map.kept.push(Entry {
                        priority,
                        hash: hash(name),
                        key: Box::<str>::from(name).into(),
                        value: access.next_value()?,
                    });
                }
                map.kept.sort_by(|a, b| {
                    (a.priority, a.hash, a.key.as_str()).cmp(&(b.priority, b.hash, b.key.as_str()))
                });
                Ok(map)
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}
