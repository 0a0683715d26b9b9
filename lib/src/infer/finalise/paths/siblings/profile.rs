//! The common behaviour of some words, and how much was observed of them.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::Candidate;
use crate::infer::finalise::paths::signature::Signature;
use crate::infer::sketch::add;

/// How much was observed of some words.
pub(super) struct Mass {
    pub(super) words: usize,
    pub(super) n: u64,
    /// Words seen once.
    pub(super) once: u64,
}

impl Mass {
    pub(super) fn of<'c>(candidates: impl Iterator<Item = &'c Candidate>) -> Mass {
        let mut mass = Mass { words: 0, n: 0, once: 0 };
        for candidate in candidates {
            mass.words += 1;
            add(&mut mass.n, candidate.n);
            mass.once += u64::from(candidate.n == 1);
        }
        mass
    }

    /// True if another word is unlikely: almost none was seen only once.
    pub(super) fn is_closed(&self) -> bool {
        self.n >= 4 * self.words as u64 && self.once * 50 < self.n
    }
}

/// The behaviour of some places, each feature with its weight.
#[derive(Default)]
pub(super) struct Profile {
    counts: BTreeMap<String, u64>,
}

impl Profile {
    pub(super) fn add(&mut self, signature: &Signature, weight: u64) {
        let Signature { features, methods, below, ends, .. } = signature;
        for feature in [features, methods, below, ends].into_iter().flatten() {
            add(self.counts.entry(feature.clone()).or_insert(0), weight);
        }
    }

    pub(super) fn has(&self, feature: &str, weight: u64) -> bool {
        self.counts.get(feature).is_some_and(|n| *n >= weight)
    }

    /// Percentage of a word's features that have at least this weight: two, if the word itself was
    /// added. Methods count only if there are no other features.
    pub(super) fn likeness(&self, candidate: &Candidate, weight: u64) -> usize {
        let Signature { features, methods, .. } = &candidate.signature;
        self.share(if features.is_empty() { methods } else { features }, weight)
    }

    pub(super) fn share(&self, features: &BTreeSet<String>, weight: u64) -> usize {
        let shared = features.iter().filter(|feature| self.has(feature, weight)).count();
        (shared * 100).checked_div(features.len()).unwrap_or(0)
    }
}
