//! Which words below one place of the path trie are values of a parameter, and which are names.

use std::collections::{BTreeMap, BTreeSet};

use super::signature::Signature;
use super::template::{Before, decoded};
use super::vocabulary::Vocabulary;
use crate::infer::sketch::add;
use crate::infer::state::{Class, Node, class_of, in_lexicon};

/// For each word, whether it is a value of a parameter.
///
/// What makes a place open, so that it holds values:
/// 1. words that are not of the API's vocabulary, in number, or beside identifiers;
/// 2. words, known or not, that all do the same and hardly come again (the unseen mass of Good and Turing: those seen once, of
///    all observations). Names recur, and each does something else;
/// 3. words, known or not, of which *every one* leads to the same places, where the same is answered: the few values of a
///    parameter such as a format or a kind. That they answer alike is not enough where nothing is below (`daily` and `weekly`
///    reports, `start` and `stop`), nor at the head of all paths.
///
/// In an open place, what does something else than the values do is a name.
pub(super) fn values_among(
    words: &[(String, Node)],
    identifiers: &[&Node],
    rest: &[Node],
    before: Before,
    vocabulary: &Vocabulary,
) -> Vec<bool> {
    let all: Vec<Candidate> =
        words.iter().map(|(name, node)| Candidate::of(name, node, vocabulary)).collect();
    let free = || all.iter().filter(|candidate| !candidate.fixed);
    // What the values do: identifiers and unknown words are values sooner than known ones.
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
    // Words that come again and again, with no other to be expected, are names unless nearly all of them answer the same.
    let strangers: Vec<&Candidate> = free().filter(|candidate| !candidate.known).collect();
    let answer = strangers.iter().filter(|candidate| answers_alike(candidate, &everything)).count();
    let foreign = unknown.words >= before.need()
        && (!unknown.is_closed() || !at_head && answer * 5 >= unknown.words * 4)
        && (!at_head || unknown.words * 10 > words.len() * 7);
    let beside = !identifiers.is_empty() && unknown.words > 0 && (!at_head || unknown.words >= 3);
    let alike = || free().filter(|candidate| everything.likeness(candidate, 2) >= SAME);
    let same = Mass::of(alike());
    // Words that are only seen to answer one method have little to be alike in: it takes more of them.
    let rich = alike().filter(|candidate| !candidate.signature.features.is_empty()).count();
    let fleeting =
        same.once * 10 >= same.n && if at_head { rich >= 12 } else { rich >= 4 || same.words >= 8 };
    let pairs = !at_head && identifiers.is_empty();
    let twins = pairs && are_twins(&all.iter().collect::<Vec<_>>());
    let foreign = foreign || pairs && are_twins(&strangers);

    if rest.is_empty() && !(foreign || beside || fleeting || twins) {
        return vec![false; words.len()];
    }
    all.iter()
        .map(|candidate| {
            if candidate.fixed {
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
                // An unknown word that comes again and again and does nothing that the others do is a name.
                candidate.n < OFTEN || core.likeness(candidate, 2) >= LIKE
            }
        })
        .collect()
}

/// Per cent of what a word does that others do too, for them to do the same.
const SAME: usize = 80;

/// Per cent of what a word does that the values must do too, for it to be one though its author may have written it.
const ALIKE: usize = 90;

/// The same where little was seen of it.
const DOUBTFUL: usize = 60;

/// The same for words that hardly anybody would choose as a name.
const LIKE: usize = 20;

/// The same where nothing but likeness speaks for values; some places below were seen from one word only.
const TWIN: usize = 70;

/// A word seen less often tells little of what it does.
const OFTEN: u64 = 5;

/// How many keys of answers must be common to all words that lead to the same places.
const COMMON: usize = 3;

/// True where a word answers what others do, and that is something.
fn answers_alike(candidate: &Candidate, everything: &Profile) -> bool {
    let Signature { features, below, .. } = &candidate.signature;
    let answers = features.iter().filter(|feature| feature.contains('>')).chain(below);
    answers.filter(|feature| everything.has(feature, 2)).count() >= COMMON
        && everything.likeness(candidate, 2) >= SAME
}

/// True where every word leads to what the others lead to: to answers with the same keys, or, if nothing is at the words
/// themselves, to the same places.
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

/// A word below a place, and what speaks for or against its being a value.
struct Candidate {
    /// A name whatever the others are.
    fixed: bool,
    known: bool,
    n: u64,
    signature: Signature,
}

impl Candidate {
    fn of(raw: &str, node: &Node, vocabulary: &Vocabulary) -> Candidate {
        let name = decoded(raw);
        Candidate {
            fixed: name.is_empty() || in_lexicon(&name) || class_of(&name) != Class::Word,
            known: vocabulary.knows(&name),
            n: node.n,
            signature: Signature::of(node, vocabulary),
        }
    }
}

/// How much was seen of some words.
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

    /// True where another word is hardly to be expected: next to none was seen only once.
    fn is_closed(&self) -> bool {
        self.n >= 4 * self.words as u64 && self.once * 50 < self.n
    }
}

/// What some places do, each feature with its weight.
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

    /// Per cent of a word's features that have at least a weight here: two, where the word itself is among what was added.
    /// Methods count only where there is nothing else.
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

    use super::super::template::{Place, template};
    use super::*;
    use crate::exchange::Method;
    use crate::infer::Limits;
    use crate::infer::finalise::testing::folded;
    use crate::infer::state::split_path;

    /// The templates of requests with the bodies of their answers.
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

    fn flatten(place: &Place, path: String, all: &mut BTreeSet<String>) {
        for (name, below) in &place.literals {
            flatten(below, format!("{path}/{name}"), all);
        }
        for (suffix, slot) in &place.parameters {
            flatten(&slot.place, format!("{path}/{{}}{suffix}"), all);
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
