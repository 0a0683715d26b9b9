//! Rules for words that behave the same: twins, mirrors, choices, another style.

use super::candidate::Candidate;
use super::evidence::Parent;
use super::profile::Profile;
use crate::infer::finalise::paths::before::Before;
use crate::infer::finalise::paths::signature::Signature;
use crate::infer::state::{Class, class_of, in_lexicon};

/// Percentage of a word's behaviour that others must share to count as the same.
pub(super) const SAME: usize = 80;

/// The same as [`SAME`] if only similarity suggests values, because some places below were seen
/// under one word only.
const TWIN: usize = 70;

/// How many keys of responses all words with the same places below must have in common.
const COMMON: usize = 3;

/// True if a word has responses like the others, and has any.
pub(super) fn answers_alike(candidate: &Candidate, everything: &Profile) -> bool {
    let Signature { features, below, .. } = &candidate.signature;
    let answers = features.iter().filter(|feature| feature.contains('>')).chain(below);
    answers.filter(|feature| everything.has(feature, 2)).count() >= COMMON
        && everything.likeness(candidate, 2) >= SAME
}

/// True if the places below all words agree: their responses have the same keys or, if the words
/// themselves have no responses, the places are the same.
pub(super) fn are_twins(words: &[&Candidate]) -> bool {
    let mut profile = Profile::default();
    for candidate in words {
        profile.add(&candidate.signature, 1);
    }
    let leads_alike = |candidate: &&Candidate| {
        let Signature { features, methods, below, ends, inner } = &candidate.signature;
        let answers = below.iter().filter(|feature| profile.has(feature, 2)).count();
        *inner
            && profile.share(features, 2) >= TWIN
            && profile.share(ends, 2) >= TWIN
            && (answers >= COMMON || words.len() >= 3 && methods.is_empty() && features.len() >= 2)
    };
    words.len() >= 2 && words.iter().all(|c| !c.fixed && leads_alike(c))
}

/// True if there are two parameters or more below every word, nothing else, and the same methods.
pub(super) fn are_mirrors(all: &[Candidate]) -> bool {
    let only_values = |feature: &String| feature.split(' ').nth(1) == Some("{}");
    let mirrors = |candidate: &Candidate| {
        let Signature { features, ends, methods, .. } = &candidate.signature;
        let first = &all[0].signature;
        let below = || features.iter().filter(|feature| !feature.starts_with("get "));
        !candidate.fixed
            && !candidate.plural
            && !candidate.call
            && below().all(only_values)
            && below().any(|feature| feature.starts_with("2 "))
            && ends == &first.ends
            && methods == &first.methods
    };
    all.len() >= 2 && all.iter().all(mirrors)
}

/// For each word, whether bodies have it as a value for the place. This applies only if at least
/// two words, and half of all words, are such values.
pub(super) fn listed(all: &[Candidate], parent: &Parent<'_>) -> Vec<bool> {
    let is_listed = |candidate: &Candidate| {
        !in_lexicon(&candidate.name)
            && !candidate.call
            && class_of(&candidate.name) == Class::Word
            && parent.lists(&candidate.name)
    };
    let listed: Vec<bool> = all.iter().map(is_listed).collect();
    let count = listed.iter().filter(|listed| **listed).count();
    if count >= 2 && count * 2 >= all.len() { listed } else { vec![false; all.len()] }
}

/// Fewer words below a plural may each be a name.
const CHOICES: usize = 4;

/// True for the few values of a parameter: below a plural, with nothing below them, all alike.
pub(super) fn are_choices(all: &[Candidate], parent: &Parent<'_>, everything: &Profile) -> bool {
    let alike = |candidate: &Candidate| {
        let Signature { features, inner, methods, .. } = &candidate.signature;
        let rich = features.is_empty()
            || features.iter().filter(|feature| everything.has(feature, 2)).count() >= COMMON;
        !inner
            && !candidate.call
            && !candidate.plural
            && rich
            && methods == &all[0].signature.methods
            && everything.likeness(candidate, 2) >= SAME
    };
    let rich = all.iter().filter(|c| !c.signature.features.is_empty()).count();
    let views = parent.answers_list && all.iter().any(|candidate| candidate.signature.reads());
    matches!(parent.before, Before::Plural(_))
        && all.len() >= CHOICES
        && rich >= CHOICES - 1
        && !views
        && all.iter().all(alike)
}

/// True for capitalised words that behave the same, if all preceding names are in lower case.
pub(super) fn are_of_another_style(
    all: &[Candidate],
    parent: &Parent<'_>,
    everything: &Profile,
) -> bool {
    let alike = |candidate: &Candidate| {
        let Signature { features, inner, methods, .. } = &candidate.signature;
        let named = candidate.name.starts_with(char::is_uppercase)
            && candidate.name.contains(char::is_lowercase);
        named
            && !inner
            && !candidate.call
            && !features.is_empty()
            && methods == &all[0].signature.methods
            && everything.likeness(candidate, 2) >= SAME
    };
    parent.lower && all.len() >= 2 && all.iter().all(alike)
}
