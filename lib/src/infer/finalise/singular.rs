//! The singular of an English noun for use in names. (The stemmer of the vocabulary only needs to
//! treat both numbers alike.)

use std::borrow::Cow;

/// The singular of a plural in lower case; other words unchanged.
pub(super) fn singular(word: &str) -> Cow<'_, str> {
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
