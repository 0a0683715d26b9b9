//! Which names mark a secret.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

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
    /// Finds in a body what a secret name has in any case; without a match there is no such name.
    trace: Regex,
}

impl Names {
    pub(super) fn new(add: &[String], keep: &[String]) -> Result<Self, RedactError> {
        let secret: Vec<&str> =
            SECRET.iter().copied().chain(add.iter().map(String::as_str)).collect();
        let keep: Vec<&str> = keep.iter().map(String::as_str).collect();
        // A name may also be written with escapes, of which only those of ASCII matter.
        let traces = secret.iter().map(|pattern| to_regex(pattern.trim_matches('*')));
        let trace = format!("{}|\\\\u00", traces.collect::<Vec<_>>().join("|"));
        Ok(Names {
            secret: whole(&secret)?,
            keep: if keep.is_empty() { None } else { Some(whole(&keep)?) },
            trace: compile(&trace)?,
        })
    }

    pub(super) fn is_secret(&self, name: &[u8]) -> bool {
        self.secret.is_match(name) && !self.is_kept(name)
    }

    pub(super) fn is_kept(&self, name: &[u8]) -> bool {
        self.keep.as_ref().is_some_and(|keep| keep.is_match(name))
    }

    pub(super) fn may_occur(&self, body: &[u8]) -> bool {
        self.trace.is_match(body)
    }

    /// Where parts of secret names stand.
    pub(super) fn traces(&self, body: &[u8]) -> impl Iterator<Item = usize> {
        self.trace.find_iter(body).map(|found| found.start())
    }
}

fn whole(patterns: &[&str]) -> Result<Regex, RedactError> {
    let parts: Vec<String> = patterns.iter().map(|pattern| to_regex(pattern)).collect();
    compile(&format!("^(?:{})$", parts.join("|")))
}

fn to_regex(pattern: &str) -> String {
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

fn compile(regex: &str) -> Result<Regex, RedactError> {
    RegexBuilder::new(regex)
        .unicode(false)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build()
        .map_err(|_| RedactError::Patterns)
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
