//! Words that an API's author would choose. Other words may be values.
//!
//! `vocabulary.txt` holds word stems that several unrelated providers use in path literals,
//! property names or both. It was counted over the public OpenAPI documents of the APIs.guru
//! directory (CC0), with each provider counting once. The words of the API's own JSON keys and
//! query names are added.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::bodies;
use super::maps::MapNames;
use crate::infer::sketch::add;
use crate::infer::state::{Json, Node, Operation, in_lexicon, without_extension};

/// Sorted, one stem per line.
const STEMS: &str = include_str!("vocabulary.txt");

/// A key in fewer objects at one place may be data.
const AGAIN: u64 = 3;

/// Known stems.
#[derive(Debug)]
pub(super) struct Vocabulary {
    built_in: Vec<&'static str>,
    own: BTreeSet<String>,
}

impl Vocabulary {
    pub(super) fn new() -> Self {
        Vocabulary { built_in: STEMS.lines().collect(), own: BTreeSet::new() }
    }

    /// The built-in words, and those in the property and query names of all operations of a host.
    /// Keys that are data are left out.
    pub(super) fn of(paths: &Node) -> Self {
        let operations = operations(paths);
        let bodies = || operations.iter().copied().flat_map(bodies::of_operation);
        let maps = MapNames::learn(bodies());
        let mut vocabulary = Vocabulary::new();
        for operation in &operations {
            for (name, _) in operation.ok.query.iter().chain(operation.unanswered.query.iter()) {
                vocabulary.learn(name);
            }
        }
        for body in bodies() {
            vocabulary.learn_keys(body, ("", ""), &maps);
        }
        vocabulary
    }

    fn learn_keys(&mut self, json: &Json, (around, name): (&str, &str), maps: &MapNames) {
        let objects = json.objects();
        let mut present: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, property) in objects.iter().flat_map(|(_, object)| object.keys.iter()) {
            add(present.entry(key).or_default(), property.present);
        }
        for (_, object) in objects {
            let names = maps.names(object, (around, name));
            for (key, property) in object.keys.iter() {
                if names.contains(key) {
                    if present.get(key).is_some_and(|n| *n >= AGAIN) {
                        self.learn(key);
                    }
                    self.learn_keys(&property.json, (name, key), maps);
                } else {
                    self.learn_keys(&property.json, (name, ""), maps);
                }
            }
        }
        if let Some(items) = json.array.as_ref().and_then(|array| array.items.as_ref()) {
            self.learn_keys(items, (around, name), maps);
        }
    }

    /// Adds the stems of a name that the API's author chose.
    pub(super) fn learn(&mut self, name: &str) {
        for word in words(name) {
            let stem = stem(&word);
            if !self.has(&stem) {
                self.own.insert(stem.into_owned());
            }
        }
    }

    fn has(&self, stem: &str) -> bool {
        self.built_in.binary_search(&stem).is_ok() || self.own.contains(stem)
    }

    /// True if every word of a segment is known. Segments without letters, and single letters with
    /// digits, are never known.
    pub(super) fn knows(&self, segment: &str) -> bool {
        let mut any = false;
        let segment = without_extension(segment);
        if is_host(segment) {
            return false;
        }
        in_lexicon(segment)
            || (words(segment).all(|word| {
                any |= word.len() > 1 || segment.len() == 1;
                word.len() == 1 || self.has(&stem(&word))
            }) && any)
    }
}

/// All operations of a tree.
pub(super) fn operations(paths: &Node) -> Vec<&Operation> {
    let mut all = Vec::new();
    collect(paths, &mut all);
    all
}

fn collect<'n>(node: &'n Node, operations: &mut Vec<&'n Operation>) {
    operations.extend(node.operations.values().map(AsRef::as_ref));
    for kids in node.kids.values() {
        for kid in kids.iter().map(|(_, kid)| kid).chain(kids.rest()) {
            collect(kid, operations);
        }
    }
}

/// The words of a name in lower case: `userIDs` and `user_ids` give `user` and `ids`. Digits end a
/// word and are left out.
pub(super) fn words(name: &str) -> impl Iterator<Item = String> + '_ {
    let mut chars = name.chars().peekable();
    std::iter::from_fn(move || {
        while chars.next_if(|c| !c.is_alphabetic()).is_some() {}
        let first = chars.next()?;
        let mut word = String::from(first);
        let mut upper = first.is_uppercase();
        while let Some(c) = chars.peek().copied() {
            if !c.is_alphabetic() || (c.is_uppercase() && !upper) {
                break;
            }
            if c.is_lowercase() && upper && word.chars().count() > 1 {
                // `IDsFor…`: the last capital begins the next word, except before a plural s.
                break;
            }
            word.push(c);
            chars.next();
            upper = c.is_uppercase();
        }
        Some(word.to_lowercase())
    })
}

/// True for a domain name under a frequent top-level domain.
fn is_host(segment: &str) -> bool {
    let mut labels = segment.split('.');
    let last = labels.next_back().unwrap_or("");
    matches!(
        last,
        "com"
            | "org"
            | "net"
            | "edu"
            | "gov"
            | "io"
            | "dev"
            | "co"
            | "uk"
            | "de"
            | "fr"
            | "eu"
            | "example"
    ) && labels.next().is_some()
}

/// A light plural stemmer, the same one that created the list.
pub(super) fn stem(word: &str) -> Cow<'_, str> {
    let len = word.len();
    if !word.is_ascii() {
        return Cow::Borrowed(word);
    }
    if len > 4
        && let Some(head) = word.strip_suffix("ies")
    {
        return Cow::Owned(format!("{head}y"));
    }
    if len > 4 && ["ses", "xes", "zes", "ches", "shes"].iter().any(|end| word.ends_with(end)) {
        return Cow::Borrowed(&word[..len - 2]);
    }
    if len > 3 && word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        return Cow::Borrowed(&word[..len - 1]);
    }
    Cow::Borrowed(word)
}

/// True if a name ends in a plural.
pub(super) fn is_plural(name: &str) -> bool {
    words(name).last().is_some_and(|word| stem(&word) != word || is_irregular_plural(&word))
}

fn is_irregular_plural(word: &str) -> bool {
    matches!(
        word,
        "people"
            | "children"
            | "men"
            | "women"
            | "data"
            | "media"
            | "criteria"
            | "news"
            | "series"
            | "species"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_names() {
        let of = |name: &str| words(name).collect::<Vec<_>>();
        assert_eq!(of("userId"), ["user", "id"]);
        assert_eq!(of("line-items_v2"), ["line", "items", "v"]);
        assert_eq!(of("HTTP"), ["http"]);
        assert_eq!(of("2fa"), ["fa"]);
        assert!(of("123").is_empty());
    }

    #[test]
    fn the_list_is_sorted_and_stemmed() {
        let vocabulary = Vocabulary::new();
        assert!(vocabulary.built_in.is_sorted());
        assert!(
            vocabulary.knows("users")
                && vocabulary.knows("line-items")
                && vocabulary.knows("orderHistory")
        );
        assert!(!vocabulary.knows("pikachu") && !vocabulary.knows("--"));
    }

    #[test]
    fn a_learnt_name_is_known() {
        let mut vocabulary = Vocabulary::new();
        assert!(!vocabulary.knows("wibbles"));
        vocabulary.learn("wibble_id");
        assert!(vocabulary.knows("wibbles"));
    }
}
