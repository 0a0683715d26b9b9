//! Decides which words below one place of the path trie are values of a parameter, and which are
//! names.

use std::collections::{BTreeMap, BTreeSet};

mod evidence;

pub(super) use evidence::{Parent, ValuesOfKeys};

use super::calls::is_call;
use super::locales::{is_regional, is_usual_language};
use super::signature::Signature;
use super::template::{Before, decoded, is_answered};
use super::vocabulary::{Vocabulary, is_plural};
use super::wording::answers_list;
use crate::infer::sketch::add;
use crate::infer::state::{Class, Node, class_of, in_lexicon};

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
pub(super) fn values_among(
    words: &[(String, Node)],
    identifiers: &[&Node],
    rest: &[Node],
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

/// Percentage of a word's behaviour that others must share to count as the same.
const SAME: usize = 80;

/// Percentage of a word's behaviour that the values must share for a vocabulary word to be a value.
const ALIKE: usize = 90;

/// The same with few observations.
const DOUBTFUL: usize = 60;

/// The same for words that are unlikely names.
const LIKE: usize = 20;

/// The same if only similarity suggests values, because some places below were seen under one word
/// only.
const TWIN: usize = 70;

/// Below this number, observations say little about behaviour.
const OFTEN: u64 = 5;

/// How many keys of responses all words with the same places below must have in common.
const COMMON: usize = 3;

/// True if a word has responses like the others, and has any.
fn answers_alike(candidate: &Candidate, everything: &Profile) -> bool {
    let Signature { features, below, .. } = &candidate.signature;
    let answers = features.iter().filter(|feature| feature.contains('>')).chain(below);
    answers.filter(|feature| everything.has(feature, 2)).count() >= COMMON
        && everything.likeness(candidate, 2) >= SAME
}

/// True if the places below all words agree: their responses have the same keys or, if the words
/// themselves have no responses, the places are the same.
fn are_twins(words: &[&Candidate]) -> bool {
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
fn are_mirrors(all: &[Candidate]) -> bool {
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

/// A word below a place, and the evidence for and against being a value.
struct Candidate {
    /// Decoded.
    name: String,
    /// A placeholder that a client sends by mistake instead of a value, and that is refused.
    broken: bool,
    /// The name of a procedure: `getUser`, `users.list`.
    call: bool,
    /// A plural.
    plural: bool,
    /// A name, whatever the others are.
    fixed: bool,
    known: bool,
    n: u64,
    signature: Signature,
}

impl Candidate {
    fn of(raw: &str, node: &Node, before: Before<'_>, vocabulary: &Vocabulary) -> Candidate {
        let name = decoded(raw);
        let known = vocabulary.knows(&name);
        let plural = is_plural(&name);
        // `/tags/cats` may list what has the tag; elsewhere a known plural that returns a list is a
        // collection.
        let collection = known
            && plural
            && !matches!(before, Before::Plural(_))
            && node.operations.values().any(|operation| answers_list(operation, &name));
        let fixed = name.is_empty()
            || name.starts_with('$')
            || in_lexicon(&name)
            || class_of(&name) != Class::Word
            || collection;
        let lower = name.to_ascii_lowercase();
        let broken = !fixed
            && node.kids.is_empty()
            && !is_answered(node)
            && (!known || BROKEN.contains(&lower.as_str()));
        Candidate {
            fixed,
            known,
            plural,
            broken,
            call: is_call(&name),
            n: node.n,
            signature: Signature::of(node, vocabulary),
            name,
        }
    }
}

/// What programs write for a missing value: JavaScript, Python, Java, templates.
const BROKEN: [&str; 7] = ["undefined", "null", "nan", "none", "nil", "true", "false"];

/// Marks calls as names: every known call, and all known words if most are calls.
fn fix_calls(all: &mut [Candidate]) {
    let calls = all.iter().filter(|candidate| candidate.call).count();
    let mostly = calls >= 2 && calls * 2 >= all.len();
    for candidate in all {
        candidate.fixed |=
            candidate.call && (candidate.known || mostly) || mostly && candidate.known;
    }
}

/// For each word, whether bodies have it as a value for the place. This applies only if at least
/// two words, and half of all words, are such values.
fn listed(all: &[Candidate], parent: &Parent<'_>) -> Vec<bool> {
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
fn are_choices(all: &[Candidate], parent: &Parent<'_>, everything: &Profile) -> bool {
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
fn are_of_another_style(all: &[Candidate], parent: &Parent<'_>, everything: &Profile) -> bool {
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

/// True if words that look like languages are languages: several, one of which has a region, or
/// which behave the same.
pub(super) fn are_locales(words: &[&(String, Node)], vocabulary: &Vocabulary) -> bool {
    if words.len() < 2 {
        return false;
    }
    if words.iter().any(|(name, _)| is_regional(&decoded(name))) {
        return true;
    }
    let mut profile = Profile::default();
    let signatures: Vec<Signature> =
        words.iter().map(|(_, node)| Signature::of(node, vocabulary)).collect();
    signatures.iter().for_each(|signature| profile.add(signature, 1));
    let alike = signatures.iter().filter(|signature| {
        !signature.features.is_empty() && profile.share(&signature.features, 2) * 2 >= 100
    });
    let usual = words.iter().filter(|(name, _)| is_usual_language(name)).count();
    usual >= 1 && usual * 2 >= words.len() && alike.count() >= 2
}

/// How much was observed of some words.
struct Mass {
    words: usize,
    n: u64,
    /// Words seen once.
    once: u64,
}

impl Mass {
    fn of<'c>(candidates: impl Iterator<Item = &'c Candidate>) -> Mass {
        let mut mass = Mass { words: 0, n: 0, once: 0 };
        for candidate in candidates {
            mass.words += 1;
            add(&mut mass.n, candidate.n);
            mass.once += u64::from(candidate.n == 1);
        }
        mass
    }

    /// True if another word is unlikely: almost none was seen only once.
    fn is_closed(&self) -> bool {
        self.n >= 4 * self.words as u64 && self.once * 50 < self.n
    }
}

/// The behaviour of some places, each feature with its weight.
#[derive(Default)]
struct Profile {
    counts: BTreeMap<String, u64>,
}

impl Profile {
    fn add(&mut self, signature: &Signature, weight: u64) {
        let Signature { features, methods, below, ends, .. } = signature;
        for feature in [features, methods, below, ends].into_iter().flatten() {
            add(self.counts.entry(feature.clone()).or_insert(0), weight);
        }
    }

    fn has(&self, feature: &str, weight: u64) -> bool {
        self.counts.get(feature).is_some_and(|n| *n >= weight)
    }

    /// Percentage of a word's features that have at least this weight: two, if the word itself was
    /// added. Methods count only if there are no other features.
    fn likeness(&self, candidate: &Candidate, weight: u64) -> usize {
        let Signature { features, methods, .. } = &candidate.signature;
        self.share(if features.is_empty() { methods } else { features }, weight)
    }

    fn share(&self, features: &BTreeSet<String>, weight: u64) -> usize {
        let shared = features.iter().filter(|feature| self.has(feature, weight)).count();
        (shared * 100).checked_div(features.len()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::template::{TemplateNode, template};
    use super::*;
    use crate::exchange::Method;
    use crate::infer::Limits;
    use crate::infer::finalise::testing::folded;
    use crate::infer::state::split_path;

    /// The templates of requests with the bodies of their responses.
    fn templates(exchanges: &[(String, &str)]) -> BTreeSet<String> {
        let limits = Limits::default();
        let caps = crate::infer::sketch::Caps::new(&limits);
        let mut root = Node::default();
        for (path, body) in exchanges {
            let node = root.walk(&split_path(path).0, &caps);
            let operation = node.operations.entry(Method::Get).or_default();
            operation.ok.n += 1;
            let answered = operation.responses.entry(200).or_default();
            answered.n += 1;
            let media = answered.bodies.slot("application/json", 8, |_| 1, &caps);
            let mut json = folded(&[body]);
            if let Some(before) = media.json.take() {
                crate::infer::sketch::Merge::merge(&mut json, *before, &limits);
            }
            media.json = Some(Box::new(json));
        }
        let vocabulary = Vocabulary::of(&root);
        let mut all = BTreeSet::new();
        flatten(
            &template(root, &vocabulary, None, &BTreeSet::new(), &limits),
            String::new(),
            &mut all,
        );
        all
    }

    fn flatten(place: &TemplateNode, path: String, all: &mut BTreeSet<String>) {
        for (name, below) in &place.literals {
            flatten(below, format!("{path}/{name}"), all);
        }
        for (pattern, slot) in &place.parameters {
            flatten(&slot.place, format!("{path}/{pattern}"), all);
        }
        if !place.operations.is_empty() {
            all.insert(path);
        }
    }

    fn check(exchanges: &[(String, &str)], expected: &[&str]) {
        let expected: BTreeSet<String> = expected.iter().map(|t| (*t).to_owned()).collect();
        assert_eq!(templates(exchanges), expected);
    }

    const ROW: &str = r#"{"total": 1, "since": "2024-01-15", "views": 7}"#;

    #[test]
    fn a_few_known_words_that_all_lead_to_the_same_are_values() {
        let mut exchanges = Vec::new();
        for kind in ["daily", "monthly", "hourly"] {
            for id in 1..8 {
                exchanges.push((format!("/v1/reports/{kind}/{id}/rows"), ROW));
            }
        }
        check(&exchanges, &["/v1/reports/{}/{}/rows"]);
    }

    #[test]
    fn known_words_that_lead_to_other_answers_are_names() {
        let mut exchanges = Vec::new();
        for id in 1..9 {
            exchanges.push((format!("/v1/account/orders/{id}"), ROW));
            exchanges.push((
                format!("/v1/account/invoices/{id}"),
                r#"{"number": "x", "amount": 1, "currency": "EUR"}"#,
            ));
        }
        check(&exchanges, &["/v1/account/invoices/{}", "/v1/account/orders/{}"]);
    }

    #[test]
    fn leaves_that_answer_alike_are_names() {
        let exchanges: Vec<_> = ["daily", "monthly", "hourly"]
            .iter()
            .flat_map(|kind| vec![(format!("/v1/report/{kind}"), ROW); 9])
            .collect();
        check(&exchanges, &["/v1/report/daily", "/v1/report/hourly", "/v1/report/monthly"]);
    }

    #[test]
    fn words_that_are_keys_of_a_map_teach_nothing() {
        let words = ["zebrawood", "quillback", "tanglefoot", "wrenlet", "oxlip", "gorsebush"];
        let mut exchanges: Vec<_> = (words.iter())
            .flat_map(|word| vec![(format!("/v1/projects/{word}"), ROW); 2])
            .collect();
        let labels: Vec<String> = words
            .iter()
            .map(|word| format!(r#"{{"id": 1, "labels": {{"{word}": "x", "{word}-red": "y"}}}}"#))
            .collect();
        exchanges.extend(labels.iter().map(|body| ("/v1/labels".to_owned(), body.as_str())));
        check(&exchanges, &["/v1/labels", "/v1/projects/{}"]);
    }

    #[test]
    fn unknown_words_that_come_again_and_do_other_things_are_names() {
        let exchanges: Vec<_> = [
            ("trackzilla", r#"{"board_a": 1}"#),
            ("flowpigeon", r#"{"board_b": 1}"#),
            ("gemwatcher", r#"{"board_c": 1}"#),
        ]
        .into_iter()
        .flat_map(|(name, body)| vec![(format!("/v1/services/{name}"), body); 9])
        .collect();
        check(
            &exchanges,
            &["/v1/services/flowpigeon", "/v1/services/gemwatcher", "/v1/services/trackzilla"],
        );
    }

    #[test]
    fn a_common_extension_is_not_part_of_the_value() {
        let words = ["zebrawood", "quillback", "tanglefoot", "wrenlet", "oxlip", "gorsebush"];
        let exchanges: Vec<_> =
            words.iter().map(|word| (format!("/v1/calls/{word}.json"), ROW)).collect();
        check(&exchanges, &["/v1/calls/{}.json"]);
    }
}
