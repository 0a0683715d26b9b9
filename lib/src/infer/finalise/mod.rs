//! State to OpenAPI document: the only place with heuristics.
//!
//! Everything here looks at the finished state only, iterates in sorted order and decides by integers, so equal states give
//! equal documents.
//!
//! First paths are decided (`template`, by `siblings` and `signature`), then the objects in all bodies: which are maps (`maps`),
//! which of those at one place are a union (`unions`), and which are the same kind of thing (`graph`, `similar`, `likeness`). What was seen of a kind anywhere is united *before* anything is decided about it, so
//! that `required`, `nullable` and enums are right where traffic is sparse. How much must be seen before something is called
//! certain, the API itself tells (`confidence`). Then the document is written.

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
mod ghosts;
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

/// What finalising is told beside the state.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `info.title`; else the host's name.
    pub title: Option<String>,
    /// Path templates of an initial spec, base path included; they are honoured before any rule.
    pub templates: Vec<String>,
    /// Base paths of the servers of an initial spec, such as `/api/v1`: what lies below one is described without it, and the
    /// server has it.
    pub bases: Vec<String>,
    /// Segments that are names and never values, decoded ([`literals`]).
    pub literals: BTreeSet<String>,
    /// Count what was seen, under `x-hmt-evidence`.
    pub evidence: bool,
    /// Bound numbers, and the lengths of texts and arrays, by what was seen.
    pub tight: bool,
    /// Give observed values as examples.
    pub examples: bool,
}

/// The segments that a text names as literals: one a line, or paths, of which those in braces are none. Blank lines and lines
/// that begin with `#` say nothing.
pub fn literals(text: &str) -> BTreeSet<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split('/'))
        .filter(|segment| !segment.is_empty() && !segment.contains('{'))
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect()
}
