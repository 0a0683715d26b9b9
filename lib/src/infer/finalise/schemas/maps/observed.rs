//! Weighs the evidence of the keys of some objects.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{are_codes, is_odd};
use crate::infer::finalise::schemas::json_kinds::{NULL, SCALARS, kinds};
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::sketch::add;
use crate::infer::state::{Class, Object};

/// The conclusion from the keys of some objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyVerdict {
    Map,
    KeysByName,
    Unsure,
}

/// With fewer objects, a key that is always present is weak evidence.
pub(super) const ENOUGH: u64 = 8;

/// The keys of some objects.
#[derive(Default)]
pub(super) struct ObservedKeys<'a> {
    /// Objects.
    pub(super) n: u64,
    pub(super) keys: BTreeMap<&'a str, ObservedKey<'a>>,
    /// There were more keys than are kept.
    pub(super) more: bool,
    /// Some keys look like identifiers or dates.
    pub(super) values: bool,
}

#[derive(Default)]
pub(super) struct ObservedKey<'a> {
    pub(super) present: u64,
    pub(super) kinds: u32,
    /// The keys of the objects below.
    pub(super) below: BTreeSet<&'a str>,
}

impl<'a> ObservedKeys<'a> {
    pub(super) fn add(&mut self, object: &'a Object) {
        add(&mut self.n, object.n);
        self.more |= object.keys.rest().is_some();
        self.values |=
            object.values.keys().any(|class| !matches!(class, Class::Prefixed | Class::Opaque));
        for (name, property) in object.keys.iter() {
            let key = self.keys.entry(name).or_default();
            add(&mut key.present, property.present);
            let json = &property.json;
            key.kinds |= kinds(json, json.array.is_some(), json.object.is_some());
            let items = json.array.as_ref().and_then(|array| array.items.as_ref());
            let items = items.map_or_else(Vec::new, |items| items.objects());
            for (_, below) in json.objects().into_iter().chain(items) {
                key.below.extend(below.keys.iter().map(|(name, _)| name));
            }
        }
    }

    /// Weighs the evidence for a map: mainly the share of keys that are not words of any API, and
    /// of those that no programmer would choose as a name.
    pub(super) fn verdict(&self, vocabulary: &Vocabulary) -> KeyVerdict {
        let distinct = self.keys.len() as u64;
        // Regardless of the values: nobody names properties by such codes only.
        if are_codes(self.keys.keys().copied()) {
            return KeyVerdict::Map;
        }
        let codes = self.are_look_alikes();
        let is_odd = |name: &str| codes || is_odd(name);
        let (mut occurrences, mut once, mut steady, mut odd, mut foreign) = (0u64, 0, 0, 0, 0);
        // Scalars under single unknown words: names of users, for instance.
        let (mut named, mut strange) = (0, 0);
        let mut all_kinds = 0;
        for (name, key) in &self.keys {
            if key.present * 100 >= self.n * 95 && self.n >= ENOUGH && !is_odd(name) {
                steady += 1;
                continue;
            }
            add(&mut occurrences, key.present);
            once += u64::from(key.present == 1);
            odd += u64::from(is_odd(name));
            let known = !codes && vocabulary.knows(name);
            foreign += u64::from(!known);
            let is_scalar = key.kinds & !(NULL | SCALARS) == 0;
            strange += u64::from(!known && is_scalar && name.chars().all(char::is_lowercase));
            if known && key.present >= 3 && !is_odd(name) {
                named += key.present;
            }
            all_kinds |= key.kinds & !NULL;
        }
        let loose = distinct - steady;
        // Names that recur among the data: there are objects of both kinds.
        if named * 4 > occurrences {
            return if self.n >= ENOUGH { KeyVerdict::KeysByName } else { KeyVerdict::Unsure };
        }
        let mut score = 0;
        if self.more {
            score += 2;
        }
        if self.values && loose > 0 {
            score += 2;
        }
        if loose >= 8 && once * 10 > occurrences {
            score += 2;
        }
        if loose >= 2 && odd * 2 > loose {
            score += 2;
        }
        if loose >= 8 && loose * self.n >= occurrences * 4 {
            score += 1;
        }
        if loose >= 2 && foreign * 2 > loose {
            score += 1;
            // Dozens of unknown words, each in few objects, are data, regardless of the values.
            let dozens = loose >= 24 && loose * self.n >= occurrences * 8;
            if dozens || loose >= 8 && strange * 10 >= loose * 9 && steady == 0 {
                score += 2;
            }
        }
        if all_kinds.count_ones() > 1 {
            score -= 2;
        } else if loose >= 2 && self.values_are_alike() {
            score += 1;
        }
        if steady >= 2 {
            score -= 3;
        }
        match score {
            4.. => KeyVerdict::Map,
            ..=2 if self.n >= ENOUGH => KeyVerdict::KeysByName,
            _ => KeyVerdict::Unsure,
        }
    }

    /// True for at least eight keys of two to four capitals, all of one length, that do not all
    /// occur each time: `JFK`, `LHR`.
    fn are_look_alikes(&self) -> bool {
        let Some(length) = self.keys.keys().next().map(|key| key.len()) else { return false };
        let is_like = |key: &&str| {
            key.len() == length && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        let steady = self.keys.values().filter(|key| key.present == self.n).count();
        self.keys.len() >= 8
            && (2..=4).contains(&length)
            && self.keys.keys().all(is_like)
            && (steady * 2 <= self.keys.len() || self.n == 1)
    }

    /// True unless the values are objects with few common keys, as under names.
    fn values_are_alike(&self) -> bool {
        let mut holders: BTreeMap<&str, usize> = BTreeMap::new();
        let values = self.keys.values().filter(|key| !key.below.is_empty()).count();
        for below in self.keys.values().flat_map(|key| &key.below) {
            *holders.entry(below).or_default() += 1;
        }
        let all: usize = holders.values().sum();
        let common: usize = holders.values().filter(|n| **n >= 2 && **n * 5 >= values * 2).sum();
        common * 2 >= all
    }
}
