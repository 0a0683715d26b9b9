//! Singular and plural of English nouns. [`singular`] is for names; [`stem`] is for comparisons,
//! and only needs to treat both numbers alike.
//!
//! The crate `pluralizer` (0.5) makes `cach` of `caches`, `kubernete` of `kubernetes` and `datum`
//! of `data`, so it would need as many exceptions, and would rename operations.

use std::borrow::Cow;

use super::split::letter_words;

/// The singular of a plural in lower case; other words unchanged.
pub(crate) fn singular(word: &str) -> Cow<'_, str> {
    const IRREGULAR: [(&str, &str); 10] = [
        ("analyses", "analysis"),
        ("caches", "cache"),
        ("children", "child"),
        ("ids", "id"),
        ("indices", "index"),
        ("men", "man"),
        ("movies", "movie"),
        ("people", "person"),
        ("vertices", "vertex"),
        ("women", "woman"),
    ];
    const AS_THEY_ARE: [&str; 5] = ["dns", "https", "news", "series", "species"];
    /// Their singular ends in `as`, unlike that of `cases` and `releases`.
    const IN_AS: [&str; 5] = ["aliases", "atlases", "biases", "canvases", "gases"];

    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        return Cow::Borrowed(one);
    }
    if word.len() <= 3 || !word.is_ascii() || AS_THEY_ARE.contains(&word) {
        return Cow::Borrowed(word);
    }
    if let Some(head) = word.strip_suffix("ies").filter(|head| head.len() > 1) {
        return Cow::Owned(format!("{head}y"));
    }
    let ends = |all: &[&str]| all.iter().any(|end| word.ends_with(end));
    // `statuses` and `viruses`, but `houses` and `clauses`.
    let in_us = ends(&["uses"]) && !ends(&["auses", "ouses", "cuses", "fuses"]);
    let cut = if ends(&["sses", "xes", "zzes", "ches", "shes"]) || in_us || IN_AS.contains(&word) {
        2
    } else {
        usize::from(word.ends_with('s') && !ends(&["ss", "us", "is"]))
    };
    Cow::Borrowed(&word[..word.len() - cut])
}

/// A light plural stemmer, the same one that created the list of the vocabulary.
pub(crate) fn stem(word: &str) -> Cow<'_, str> {
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
pub(crate) fn is_plural(name: &str) -> bool {
    letter_words(name).last().is_some_and(|word| stem(&word) != word || is_irregular_plural(&word))
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
    fn singulars() {
        for (many, one) in [
            ("users", "user"),
            ("categories", "category"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("branches", "branch"),
            ("releases", "release"),
            ("responses", "response"),
            ("houses", "house"),
            ("statuses", "status"),
            ("aliases", "alias"),
            ("databases", "database"),
            ("sizes", "size"),
            ("caches", "cache"),
            ("people", "person"),
            ("status", "status"),
            ("analysis", "analysis"),
            ("access", "access"),
            ("news", "news"),
            ("ids", "id"),
        ] {
            assert_eq!(singular(many), one, "{many}");
        }
    }
}
