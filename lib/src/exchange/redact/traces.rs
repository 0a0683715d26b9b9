//! Finds the positions where a body may have a secret. Most bodies have none, so this search is the
//! whole cost of redacting them.
//!
//! [`super::scan`] searches for the words of the table and the prefixes of known keys. Each
//! position is then verified: the name around it must match the table, or a shape must begin there.

use std::ops::Range;
use std::sync::LazyLock;

use super::names::{NameKind, NameMatcher};
use super::scan::Scanner;
use super::shapes::{curl_user, shape_at};
use super::table::{KEYS, Match, NAMES};

/// Maximum distance to the ends of a name; names are short.
const NEAR: usize = 64;

/// Positions where a text may have secrets.
#[derive(Default)]
pub(super) struct Candidates {
    /// Positions within names or at the start of shapes, in order.
    pub(super) places: Vec<usize>,
    /// Every value must be examined, because of the user's options.
    pub(super) everywhere: bool,
}

impl Candidates {
    /// True if there is nothing to examine.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty() && !self.everywhere
    }

    /// True if the range contains something to examine.
    pub(super) fn within(&self, range: Range<usize>) -> bool {
        if self.everywhere {
            return true;
        }
        let next = self.places.partition_point(|place| *place < range.start);
        self.places.get(next).is_some_and(|place| *place < range.end)
    }
}

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    let names = words_of_names().into_iter().map(|word| (word, false));
    let shapes = words_of_shapes().into_iter().map(|word| (word, true));
    Scanner::new(&names.chain(shapes).collect::<Vec<_>>())
});

/// The words of the table to search for, without those that contain another one.
fn words_of_names() -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for row in NAMES.iter().filter(|row| row.place != Match::OnlyQuery) {
        let marked = row.words.split(' ').find_map(|word| word.strip_prefix('*'));
        let last = row.words.split(' ').next_back().unwrap_or(row.words);
        match marked {
            Some(word) => words.push(word.to_owned()),
            None if row.place == Match::Last && last.len() > 3 => words.push(last.to_owned()),
            None => {
                words.push(format!("{last}_"));
                if row.place == Match::Last {
                    words.push(format!("{last}s_"));
                }
            }
        }
    }
    // A JSON Web Key (RFC 7517).
    words.push("_kty_".to_owned());
    // Only in a query, which is checked later: `code` of OAuth, and `key`.
    words.push("_code_".to_owned());
    // A letter of a name may be written as an escape.
    words.push("_u__".to_owned());
    without_longer(words, |word, other| word.contains(other))
}

fn words_of_shapes() -> Vec<String> {
    let mut words: Vec<String> =
        ["_eyj", "_eya", "_begin_", "_basic_", "_curl_"].map(str::to_owned).to_vec();
    for row in KEYS {
        let letter = |byte: u8| {
            if byte.is_ascii_alphabetic() { byte.to_ascii_lowercase() as char } else { '_' }
        };
        let mapped: String = row.prefix.bytes().map(letter).collect();
        if mapped.len() > 2 {
            words.push(format!("_{mapped}"));
        } else {
            words.extend("_abcdef".chars().map(|next| format!("_{mapped}{next}")));
        }
    }
    without_longer(words, |word, other| word.starts_with(other))
}

/// The words without those that contain another word.
fn without_longer(mut words: Vec<String>, covers: fn(&str, &str) -> bool) -> Vec<String> {
    words.sort();
    words.dedup();
    let all = words.clone();
    words.retain(|word| !all.iter().any(|other| other != word && covers(word, other)));
    words
}

/// The positions of possible secrets and of possible names of secrets.
pub(super) fn candidates(text: &[u8], names: &NameMatcher) -> Candidates {
    let mut found = Candidates { places: Vec::new(), everywhere: names.are_added() };
    SCANNER.scan(text, |at, is_shape| {
        if at < text.len() {
            verify(text, at, is_shape, names, &mut found.places);
        }
    });
    for at in memchr::memchr_iter(b'@', text) {
        if let Some(shape) = shape_at(text, at) {
            found.places.push(shape.secret.start);
        }
    }
    found.places.sort_unstable();
    found.places.dedup();
    found
}

fn verify(text: &[u8], at: usize, is_shape: bool, names: &NameMatcher, places: &mut Vec<usize>) {
    if is_shape {
        if text[at..].starts_with(b"curl ") {
            places.extend(curl_user(text, at));
            return;
        }
        // `-----BEGIN` begins with its dashes.
        let start = if text[at..].starts_with(b"BEGIN ") { at.saturating_sub(5) } else { at };
        if shape_at(text, start).is_some() {
            places.push(start);
        }
        return;
    }
    let rest = &text[at..];
    if rest.starts_with(b"u00") && at > 0 && text[at - 1] == b'\\' {
        places.push(at);
        return;
    }
    if rest.first().is_some_and(|byte| matches!(byte, b'B' | b'b'))
        && let Some(shape) = shape_at(text, at)
    {
        places.push(at);
        debug_assert!(shape.secret.start > at);
        return;
    }
    if name_is_secret(text, at, names) {
        places.push(at);
    }
}

fn name_is_secret(text: &[u8], at: usize, names: &NameMatcher) -> bool {
    let name = name_around(text, at);
    let bytes = &text[name.clone()];
    if bytes.eq_ignore_ascii_case(b"code") {
        return is_in_query(text, &name);
    }
    names.rule(bytes, NameKind::Other).is_some()
        || bytes.eq_ignore_ascii_case(b"cookies")
        || bytes == b"kty"
        || bytes.eq_ignore_ascii_case(b"key") && is_in_query(text, &name)
}

/// True if the name is in a query: `?name=` or `&name=`.
pub(super) fn is_in_query(text: &[u8], name: &Range<usize>) -> bool {
    let before = name.start.checked_sub(1).map(|before| text[before]);
    let amp = text[..name.start].ends_with(b"&amp;");
    (amp || matches!(before, Some(b'?' | b'&' | b'#'))) && text.get(name.end) == Some(&b'=')
}

/// True for bytes of a name.
pub(super) fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b':' | b'[' | b']' | b'$')
        || !byte.is_ascii()
}

/// The name that contains the byte at `at`, without colons and dots at its ends.
pub(super) fn name_around(text: &[u8], at: usize) -> Range<usize> {
    let least = at.saturating_sub(NEAR);
    let most = text.len().min(at + NEAR);
    let before = text[least..at].iter().rev().take_while(|byte| is_of_name(**byte)).count();
    let behind = text[at..most].iter().take_while(|byte| is_of_name(**byte)).count();
    let mut name = at - before..at + behind;
    let is_loose = |byte: u8| matches!(byte, b':' | b'.' | b'[');
    while name.end > at && is_loose(text[name.end - 1]) {
        name.end -= 1;
    }
    while name.start < at && matches!(text[name.start], b':' | b'.' | b'[' | b']') {
        name.start += 1;
    }
    // `a:1` and `name:value` are more than one name: the part after the colon is ignored, unless
    // the part before it is a namespace.
    if let Some(colon) = text[at..name.end].iter().position(|byte| *byte == b':') {
        name.end = at + colon;
    }
    // `%3Ftoken%3D` is a name in a URL that is percent-encoded as a whole.
    if name.start > 0
        && text[name.start - 1] == b'%'
        && name.start + 2 <= at
        && text[name.start..name.start + 2].iter().all(u8::is_ascii_hexdigit)
    {
        name.start += 2;
    }
    // An escape before a name, as in `\nPassword`, adds one letter.
    if name.start > 0
        && text[name.start - 1] == b'\\'
        && name.start < at
        && matches!(text[name.start], b'n' | b'r' | b't')
    {
        name.start += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::scan::OVERLAP;
    use super::*;

    /// Windows begin at multiples of this number.
    const WINDOW: usize = 2 << 10;

    fn places(text: &str) -> Vec<usize> {
        candidates(text.as_bytes(), &NameMatcher::new(&[], &[]).unwrap()).places
    }

    #[test]
    fn the_words_are_few_and_long() {
        let (names, shapes) = (words_of_names(), words_of_shapes());
        assert!(names.len() + shapes.len() < 128, "{} {}", names.len(), shapes.len());
        for word in names.iter().chain(&shapes) {
            assert!((4..=OVERLAP).contains(&word.len()), "{word}");
        }
    }

    #[test]
    fn every_row_is_found_in_any_case_and_across_windows() {
        for row in NAMES.iter().filter(|row| row.place != Match::OnlyQuery) {
            let words: Vec<&str> =
                row.words.split(' ').map(|word| word.trim_start_matches('*')).collect();
            for name in [words.join("_"), words.join("-").to_uppercase(), words.concat()] {
                for pad in [0, 1, 60, 80, 90, 100].into_iter().chain(WINDOW - 60..WINDOW + 2) {
                    let text = format!("{}\"{name}\":", " ".repeat(pad));
                    let found = places(&text);
                    let inside = pad + 1..=pad + name.len();
                    assert!(
                        found.iter().any(|at| inside.contains(at)),
                        "{name} at {pad}: {found:?}"
                    );
                }
                assert!(!places(&name).is_empty(), "{name} alone");
            }
        }
        for row in KEYS {
            let key = format!("{}{}", row.prefix, "1A".repeat(row.least).get(..row.least).unwrap());
            let key = if row.alphabet == super::super::table::Alphabet::Hex {
                key.replace('A', "a")
            } else {
                key
            };
            let key = if row.prefix == "SK" || row.prefix == "dapi" {
                key.replace("1A", "1a")
            } else {
                key
            };
            for text in
                [key.clone(), format!("x {key} y"), format!("{}\"{key}\"", " ".repeat(WINDOW - 7))]
            {
                assert!(!places(&text).is_empty(), "{text}");
            }
        }
    }

    #[test]
    fn other_text_has_no_candidates() {
        for text in [
            r#"{"id":1,"name":"design","keys":["shipping","inside"],"max_tokens":1,"key":"v"}"#,
            "the author of a compass, sessions and spins",
            "jo@example.com, https://h.test/a@b?page=2&sort=key",
        ] {
            assert_eq!(places(text), [0; 0], "{text}");
        }
    }
}
