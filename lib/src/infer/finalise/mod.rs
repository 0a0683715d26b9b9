//! Converts a state to an OpenAPI document. All heuristics are here.
//!
//! Everything here reads only the finished state, iterates in sorted order and decides with
//! integers, so equal states give equal documents.
//!
//! First, `paths` decides which segments are parameters (`template`, with `siblings` and
//! `signature`). Then, `schemas` decides about the objects in all bodies: which are maps
//! (`maps`), which of those at one place are a union (`unions`), and which are the same kind
//! (`graph`, `similar`, `likeness`). All observations of a kind are united *before* any decision
//! about it, so that `required`, `nullable` and enums are correct even for sparse traffic. The
//! API's own statistics determine how many observations are needed (`confidence`). Last, `labels`
//! names the operations, and `document` writes the document. `words` splits and compares
//! names.

mod document;
mod labels;
mod options;
mod paths;
mod schemas;
mod words;

pub(super) use document::document;
pub use options::{Options, literals};
pub(super) use paths::explain::explain;
