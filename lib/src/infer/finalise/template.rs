//! Path templates: which children of a place in the path trie are names, and which are values of one parameter.
//!
//! The rules are those of the design's section on the path trie, in order: identifiers by class are one parameter; words
//! that are not of the API's vocabulary join it where they are many or where identifiers stand beside them; known words stay
//! literal, unless they behave as the values do. All of them look at the finished state only, so they may change freely.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;

use super::seeds::Seed;
use super::vocabulary::{Vocabulary, is_plural};
use crate::exchange::Method;
use crate::infer::Limits;
use crate::infer::sketch::{CappedMap, Merge as _, add};
use crate::infer::state::{Class, Json, Node, Operation, Segments, class_of, in_lexicon};

/// A place in the templated tree.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// By segment as on the wire.
    pub(super) literals: BTreeMap<String, Place>,
    pub(super) operations: BTreeMap<Method, Operation>,
    /// By the text behind the parameter in its segment: mostly none.
    pub(super) parameters: BTreeMap<String, Slot>,
    pub(super) plain: u64,
    pub(super) slashed: u64,
}

/// A parameter in the tree, and what is below it.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) place: Place,
    pub(super) values: Values,
}

/// What is known of a path parameter's values.
#[derive(Debug, Default, Clone)]
pub(super) struct Values {
    pub(super) classes: BTreeSet<Class>,
    /// The name that an initial spec gives it.
    pub(super) seed_name: Option<String>,
    pub(super) segments: Segments,
    /// True where words are among the values.
    pub(super) words: bool,
}

/// What stands before a place; the evidence needed for a parameter depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Root,
    Version,
    Plural,
    Other,
    Parameter,
}

impl Before {
    /// How many unknown words make an open set where no identifier is beside them.
    fn need(self) -> usize {
        match self {
            Before::Root | Before::Version => 12,
            Before::Parameter => 5,
            Before::Plural => 2,
            Before::Other => 4,
        }
    }

    fn of(segment: &str) -> Before {
        if class_of(segment) == Class::Version {
            Before::Version
        } else if is_plural(segment) {
            Before::Plural
        } else {
            Before::Other
        }
    }
}

/// Templates a whole trie.
pub(super) fn template(
    root: Node,
    vocabulary: &Vocabulary,
    seed: Option<&Seed>,
    limits: &Limits,
) -> Place {
    Templater { vocabulary, limits }.place(root, Before::Root, seed)
}

struct Templater<'a> {
    vocabulary: &'a Vocabulary,
    limits: &'a Limits,
}

/// Children that become one parameter.
#[derive(Default)]
struct Group {
    nodes: Option<Node>,
    values: Values,
}

impl Group {
    fn add(&mut self, node: Node, limits: &Limits) {
        match &mut self.nodes {
            Some(all) => all.merge(node, limits),
            None => self.nodes = Some(node),
        }
    }
}

impl Templater<'_> {
    fn place(&self, node: Node, before: Before, seed: Option<&Seed>) -> Place {
        let mut place = Place {
            operations: node.operations,
            plain: node.plain,
            slashed: node.slashed,
            ..Place::default()
        };
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut words = Vec::new();
        let mut rest = Vec::new();
        for (class, kids) in node.kids {
            if class.is_id() {
                self.identifiers(class, kids, before, seed, &mut groups, &mut words);
            } else {
                let (kept, other) = kids.into_parts();
                words.extend(kept.into_iter().map(|(name, node)| (String::from(name), node)));
                rest.extend(other);
            }
        }
        let forced = seed.is_some_and(Seed::has_parameter);
        let joins = self.values_among(
            &words,
            groups.get("").and_then(|g| g.nodes.as_ref()),
            !rest.is_empty(),
            before,
        );
        for ((name, node), joins) in words.into_iter().zip(joins) {
            let literal_seed = seed.and_then(|seed| seed.literal(&name));
            if literal_seed.is_some() || !(joins || forced) {
                let below = self.place(node, Before::of(&decoded(&name)), literal_seed);
                place.literals.insert(name, below);
            } else {
                let group = groups.entry(String::new()).or_default();
                group.values.words = true;
                group.add(node, self.limits);
            }
        }
        for node in rest {
            let group = groups.entry(String::new()).or_default();
            group.values.words = true;
            group.add(node, self.limits);
        }
        for (suffix, group) in groups {
            let Some(node) = group.nodes else { continue };
            let seed = seed.and_then(|seed| seed.parameter());
            let mut values = group.values;
            values.seed_name = seed.map(|seed| seed.name().to_owned());
            let below = self.place(node, Before::Parameter, seed);
            place.parameters.insert(suffix, Slot { place: below, values });
        }
        place
    }

    /// Groups identifiers of one class by suffix; one that only ever was a single value at the head of all paths is a name
    /// (`/2010-04-01/…`, `/1/…`).
    fn identifiers(
        &self,
        class: Class,
        kids: CappedMap<Node>,
        before: Before,
        seed: Option<&Seed>,
        groups: &mut BTreeMap<String, Group>,
        words: &mut Vec<(String, Node)>,
    ) {
        let (kept, rest) = kids.into_parts();
        let all = kept.into_iter().map(|(suffix, node)| (String::from(suffix), node));
        for (suffix, node) in all.chain(rest.map(|node| (String::new(), node))) {
            let single = match node.segments.values().exact() {
                Some(values) if values.len() == 1 => values.keys().next().cloned(),
                _ => None,
            };
            if let Some(value) = single {
                let headed = matches!(before, Before::Root | Before::Version)
                    && matches!(class, Class::Int | Class::Date | Class::Semver)
                    && !node.kids.is_empty();
                let name = format!("{value}{suffix}");
                if headed || seed.is_some_and(|seed| seed.literal(&name).is_some()) {
                    words.push((name, node));
                    continue;
                }
            }
            let group = groups.entry(suffix).or_default();
            group.values.classes.insert(class);
            group.values.segments.merge(node.segments.clone(), self.limits);
            group.add(node, self.limits);
        }
    }

    /// For each word, whether it is a value of a parameter.
    ///
    /// Two kinds of evidence make a place open: words that are not of the API's vocabulary, and words, known or not, that
    /// all do the same and hardly come again (the unseen mass of Good and Turing: those seen once, of all observations). Names recur, and
    /// each does something else.
    fn values_among(
        &self,
        words: &[(String, Node)],
        identifiers: Option<&Node>,
        rest: bool,
        before: Before,
    ) -> Vec<bool> {
        let candidates: Vec<Candidate> =
            words.iter().map(|(name, node)| self.candidate(name, node)).collect();
        let mut profile = Profile::default();
        if let Some(node) = identifiers {
            profile.add(&features(node), 2);
        }
        for candidate in candidates.iter().filter(|candidate| !candidate.fixed) {
            profile.add(&candidate.features, 1);
        }
        let alike: Vec<bool> = candidates.iter().map(|c| !c.fixed && profile.is_alike(c)).collect();

        let unknown = Mass::of(candidates.iter().filter(|c| !c.fixed && !c.known));
        let same =
            Mass::of(candidates.iter().zip(&alike).filter(|(_, alike)| **alike).map(|(c, _)| c));
        let at_head = matches!(before, Before::Root | Before::Version);
        let foreign = unknown.words >= before.need()
            && (matches!(before, Before::Plural | Before::Other) || !unknown.is_closed())
            && (!at_head || unknown.words * 10 > words.len() * 7);
        let beside = identifiers.is_some() && unknown.words > 0 && (!at_head || unknown.words >= 3);
        // Words that are only seen to answer one method have little to be alike in: it takes more of them.
        let rich = candidates
            .iter()
            .zip(&alike)
            .filter(|(c, alike)| **alike && c.features.len() >= 2)
            .count();
        let fleeting = same.once * 10 >= same.n
            && if at_head { rich >= 12 } else { rich >= 4 || same.words >= 8 };
        if !(rest || foreign || beside || fleeting) {
            return vec![false; words.len()];
        }
        candidates
            .iter()
            .zip(alike)
            .map(|(candidate, alike)| {
                if candidate.fixed {
                    false
                } else if candidate.known {
                    alike && (fleeting || rest || identifiers.is_some() || foreign)
                } else {
                    // An unknown word that comes again and again and does nothing that the others do is a name.
                    alike || candidate.n < 5 || profile.likeness(candidate) >= 20
                }
            })
            .collect()
    }

    fn candidate(&self, raw: &str, node: &Node) -> Candidate {
        let name = decoded(raw);
        Candidate {
            fixed: name.is_empty() || in_lexicon(&name) || class_of(&name) != Class::Word,
            known: self.vocabulary.knows(&name),
            n: node.n,
            features: features(node),
        }
    }
}

/// A word below a place, and what speaks for or against its being a value.
struct Candidate {
    /// A name whatever the others are.
    fixed: bool,
    known: bool,
    n: u64,
    features: BTreeSet<String>,
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

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// What the values of a parameter have in common.
#[derive(Default)]
struct Profile {
    counts: BTreeMap<String, u64>,
}

impl Profile {
    fn add(&mut self, features: &BTreeSet<String>, weight: u64) {
        for feature in features {
            add(self.counts.entry(feature.clone()).or_insert(0), weight);
        }
    }

    /// Per cent of a word's features that others have too.
    fn likeness(&self, candidate: &Candidate) -> u64 {
        let mine = &candidate.features;
        if mine.is_empty() {
            return 0;
        }
        // It is itself among those counted.
        let shared = mine.iter().filter(|f| self.counts.get(*f).is_some_and(|n| *n >= 2)).count();
        (shared * 100 / mine.len()) as u64
    }

    /// True where a word does nothing but what others do.
    fn is_alike(&self, candidate: &Candidate) -> bool {
        self.likeness(candidate) >= 80
    }
}

/// What a subtree does: its methods, the names below it, and the keys of its answers.
fn features(node: &Node) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (method, operation) in &node.operations {
        all.insert(format!("m {method}"));
        for (status, answered) in &operation.responses {
            if !(200..300).contains(status) {
                continue;
            }
            for (_, body) in answered.bodies.iter() {
                if let Some(json) = &body.json {
                    keys(json, "r", &mut |kind, key| {
                        all.insert(format!("{kind} {method} {key}"));
                    });
                }
            }
        }
    }
    for (class, kids) in &node.kids {
        if class.is_id() {
            all.insert(format!("k {class:?}"));
        } else {
            for (name, kid) in kids.iter() {
                all.insert(format!("k {name}"));
                for method in kid.operations.keys() {
                    all.insert(format!("k {name} {method}"));
                }
            }
        }
    }
    all
}

/// The property names of objects, looking through an envelope, and of the objects of an array, told apart from them.
fn keys(json: &Json, kind: &str, each: &mut dyn FnMut(&str, &str)) {
    if let Some(object) = &json.object {
        for (key, property) in object.keys.iter() {
            each(kind, key);
            if matches!(key, "data" | "items" | "result" | "results") {
                keys(&property.json, kind, each);
            }
        }
    }
    if let Some(items) = json.array.as_ref().and_then(|array| array.items.as_ref()) {
        keys(items, "r[]", each);
    }
}
