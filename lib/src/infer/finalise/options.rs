//! The options of the conversion from a state to a document.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

/// The options of the conversion.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `info.title`; by default the name of the host.
    pub title: Option<String>,
    /// Path templates of an initial spec, including base paths; they take precedence over all
    /// rules.
    pub templates: Vec<String>,
    /// Base paths of the servers in an initial spec, such as `/api/v1`. Paths below one are
    /// described without it, and the server URL contains it.
    pub bases: Vec<String>,
    /// Decoded segments that are always names and never values ([`literals`]).
    pub literals: BTreeSet<String>,
    /// Write counts of observations, under `x-hmt-evidence`.
    pub evidence: bool,
    /// Write observed bounds of numbers, and of the lengths of texts and arrays.
    pub tight: bool,
    /// Write observed values as examples.
    pub examples: bool,
}

/// Parses a list of literal segments: one per line, or paths, whose segments in braces are ignored.
/// Blank lines and lines that begin with `#` are skipped.
pub fn literals(text: &str) -> BTreeSet<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split('/'))
        .filter(|segment| !segment.is_empty() && !segment.contains('{'))
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect()
}
