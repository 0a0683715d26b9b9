//! Path templates: which children of a place in the path trie are names, and which are values of one parameter.
//!
//! The rules are those of the design's section on the path trie, in order: identifiers by class are one parameter; words
//! that are not of the API's vocabulary join it where they are many or where identifiers stand beside them; known words stay
//! literal, unless they behave as the values do. All of them look at the finished state only, so they may change freely.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;

use super::seeds::Seed;
use super::siblings;
use super::vocabulary::{Vocabulary, is_plural, words};
use crate::exchange::Method;
use crate::infer::Limits;
use crate::infer::sketch::{CappedMap, Merge as _};
use crate::infer::state::{
    Class, ClassSet, Node, Operation, Segments, class_of, without_extension,
};

/// A place in the templated tree.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// By segment as on the wire.
    pub(super) literals: BTreeMap<String, Place>,
    pub(super) operations: BTreeMap<Method, Box<Operation>>,
    /// By the text behind the parameter in its segment: mostly none.
    pub(super) parameters: BTreeMap<String, Slot>,
    pub(super) plain: u64,
    pub(super) slashed: u64,
}

impl Place {
    /// The place that a path leads to, made on the way; `key` has `{}` for each parameter.
    pub(super) fn at(&mut self, key: &str) -> &mut Place {
        key.split('/').skip(1).fold(self, |place, segment| match segment.strip_prefix("{}") {
            Some(suffix) => &mut place.parameters.entry(suffix.to_owned()).or_default().place,
            None => place.literals.entry(segment.to_owned()).or_default(),
        })
    }
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
    /// Exchanges, of all classes and of each that is an identifier.
    pub(super) n: u64,
    pub(super) by_class: BTreeMap<Class, (u64, Segments)>,
}

/// So seldom (one in so many) all exchanges of a path have values of one class by chance, though the parameter has others.
const BY_CHANCE: u64 = 20;

impl Values {
    /// Counts exchanges whose value is of a class of identifiers.
    fn add(&mut self, class: Class, node: &Node, limits: &Limits) {
        self.classes.insert(class);
        self.segments.merge(node.segments.clone(), limits);
        let (n, segments) = self.by_class.entry(class).or_default();
        *n = n.saturating_add(node.n);
        segments.merge(node.segments.clone(), limits);
    }

    /// The values in a path of which `n` exchanges are known, all with values of the classes `through`. Where that is one
    /// class, and no chance, the path has a rule of its own: `/meetings/{id}` takes numbers, though `/meetings/{id}/files` is
    /// asked for by UUIDs.
    pub(super) fn in_path(&self, through: ClassSet, n: u64) -> Values {
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
        Values {
            classes: [*class].into(),
            segments: segments.clone(),
            words: false,
            ..self.clone()
        }
    }
}

/// `a * b / c` without overflow; `a` where `c` is 0.
fn mul_div(a: u64, b: u64, c: u64) -> u64 {
    let wide = (u128::from(a) * u128::from(b)).checked_div(u128::from(c));
    wide.map_or(a, |quotient| u64::try_from(quotient).unwrap_or(u64::MAX))
}

/// What stands before a place; the evidence needed for a parameter depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Root,
    Version,
    Plural,
    Other,
    Parameter,
}

impl Before {
    /// How many unknown words make an open set where no identifier is beside them.
    pub(super) fn need(self) -> usize {
        match self {
            Before::Root | Before::Version => 12,
            Before::Parameter => 5,
            Before::Plural => 2,
            Before::Other => 4,
        }
    }

    pub(super) fn is_head(self) -> bool {
        matches!(self, Before::Root | Before::Version)
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
    literals: &BTreeSet<String>,
    limits: &Limits,
) -> Place {
    Templater { vocabulary, literals, limits }.place(root, Before::Root, 0, seed)
}

/// So often, with no other value, what begins with words is a name though it ends as an identifier does.
const SURELY_ONE: u64 = 5;

struct Templater<'a> {
    vocabulary: &'a Vocabulary,
    /// Names that people gave, decoded.
    literals: &'a BTreeSet<String>,
    limits: &'a Limits,
}

/// Children that become one parameter.
#[derive(Default)]
struct Group {
    nodes: Option<Node>,
    values: Values,
    /// The classes of the nodes.
    classes: ClassSet,
    /// True where it is noted below each node of which class it was.
    noted: bool,
}

impl Group {
    /// Adds a node of some classes, as the parameter `at` of its path.
    fn add(&mut self, mut node: Node, classes: ClassSet, at: usize, limits: &Limits) {
        self.values.n = self.values.n.saturating_add(node.n);
        let Some(all) = &mut self.nodes else {
            self.nodes = Some(node);
            self.classes = classes;
            return;
        };
        // Where there is one class only, there is nothing to tell apart.
        if self.noted || classes != self.classes {
            if !self.noted {
                all.came_through(at, self.classes);
            }
            node.came_through(at, classes);
            self.noted = true;
        }
        all.merge(node, limits);
    }
}

impl Templater<'_> {
    /// `at` is the number of the parameter that would stand here.
    fn place(&self, node: Node, before: Before, at: usize, seed: Option<&Seed>) -> Place {
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
                self.identifiers(class, kids, (before, at), seed, &mut groups, &mut words);
            } else {
                let (kept, other) = kids.into_parts();
                words.extend(kept.into_iter().map(|(name, node)| (String::from(name), node)));
                rest.extend(other);
            }
        }
        // What people call a name is no evidence for values.
        let (given, words): (Vec<_>, Vec<_>) =
            words.into_iter().partition(|(name, _)| self.literals.contains(&decoded(name)));
        for (name, node) in given {
            let seed = seed.and_then(|seed| seed.literal(&name));
            let below = self.place(node, Before::of(&decoded(&name)), at, seed);
            place.literals.insert(name, below);
        }
        let forced = seed.is_some_and(Seed::has_parameter);
        let identifiers: Vec<&Node> =
            groups.values().filter_map(|group| group.nodes.as_ref()).collect();
        let joins = siblings::values_among(&words, &identifiers, &rest, before, self.vocabulary);
        let values = words.iter().zip(&joins).filter(|(_, joins)| **joins);
        let common =
            common_extension(values.map(|((name, _), _)| name.as_str())).map(str::to_owned);
        for ((name, node), joins) in words.into_iter().zip(joins) {
            let literal_seed = seed.and_then(|seed| seed.literal(&name));
            if literal_seed.is_some() || !(joins || forced) {
                let below = self.place(node, Before::of(&decoded(&name)), at, literal_seed);
                place.literals.insert(name, below);
            } else {
                let suffix = &name[without_extension(&name).len()..];
                let told_apart = groups.contains_key(suffix) || common.as_deref() == Some(suffix);
                let suffix = if told_apart { suffix } else { "" };
                let group = groups.entry(suffix.to_owned()).or_default();
                group.values.words = true;
                group.add(node, ClassSet::of(Class::Word), at, self.limits);
            }
        }
        for node in rest {
            let group = groups.entry(String::new()).or_default();
            group.values.words = true;
            group.add(node, ClassSet::ALL, at, self.limits);
        }
        for (suffix, group) in groups {
            let Some(node) = group.nodes else { continue };
            let seed = seed.and_then(|seed| seed.parameter());
            let mut values = group.values;
            values.seed_name = seed.map(|seed| seed.name().to_owned());
            let below = self.place(node, Before::Parameter, at + 1, seed);
            place.parameters.insert(suffix, Slot { place: below, values });
        }
        place
    }

    /// True for several known words.
    fn is_named(&self, head: &str) -> bool {
        class_of(head) == Class::Word && words(head).count() >= 2 && self.vocabulary.knows(head)
    }

    /// Groups identifiers of one class by suffix; one that only ever was a single value at the head of all paths is a name
    /// (`/2010-04-01/…`, `/1/…`).
    fn identifiers(
        &self,
        class: Class,
        kids: CappedMap<Node>,
        (before, at): (Before, usize),
        seed: Option<&Seed>,
        groups: &mut BTreeMap<String, Group>,
        words: &mut Vec<(String, Node)>,
    ) {
        let (kept, rest) = kids.into_parts();
        if let Some(node) = rest {
            // What stood behind these identifiers is not known, so the segments are texts.
            let group = groups.entry(String::new()).or_default();
            group.values.words = true;
            group.values.classes.insert(class);
            group.add(node, ClassSet::ALL, at, self.limits);
        }
        for (suffix, node) in kept {
            let suffix = String::from(suffix);
            let single = match node.segments.values().exact() {
                Some(values) if values.len() == 1 => values.keys().next().map(str::to_owned),
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
            let group = groups.entry(suffix).or_default();
            group.values.add(class, &node, self.limits);
            group.add(node, ClassSet::of(class), at, self.limits);
        }
    }
}

/// The suffix, such as `.json`, that all names have.
fn common_extension<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut suffixes = names.map(|name| &name[without_extension(name).len()..]);
    let first = suffixes.next()?;
    suffixes.all(|suffix| suffix == first).then_some(first)
}

/// A segment as its author wrote it.
pub(super) fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
