//! Which names mark a secret.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::traces::Traces;

/// The table of CLI.md section 4, and `apikey` as one word, which its `*api?key*` leaves out.
const SECRET: &[&str] = &[
    "*authorization*",
    "cookie",
    "set-cookie",
    "*token*",
    "*secret*",
    "*password*",
    "*passwd*",
    "*api?key*",
    "*apikey*",
    "x-api-key",
    "*session*",
    "*credential*",
];

/// True for a name that marks a secret (CLI.md section 4), whatever a recorder was told to add or to keep.
pub fn is_secret_name(name: &str) -> bool {
    static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| whole(SECRET).ok());
    // Nothing would be known of a name without the table, which is a constant that compiles.
    NAMES.as_ref().is_none_or(|names| names.is_match(name.as_bytes()))
}

/// Why a redactor cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedactError {
    /// Too many or too long patterns.
    #[error("the names to redact or to keep are too many or too long")]
    Patterns,
    /// No JSON pointer.
    #[error("{0:?} is no JSON pointer: write /part/part, with * for every key or index")]
    Pointer(String),
}

/// Names as patterns; letters count the same in both cases.
pub(super) struct Names {
    secret: Regex,
    keep: Option<Regex>,
    /// The letters that each secret name has.
    letters: Vec<u32>,
    traces: Traces,
}

impl Names {
    pub(super) fn new(add: &[String], keep: &[String]) -> Result<Self, RedactError> {
        let secret: Vec<&str> =
            SECRET.iter().copied().chain(add.iter().map(String::as_str)).collect();
        let keep: Vec<&str> = keep.iter().map(String::as_str).collect();
        Ok(Names {
            secret: whole(&secret)?,
            keep: if keep.is_empty() { None } else { Some(whole(&keep)?) },
            letters: secret.iter().map(|pattern| letters(pattern.as_bytes())).collect(),
            traces: Traces::new(&secret)?,
        })
    }

    pub(super) fn is_secret(&self, name: &[u8]) -> bool {
        let has = letters(name);
        // Most names lack a letter of each, which is seen in a tenth of the time.
        self.letters.iter().any(|needed| needed & !has == 0)
            && self.secret.is_match(name)
            && !self.is_kept(name)
    }

    pub(super) fn is_kept(&self, name: &[u8]) -> bool {
        self.keep.as_ref().is_some_and(|keep| keep.is_match(name))
    }

    /// False where no name in the body can be secret.
    pub(super) fn may_occur(&self, body: &[u8]) -> bool {
        self.traces.find(body, 0).is_some()
    }

    /// The next place at `from` or behind it where a part of a secret name stands, in any case.
    pub(super) fn next_trace(&self, body: &[u8], from: usize) -> Option<usize> {
        self.traces.find(body, from)
    }
}

/// A bit for each letter of the alphabet that the text has, in either case.
fn letters(text: &[u8]) -> u32 {
    let bit = |byte: &u8| match byte.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => 1 << (letter - b'a'),
        _ => 0,
    };
    text.iter().map(bit).fold(0, |all, bit| all | bit)
}

fn whole(patterns: &[&str]) -> Result<Regex, RedactError> {
    let parts: Vec<String> = patterns.iter().map(|pattern| to_regex(pattern)).collect();
    RegexBuilder::new(&format!("^(?:{})$", parts.join("|")))
        .unicode(false)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build()
        .map_err(|_| RedactError::Patterns)
}

pub(super) fn to_regex(pattern: &str) -> String {
    let mut regex = String::new();
    for c in pattern.chars() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex
}

/// A JSON pointer (RFC 6901) with `*` for every key or index.
pub(super) struct Pointer {
    pub(super) text: String,
    parts: Vec<String>,
}

impl Pointer {
    pub(super) fn parse(text: &str) -> Result<Self, RedactError> {
        let parts = match text.strip_prefix('/') {
            Some(rest) => {
                rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
            }
            None if text.is_empty() => Vec::new(),
            None => return Err(RedactError::Pointer(text.to_owned())),
        };
        Ok(Pointer { text: text.to_owned(), parts })
    }

    pub(super) fn matches(&self, path: &[String]) -> bool {
        self.parts.len() == path.len()
            && self.parts.iter().zip(path).all(|(part, step)| part == "*" || part == step)
    }
}
