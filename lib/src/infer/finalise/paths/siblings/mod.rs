//! Decides which words below one place of the path trie are values of a parameter, and which are
//! names.

mod alike;
mod candidate;
mod evidence;
mod locales;
mod profile;
#[cfg(test)]
mod tests;

pub(super) use evidence::{Parent, ValuesOfKeys};
pub(super) use locales::are_locales;

use super::signature::Signature;
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::state::TrieNode;
use alike::{
    SAME, answers_alike, are_choices, are_mirrors, are_of_another_style, are_twins, listed,
};
use candidate::{Candidate, fix_calls};
use profile::{Mass, Profile};

/// For each word, whether it is a value of a parameter.
///
/// A place is open, so that it holds values, with one of:
/// 1. several words outside of the API's vocabulary, or one next to identifiers;
/// 2. words, known or not, that all behave the same and rarely recur (the unseen mass of Good and
///    Turing: those seen once, divided by all observations). Names recur, and each behaves
///    differently;
/// 3. words, known or not, of which *every one* has the same places below it, with the same
///    responses: the few values of a parameter such as a format or a kind. Similar responses are
///    not enough without places below (`daily` and `weekly` reports, `start` and `stop`), nor at
///    the start of all paths;
/// 4. words that bodies have as values, under a key with the name of the place, or in the list that
///    the place itself returns;
/// 5. four words or more below a plural, without anything below, whose requests and responses agree
///    in more than an envelope;
/// 6. capitalised words, without anything below, with the same responses, if the API's other names
///    are in lower case.
///
/// In an open place, a word that behaves differently from the values is a name. Names of calls
/// (`getUser`, `users.list`) are always names, and so are plurals that return a list where
/// collections are expected.
pub(crate) fn values_among(
    words: &[(String, TrieNode)],
    identifiers: &[&TrieNode],
    rest: &[TrieNode],
    parent: &Parent<'_>,
    vocabulary: &Vocabulary,
) -> Vec<bool> {
    let before = parent.before;
    let mut all: Vec<Candidate> =
        words.iter().map(|(name, node)| Candidate::of(name, node, before, vocabulary)).collect();
    fix_calls(&mut all);
    let all = all;
    let free = || all.iter().filter(|candidate| !candidate.fixed);
    // The behaviour of the values: identifiers and unknown words are more likely values than known
    // words.
    let mut core = Profile::default();
    let mut everything = Profile::default();
    for node in identifiers.iter().copied().chain(rest) {
        let signature = Signature::of(node, vocabulary);
        core.add(&signature, 2);
        everything.add(&signature, 2);
    }
    for candidate in free() {
        everything.add(&candidate.signature, 1);
        if !candidate.known {
            core.add(&candidate.signature, 1);
        }
    }

    let unknown = Mass::of(free().filter(|candidate| !candidate.known));
    let at_head = before.is_head();
    // If words recur and no other word is expected, they are names unless nearly all have the same
    // responses.
    let strangers: Vec<&Candidate> = free().filter(|candidate| !candidate.known).collect();
    let answer = strangers.iter().filter(|candidate| answers_alike(candidate, &everything)).count();
    let foreign = unknown.words >= before.need()
        && (!unknown.is_closed() || !at_head && answer * 5 >= unknown.words * 4)
        && (!at_head || unknown.words * 10 > words.len() * 7);
    let beside = !identifiers.is_empty() && unknown.words > 0 && (!at_head || unknown.words >= 3);
    let alike = || free().filter(|candidate| everything.likeness(candidate, 2) >= SAME);
    let same = Mass::of(alike());
    // Words with only one method in common are weak evidence, so more of them are needed.
    let rich = alike().filter(|candidate| !candidate.signature.features.is_empty()).count();
    let fleeting =
        same.once * 10 >= same.n && if at_head { rich >= 12 } else { rich >= 4 || same.words >= 8 };
    let pairs = !at_head && identifiers.is_empty();
    let twins = pairs && (are_twins(&all.iter().collect::<Vec<_>>()) || are_mirrors(&all));
    let foreign = foreign || pairs && are_twins(&strangers);
    let listed = listed(&all, parent);
    let chosen =
        identifiers.is_empty() && rest.is_empty() && are_choices(&all, parent, &everything);
    let styled = rest.is_empty() && are_of_another_style(&all, parent, &everything);

    let open = foreign || beside || fleeting || twins || !rest.is_empty();
    if !(open || chosen || styled || !identifiers.is_empty() || listed.contains(&true)) {
        return vec![false; words.len()];
    }
    all.iter()
        .zip(listed)
        .map(|(candidate, listed)| {
            let broken = candidate.broken && !identifiers.is_empty();
            if listed || chosen || styled || broken {
                true
            } else if candidate.fixed || !open {
                false
            } else if twins || (fleeting && everything.likeness(candidate, 2) >= SAME) {
                true
            } else if candidate.known {
                let likeness = core.likeness(candidate, 1);
                if candidate.n < OFTEN {
                    likeness >= DOUBTFUL
                } else {
                    likeness >= ALIKE && !candidate.signature.features.is_empty()
                }
            } else {
                // An unknown word that recurs and behaves differently from all others is a name.
                candidate.n < OFTEN || core.likeness(candidate, 2) >= LIKE
            }
        })
        .collect()
}

/// Percentage of a word's behaviour that the values must share for a vocabulary word to be a value.
const ALIKE: usize = 90;

/// The same with few observations.
const DOUBTFUL: usize = 60;

/// The same for words that are unlikely names.
const LIKE: usize = 20;

/// Below this number, observations say little about behaviour.
const OFTEN: u64 = 5;
