//! Objects with tags: kinds that share a place are kept apart by their tags.
//!
//! A list of events, or a reference that resolves to a card or to a bank account, holds objects
//! that have little in common but a key such as `type`. Folded together, nothing could be said
//! about the mixture. So the objects of each tag have their own summary, up to a cap on the number
//! of tags at one place; beyond it all objects are folded together, as without tags. "More than
//! `cap` tags" is a function of the multiset, and absorbing. Summaries of objects are themselves a
//! monoid, so the sum of separate summaries equals the one that was never separated. Hence the law
//! holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tag::{KEYS, Tag, rank};
use crate::infer::sketch::{Ends, Key, is_zero};

/// Objects by their tags, or the fact that there are too many tags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Variants<T> {
    #[serde(default = "Apart::default", skip_serializing_if = "Apart::is_empty")]
    pub(super) apart: Apart<T>,
    /// 1 if there were more tags than the cap: then the objects are with those without tags.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) many: u64,
}

/// Sorted by key and value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Apart<T>(pub(super) Vec<Variant<T>>);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Variant<T> {
    pub(super) key: u8,
    pub(super) value: Key,
    pub(super) object: Box<T>,
}

impl<T> Apart<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn find(&self, tag: Tag<'_>, ends: Ends) -> Result<usize, usize> {
        self.0.binary_search_by(|variant| {
            variant.key.cmp(&tag.key).then_with(|| variant.value.cmp(tag.value, ends))
        })
    }
}

impl<T> Default for Variants<T> {
    fn default() -> Self {
        Variants { apart: Apart::default(), many: 0 }
    }
}

impl<T> Default for Apart<T> {
    fn default() -> Self {
        Apart(Vec::new())
    }
}

/// As a map with keys `key=value`: none of [`KEYS`] contains `=`.
impl<T: Serialize> Serialize for Apart<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.0.iter().map(|variant| {
            let name = format!("{}={}", KEYS[usize::from(variant.key)], variant.value.as_str());
            (name, &variant.object)
        });
        serializer.collect_map(named.collect::<BTreeMap<_, _>>())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Apart<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = BTreeMap::<String, Box<T>>::deserialize(deserializer)?;
        let variant = |(name, object): (String, Box<T>)| {
            let (key, value) = name.split_once('=')?;
            Some(Variant { key: rank(key)?, value: Box::<str>::from(value).into(), object })
        };
        let variants: Option<Vec<Variant<T>>> = named.into_iter().map(variant).collect();
        let mut variants =
            variants.ok_or_else(|| serde::de::Error::custom("a variant without a known tag"))?;
        variants
            .sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.value.as_str().cmp(b.value.as_str())));
        Ok(Apart(variants))
    }
}
