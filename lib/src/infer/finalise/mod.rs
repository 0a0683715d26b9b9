//! Converts a state to an OpenAPI document. All heuristics are here.
//!
//! Everything here reads only the finished state, iterates in sorted order and decides with
//! integers, so equal states give equal documents.
//!
//! First the paths are decided (`template`, with `siblings` and `signature`), then the objects in
//! all bodies: which are maps (`maps`), which of those at one place are a union (`unions`), and
//! which are the same kind (`graph`, `similar`, `likeness`). All observations of a kind are united
//! *before* any decision about it, so that `required`, `nullable` and enums are correct even for
//! sparse traffic. The API's own statistics determine how many observations are needed
//! (`confidence`). Then the document is written.

mod bodies;
mod calls;
mod components;
mod confidence;
mod constants;
mod detail;
mod document;
mod enums;
mod examples;
mod explain;
mod forms;
mod graph;
mod graphql;
mod hints;
mod intern;
mod labels;
mod likeness;
mod lists;
mod locales;
mod maps;
mod names;
mod not_found;
mod openapi;
mod operation;
mod operation_ids;
mod parameters;
mod schema;
mod security;
mod seeds;
mod siblings;
mod signature;
mod similar;
mod singular;
mod summaries;
mod template;
#[cfg(test)]
mod testing;
mod textual;
mod unions;
mod unread;
mod vocabulary;
mod wording;
mod xml;

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

pub(super) use document::document;
pub(super) use explain::explain;

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
