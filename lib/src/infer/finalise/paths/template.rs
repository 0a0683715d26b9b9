//! Path templates: which children of a place in the path trie are names, and which are values of
//! one parameter.
//!
//! The rules apply in this order: identifiers of the same class become one parameter; words outside
//! of the API's vocabulary join it if there are many of them, or next to identifiers; known words
//! stay literal, unless they behave like the values. All rules read only the finished state, so
//! they can be changed freely.

use std::collections::{BTreeMap, BTreeSet};

use super::before::{Before, decoded, is_answered};
use super::seeds::TemplateSeed;
use super::siblings;
use crate::exchange::Method;
use crate::infer::Limits;
use crate::infer::finalise::words::locales::is_locale;
use crate::infer::finalise::words::split::letter_words;
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::sketch::{CappedMap, Merge as _};
use crate::infer::state::{
    Class, ClassSet, ObservedOperation, Segments, TrieNode, class_of, without_extension,
};

/// A place in the templated tree.
#[derive(Debug, Default)]
pub(crate) struct TemplateNode {
    /// By segment as on the wire.
    pub(crate) literals: BTreeMap<String, TemplateNode>,
    pub(crate) operations: BTreeMap<Method, Box<ObservedOperation>>,
    /// By segment pattern, with `{}` for a value: usually just that, otherwise `{}.json`,
    /// `{}:cancel`, `Products({})`.
    pub(crate) parameters: BTreeMap<String, ParameterSlot>,
    pub(crate) plain: u64,
    pub(crate) slashed: u64,
}

impl TemplateNode {
    /// The place of a path, created if missing; `key` has `{}` for each parameter.
    pub(crate) fn at(&mut self, key: &str) -> &mut TemplateNode {
        key.split('/').skip(1).fold(self, |place, segment| {
            if segment.contains(VALUE) {
                &mut place.parameters.entry(segment.to_owned()).or_default().place
            } else {
                place.literals.entry(segment.to_owned()).or_default()
            }
        })
    }
}

/// Represents a value in a segment.
pub(crate) const VALUE: &str = "{}";

/// A parameter in the tree, and everything below it.
#[derive(Debug, Default)]
pub(crate) struct ParameterSlot {
    pub(crate) place: TemplateNode,
    pub(crate) values: ParameterValues,
    /// The values of further parameters in the same segment.
    pub(crate) more: Vec<ParameterValues>,
}

/// What is known about a path parameter's values.
#[derive(Debug, Default, Clone)]
pub(crate) struct ParameterValues {
    pub(crate) classes: BTreeSet<Class>,
    /// The name from an initial spec.
    pub(crate) seed_name: Option<String>,
    pub(crate) segments: Segments,
    /// All values are languages, with or without a region.
    pub(crate) locales: bool,
    /// True if some values are words.
    pub(crate) words: bool,
    /// Number of exchanges, in total and for each identifier class.
    pub(crate) n: u64,
    pub(crate) by_class: BTreeMap<Class, (u64, Segments)>,
}

/// If all exchanges of a path have one class, this counts as chance unless the odds against it are
/// this high.
const BY_CHANCE: u64 = 20;

impl ParameterValues {
    /// Counts exchanges whose value belongs to a class of identifiers.
    fn add(&mut self, class: Class, node: &TrieNode, limits: &Limits) {
        self.classes.insert(class);
        self.segments.merge(node.segments.clone(), limits);
        let (n, segments) = self.by_class.entry(class).or_default();
        *n = n.saturating_add(node.n);
        segments.merge(node.segments.clone(), limits);
    }

    /// The values of a further part of a key.
    fn of_key(segments: Segments, n: u64) -> ParameterValues {
        ParameterValues {
            classes: [Class::Keyed].into(),
            segments,
            n,
            ..ParameterValues::default()
        }
    }

    /// The values in a path with `n` known exchanges, all with values of the classes `through`. If
    /// that is one class, and not by chance, the path has a narrower rule: `/meetings/{id}` takes
    /// numbers, although `/meetings/{id}/files` is requested with UUIDs.
    pub(crate) fn in_path(&self, through: ClassSet, n: u64) -> ParameterValues {
        let single = self.classes.len() == 1 && !self.words;
        let of_path =
            self.by_class.iter().find(|(class, _)| !single && ClassSet::of(**class) == through);
        let Some((class, (of_class, segments))) = of_path else { return self.clone() };
        let mut chance = 1 << 32;
        for _ in 0..n.min(1 << 10) {
            chance = mul_div(chance, *of_class, self.n);
        }
        if chance > (1 << 32) / BY_CHANCE {
            return self.clone();
        }
        ParameterValues {
            classes: [*class].into(),
            segments: segments.clone(),
            words: false,
            ..self.clone()
        }
    }
}

/// `a * b / c` without overflow; `a` if `c` is 0.
fn mul_div(a: u64, b: u64, c: u64) -> u64 {
    let wide = (u128::from(a) * u128::from(b)).checked_div(u128::from(c));
    wide.map_or(a, |quotient| u64::try_from(quotient).unwrap_or(u64::MAX))
}

/// Templates a whole trie.
pub(crate) fn template(
    root: TrieNode,
    vocabulary: &Vocabulary,
    seed: Option<&TemplateSeed>,
    literals: &BTreeSet<String>,
    limits: &Limits,
) -> TemplateNode {
    let values = siblings::ValuesOfKeys::of(&root);
    let templater = Templater { vocabulary, literals, values, limits };
    templater.place(root, Here { before: Before::Root, at: 0, lower: 0 }, seed)
}

/// Number of observations, without another value, after which an identifier that begins with words
/// is a name.
const SURELY_ONE: u64 = 5;

struct Templater<'a> {
    vocabulary: &'a Vocabulary,
    /// Names that the user gave, decoded.
    literals: &'a BTreeSet<String>,
    /// The values under the keys of all bodies.
    values: siblings::ValuesOfKeys,
    limits: &'a Limits,
}

/// The position of a place.
#[derive(Clone, Copy)]
struct Here<'n> {
    before: Before<'n>,
    /// The number of the parameter that would be here.
    at: usize,
    /// How many preceding names are in lower case; 0 if any has a capital.
    lower: usize,
}

impl<'n> Here<'n> {
    fn below(self, name: &'n str) -> Here<'n> {
        let lower = match self.lower {
            // No preceding name has a capital.
            n if !name.contains(char::is_uppercase) && (n > 0 || self.before == Before::Root) => {
                n + 1
            }
            _ => 0,
        };
        Here { before: Before::of(name), lower, ..self }
    }
}

/// Children that become one parameter.
#[derive(Default)]
struct Group {
    nodes: Option<TrieNode>,
    values: ParameterValues,
    /// The classes of the nodes.
    classes: ClassSet,
    /// True if each node below has a note of its class.
    noted: bool,
    /// Nodes of identifiers that were always refused. Their values count only if there are no other
    /// values.
    refused: Vec<(Class, TrieNode)>,
}

impl Group {
    /// Adds a node of some classes, as the parameter `at` of its path.
    fn add(&mut self, mut node: TrieNode, classes: ClassSet, at: usize, limits: &Limits) {
        self.values.n = self.values.n.saturating_add(node.n);
        let Some(all) = &mut self.nodes else {
            self.nodes = Some(node);
            self.classes = classes;
            return;
        };
        // With a single class, notes are unnecessary.
        if self.noted || classes != self.classes {
            if !self.noted {
                all.came_through(at, self.classes);
            }
            node.came_through(at, classes);
            self.noted = true;
        }
        all.merge(node, limits);
    }

    /// Adds a node of identifiers, with its values.
    fn add_identifiers(&mut self, class: Class, node: TrieNode, at: usize, limits: &Limits) {
        self.values.add(class, &node, limits);
        self.add(node, ClassSet::of(class), at, limits);
    }

    /// Adds the nodes that were always refused. Their values are left out if there are other
    /// values.
    fn add_refused(&mut self, at: usize, limits: &Limits) {
        let alone = self.nodes.is_none();
        for (class, node) in std::mem::take(&mut self.refused) {
            if alone {
                self.add_identifiers(class, node, at, limits);
            } else {
                self.add(node, ClassSet::of(class), at, limits);
            }
        }
    }
}

/// Number of preceding lower-case names after which capitalised names are a different style.
const LOWER: usize = 2;

impl Templater<'_> {
    fn place(&self, node: TrieNode, here: Here<'_>, seed: Option<&TemplateSeed>) -> TemplateNode {
        let Here { before, at, .. } = here;
        let mut parent = siblings::Parent::of(&node, before, &self.values);
        parent.lower = here.lower >= LOWER;
        let mut place = TemplateNode {
            operations: node.operations,
            plain: node.plain,
            slashed: node.slashed,
            ..TemplateNode::default()
        };
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut words = Vec::new();
        let mut rest = Vec::new();
        for (class, kids) in node.kids {
            if class.is_id() {
                self.identifiers(class, kids, (before, at), seed, &mut groups, &mut words);
            } else {
                let (kept, other) = kids.into_parts();
                // Nothing is left of a base path that was cut out.
                let seen = kept.into_iter().filter(|(_, node)| !node.is_empty());
                words.extend(seen.map(|(name, node)| (String::from(name), node)));
                rest.extend(other);
            }
        }
        for group in groups.values_mut() {
            group.add_refused(at, self.limits);
        }
        // Names that the user gave do not indicate values.
        let (given, mut words): (Vec<_>, Vec<_>) =
            words.into_iter().partition(|(name, _)| self.literals.contains(&decoded(name)));
        for (name, node) in given {
            let text = decoded(&name);
            let below = self.place(node, here.below(&text), seed.and_then(|s| s.literal(&name)));
            place.literals.insert(name, below);
        }
        let forced = seed.is_some_and(TemplateSeed::has_parameter);
        if !forced {
            self.locales(&mut words, &mut groups, at, seed);
        }
        let identifiers: Vec<&TrieNode> = groups
            .iter()
            .filter(|(pattern, _)| pattern.starts_with(VALUE))
            .filter_map(|(_, group)| group.nodes.as_ref())
            .collect();
        let joins = siblings::values_among(&words, &identifiers, &rest, &parent, self.vocabulary);
        let values = words.iter().zip(&joins).filter(|(_, joins)| **joins);
        let common =
            common_extension(values.map(|((name, _), _)| name.as_str())).map(str::to_owned);
        for ((name, node), joins) in words.into_iter().zip(joins) {
            let literal_seed = seed.and_then(|seed| seed.literal(&name));
            let text = decoded(&name);
            if literal_seed.is_some() || !(joins || forced) {
                let below = self.place(node, here.below(&text), literal_seed);
                place.literals.insert(name, below);
            } else {
                let suffix = &name[without_extension(&name).len()..];
                let pattern = format!("{VALUE}{suffix}");
                let told_apart = groups.contains_key(&pattern) || common.as_deref() == Some(suffix);
                let pattern = if told_apart { pattern } else { VALUE.to_owned() };
                let group = groups.entry(pattern).or_default();
                // A value that is always refused is not valid.
                group.values.words |= group.nodes.is_none() || is_answered(&node);
                group.values.locales = false;
                group.add(node, ClassSet::of(Class::Word), at, self.limits);
            }
        }
        for node in rest {
            let group = groups.entry(VALUE.to_owned()).or_default();
            group.values.words = true;
            group.add(node, ClassSet::ALL, at, self.limits);
        }
        for (pattern, group) in groups {
            let Some(mut node) = group.nodes else { continue };
            let seed = seed.and_then(|seed| seed.parameter());
            let mut values = group.values;
            values.seed_name = seed.map(|seed| seed.name().to_owned());
            let further = std::mem::take(&mut node.more).into_iter();
            let more: Vec<ParameterValues> =
                further.map(|segments| ParameterValues::of_key(segments, node.n)).collect();
            let below = Here { before: Before::Parameter, at: at + 1 + more.len(), ..here };
            let below = self.place(node, below, seed);
            place.parameters.insert(pattern, ParameterSlot { place: below, values, more });
        }
        place
    }

    /// Makes one parameter of languages with and without a region, at the place of one of them.
    fn locales(
        &self,
        words: &mut Vec<(String, TrieNode)>,
        groups: &mut BTreeMap<String, Group>,
        at: usize,
        seed: Option<&TemplateSeed>,
    ) {
        let given = |name: &str| seed.is_some_and(|seed| seed.literal(name).is_some());
        let is_one = |name: &str| is_locale(&decoded(name)) && !given(name);
        let all: Vec<&(String, TrieNode)> = words.iter().filter(|(name, _)| is_one(name)).collect();
        if !siblings::are_locales(&all, self.vocabulary) {
            return;
        }
        let (locales, others) =
            std::mem::take(words).into_iter().partition(|(name, _)| is_one(name));
        *words = others;
        let group = groups.entry(VALUE.to_owned()).or_default();
        group.values.locales = group.nodes.is_none();
        group.values.words = true;
        let locales: Vec<(String, TrieNode)> = locales;
        for (_, node) in locales {
            group.add(node, ClassSet::of(Class::Word), at, self.limits);
        }
    }

    /// True for several known words.
    fn is_named(&self, head: &str) -> bool {
        class_of(head) == Class::Word
            && letter_words(head).count() >= 2
            && self.vocabulary.knows(head)
    }

    /// Groups identifiers of one class by suffix. An identifier that is the only value at the start
    /// of all paths is a name (`/2010-04-01/…`, `/1/…`).
    fn identifiers(
        &self,
        class: Class,
        kids: CappedMap<TrieNode>,
        (before, at): (Before, usize),
        seed: Option<&TemplateSeed>,
        groups: &mut BTreeMap<String, Group>,
        words: &mut Vec<(String, TrieNode)>,
    ) {
        let (kept, rest) = kids.into_parts();
        if let Some(node) = rest {
            // The segments after these identifiers are unknown, so they are texts.
            let group = groups.entry(VALUE.to_owned()).or_default();
            group.values.words = true;
            group.values.classes.insert(class);
            group.add(node, ClassSet::ALL, at, self.limits);
        }
        for (suffix, node) in kept {
            let suffix = String::from(suffix);
            let single = match node.segments.values().exact() {
                Some(values) if values.len() == 1 && class != Class::Keyed => {
                    values.keys().next().map(str::to_owned)
                }
                _ => None,
            };
            if let Some(value) = single {
                let headed = matches!(before, Before::Root | Before::Version)
                    && matches!(class, Class::Int | Class::Date | Class::Semver)
                    && !node.kids.is_empty();
                let name = format!("{value}{suffix}");
                let named = class == Class::Opaque
                    && node.n >= SURELY_ONE
                    && value.split(['-', '_']).next().is_some_and(|head| self.is_named(head));
                let given = self.literals.contains(&name)
                    || seed.is_some_and(|seed| seed.literal(&name).is_some());
                if headed || named || given {
                    words.push((name, node));
                    continue;
                }
            }
            let pattern = if class == Class::Keyed { suffix } else { format!("{VALUE}{suffix}") };
            let group = groups.entry(pattern).or_default();
            if is_answered(&node) {
                group.add_identifiers(class, node, at, self.limits);
            } else {
                group.refused.push((class, node));
            }
        }
    }
}

/// The suffix that all names have, such as `.json`.
fn common_extension<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut suffixes = names.map(|name| &name[without_extension(name).len()..]);
    let first = suffixes.next()?;
    suffixes.all(|suffix| suffix == first).then_some(first)
}
