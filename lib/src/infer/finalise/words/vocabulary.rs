//! Words that an API's author would choose. Other words may be values.
//!
//! `vocabulary.txt` holds word stems that several unrelated providers use in path literals,
//! property names or both. It was counted over the public OpenAPI documents of the APIs.guru
//! directory (CC0), with each provider counting once. The words of the API's own names are added.

use std::collections::BTreeSet;

use super::english::stem;
use super::split::letter_words;
use crate::infer::state::{in_lexicon, without_extension};

/// Sorted, one stem per line.
const STEMS: &str = include_str!("vocabulary.txt");

/// Known stems.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    built_in: Vec<&'static str>,
    own: BTreeSet<String>,
}

impl Vocabulary {
    pub(crate) fn new() -> Self {
        Vocabulary { built_in: STEMS.lines().collect(), own: BTreeSet::new() }
    }

    /// Adds the stems of a name that the API's author chose.
    pub(crate) fn learn(&mut self, name: &str) {
        for word in letter_words(name) {
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
    pub(crate) fn knows(&self, segment: &str) -> bool {
        let mut any = false;
        let segment = without_extension(segment);
        if is_host(segment) {
            return false;
        }
        in_lexicon(segment)
            || (letter_words(segment).all(|word| {
                any |= word.len() > 1 || segment.len() == 1;
                word.len() == 1 || self.has(&stem(&word))
            }) && any)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
