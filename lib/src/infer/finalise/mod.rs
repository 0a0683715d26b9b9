//! State to OpenAPI document: the only place with heuristics.
//!
//! Everything here looks at the finished state only, iterates in sorted order and decides by integers, so equal states give
//! equal documents.
//!
//! First paths are decided (`template`), then the objects in all bodies: which are maps (`maps`), and which are the same kind of
//! thing (`graph`, `similar`, `likeness`). What was seen of a kind anywhere is united *before* anything is decided about it, so
//! that `required`, `nullable` and enums are right where traffic is sparse. Then the document is written.

mod bodies;
mod components;
mod constants;
mod document;
mod enums;
mod ghosts;
mod graph;
mod labels;
mod likeness;
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
mod vocabulary;
mod wording;

pub(super) use document::document;

/// What finalising is told beside the state.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `info.title`; else the host's name.
    pub title: Option<String>,
    /// Path templates of an initial spec, base path included; they are honoured before any rule.
    pub templates: Vec<String>,
}
