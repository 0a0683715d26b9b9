//! State to OpenAPI document: the only place with heuristics.
//!
//! Everything here looks at the finished state only, iterates in sorted order and decides by integers, so equal states give
//! equal documents.

mod constants;
mod document;
mod enums;
mod ghosts;
mod maps;
mod names;
mod operation;
mod parameters;
mod schema;
mod seeds;
mod template;
mod vocabulary;

pub(super) use document::document;

/// What finalising is told beside the state.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `info.title`; else the host's name.
    pub title: Option<String>,
    /// Path templates of an initial spec, base path included; they are honoured before any rule.
    pub templates: Vec<String>,
}
