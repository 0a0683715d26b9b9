//! `--explain PATH`: why the segments of a path are names, or values of a parameter.
//!
//! Reports the evidence that [`super::template`] uses, in its final state, and the decisions.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::names;
use super::seeds::TemplateSeed;
use super::template::{self, ParameterSlot, ParameterValues, TemplateNode, VALUE};
use crate::infer::Limits;
use crate::infer::finalise::Options;
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::state::{Class, Keyed, State, TrieNode, class_of, in_lexicon, split_path};

/// Lines that explain a path, which may begin with an origin, for every host with a part of it.
pub(crate) fn explain(
    state: &State,
    path: &str,
    options: &Options,
    limits: &Limits,
) -> Vec<String> {
    let (origin, path) = match path.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            (Some(format!("{scheme}://{}", &rest[..end])), &rest[end..])
        }
        None => (None, path),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let seed = TemplateSeed::of(&options.templates);
    let mut lines = Vec::new();
    for (name, host) in state.hosts.sorted() {
        if origin.as_deref().is_some_and(|origin| origin != name) {
            continue;
        }
        let vocabulary = Vocabulary::of(&host.paths);
        let root = template::template(
            host.paths.clone(),
            &vocabulary,
            seed.as_ref(),
            &options.literals,
            limits,
        );
        let why = Why { vocabulary: &vocabulary, options };
        let (template, steps) = why.walk(&root, &host.paths, seed.as_ref(), path);
        if steps.is_empty() && state.hosts.sorted().len() > 1 && origin.is_none() {
            continue;
        }
        lines.push(format!("{name}{path}: {template}"));
        lines.extend(steps);
    }
    if lines.is_empty() {
        lines.push(format!("{path}: this path is not in the spec of any host"));
    }
    lines
}

/// The parameter that a segment matches with the most literal text.
fn parameter<'p>(place: &'p TemplateNode, text: &str) -> Option<(&'p String, &'p ParameterSlot)> {
    let keyed = Keyed::of(text).and_then(|keyed| place.parameters.get_key_value(&keyed.pattern()));
    let behind = |pattern: &str| pattern.strip_prefix(VALUE).map(str::to_owned);
    keyed.or_else(|| {
        let fits = place
            .parameters
            .iter()
            .filter(|(pattern, _)| behind(pattern).is_some_and(|suffix| text.ends_with(&suffix)));
        fits.max_by_key(|(pattern, _)| pattern.len())
    })
}

/// A segment with the names of its parameters.
fn named(pattern: &str, names: &[String]) -> String {
    let mut all = String::new();
    let mut names = names.iter();
    for part in pattern.split_inclusive(VALUE) {
        match part.strip_suffix(VALUE).zip(names.next()) {
            Some((head, name)) => all.push_str(&format!("{head}{{{name}}}")),
            None => all.push_str(part),
        }
    }
    all
}

struct Why<'a> {
    vocabulary: &'a Vocabulary,
    options: &'a Options,
}

impl Why<'_> {
    /// The template of a path, and a line for each of its segments.
    fn walk(
        &self,
        root: &TemplateNode,
        paths: &TrieNode,
        seed: Option<&TemplateSeed>,
        path: &str,
    ) -> (String, Vec<String>) {
        let (mut place, mut nodes, mut seed) = (root, vec![paths], seed);
        let (mut template, mut lines) = (String::new(), Vec::new());
        let (mut before, mut taken): (Option<String>, Vec<String>) = (None, Vec::new());
        for segment in split_path(path).0 {
            let around = Around::of(&nodes, self.vocabulary);
            let text = percent_decode_str(segment).decode_utf8_lossy();
            if let Some(below) = place.literals.get(segment) {
                nodes = nodes.iter().flat_map(|node| node.named(segment)).collect();
                let seen: u64 = nodes.iter().map(|node| node.n).sum();
                let reason = self.name(&text, seed, &around);
                lines.push(format!("  {text}: a name, because {reason}; seen {seen} times"));
                template.push('/');
                template.push_str(segment);
                seed = seed.and_then(|seed| seed.literal(segment));
                (place, before) = (below, Some(segment.to_owned()));
            } else if let Some((pattern, slot)) = parameter(place, &text) {
                let values: Vec<ParameterValues> =
                    std::iter::once(&slot.values).chain(&slot.more).cloned().collect();
                let all = names::of_segment(before.as_deref(), pattern, &values, &taken);
                let name = all.join("}, {");
                let reason = self.value(&text, &slot.values, &around);
                lines.push(format!(
                    "  {text}: a value of {{{name}}}, because {reason}; at this place: {around}"
                ));
                template.push('/');
                template.push_str(&named(pattern, &all));
                let literals = &place.literals;
                nodes = nodes.iter().flat_map(|node| node.not_named(literals)).collect();
                seed = seed.and_then(|seed| seed.parameter());
                taken.extend(all);
                place = &slot.place;
            } else {
                lines.push(format!("  {text}: never seen at this place, which has {around}"));
                return (
                    format!("not a path, because nothing similar was seen below {template}/"),
                    lines,
                );
            }
        }
        if place.operations.is_empty() {
            return (format!("not a path, although there are some below {template}"), lines);
        }
        let methods: Vec<String> =
            place.operations.keys().map(|method| method.as_str().to_ascii_uppercase()).collect();
        (format!("{template} ({})", methods.join(", ")), lines)
    }

    fn name(&self, text: &str, seed: Option<&TemplateSeed>, around: &Around) -> String {
        if self.options.literals.contains(text) {
            "it is listed in --literals".to_owned()
        } else if seed.is_some_and(|seed| seed.literal(text).is_some()) {
            "it is in the initial spec".to_owned()
        } else if in_lexicon(text) {
            "it is a common name beside identifiers in APIs".to_owned()
        } else if class_of(text) == Class::Version {
            "it looks like an API's version".to_owned()
        } else if class_of(text) != Class::Word {
            "all paths begin with it, and it is the only value of its kind at this place".to_owned()
        } else if self.vocabulary.knows(text) {
            "its words are common in APIs or in the properties of this API".to_owned()
        } else {
            format!("nothing indicates a value; at this place: {around}")
        }
    }

    fn value(&self, text: &str, values: &ParameterValues, around: &Around) -> String {
        let class = class_of(text);
        if values.seed_name.is_some() {
            "the initial spec has a parameter here".to_owned()
        } else if class.is_id() {
            format!("it looks like one ({})", described(class))
        } else if !self.vocabulary.knows(text) {
            "it is not a word of this API or of APIs in general, and there are values at this place"
                .to_owned()
        } else if around.rest {
            "there are too many names at this place".to_owned()
        } else {
            "it has the same operations as the other values at this place".to_owned()
        }
    }
}

/// All children of one place.
#[derive(Default)]
struct Around {
    identifiers: BTreeMap<Class, u64>,
    words: u64,
    unknown: u64,
    /// Unknown words that were seen only once.
    once: u64,
    rest: bool,
}

impl Around {
    fn of(nodes: &[&TrieNode], vocabulary: &Vocabulary) -> Around {
        let mut around = Around::default();
        let mut words: BTreeMap<&str, u64> = BTreeMap::new();
        for (class, kids) in nodes.iter().flat_map(|node| &node.kids) {
            if class.is_id() {
                let n: u64 = kids.iter().map(|(_, kid)| kid.n).sum();
                *around.identifiers.entry(*class).or_insert(0) += n;
                continue;
            }
            around.rest |= kids.rest().is_some();
            for (name, kid) in kids.iter() {
                *words.entry(name).or_insert(0) += kid.n;
            }
        }
        around.words = words.len() as u64;
        for (name, n) in words {
            if !vocabulary.knows(&percent_decode_str(name).decode_utf8_lossy()) {
                around.unknown += 1;
                around.once += u64::from(n == 1);
            }
        }
        around
    }
}

impl std::fmt::Display for Around {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let identifiers = self.identifiers.iter();
        for (class, n) in identifiers {
            write!(f, "{} {n} times, ", described(*class))?;
        }
        let more = if self.rest { "or more " } else { "" };
        write!(f, "{} {more}different words, {} of them unknown", self.words, self.unknown)?;
        if self.once > 0 {
            write!(f, " ({} seen once)", self.once)?;
        }
        Ok(())
    }
}

fn described(class: Class) -> &'static str {
    match class {
        Class::Date => "a date",
        Class::Datetime => "a time",
        Class::Email => "an e-mail address",
        Class::Hex => "hexadecimal digits",
        Class::Int => "an integer",
        Class::Ip => "an IP address",
        Class::Keyed => "a key in parentheses",
        Class::Opaque => "a generated string of letters and digits",
        Class::Prefixed => "a prefix and an identifier",
        Class::Semver => "a version",
        Class::Sid => "a SID",
        Class::Ulid => "a ULID",
        Class::Uuid => "a UUID",
        Class::Version => "an API's version",
        Class::Word => "a word",
    }
}
