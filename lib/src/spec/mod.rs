//! OpenAPI documents as ordered trees: load, references, save.
//!
//! A document is a [`serde_json::Value`] whose maps keep their order, so that unknown keywords and
//! hand edits survive. Swagger 2.0 is converted to the form of OpenAPI 3.0 on loading; 3.0, 3.1 and
//! 3.2 are unchanged. This module does not know the meaning of schemas ([`crate::schema`]) or of
//! requests ([`crate::conform`]).

mod bundle;
mod dangling;

mod document;
mod examples;
mod home;
mod ids;
mod inline;
mod kind;
mod lift;
pub(crate) mod order;
mod place;
mod refs;
mod swagger;
mod text;
mod tree;

pub(crate) use bundle::UNRESOLVED;
pub use bundle::{ReadFile, load_bundle, load_to_rewrite, load_with_files, reader};
pub use dangling::check_refs;
pub use document::{Document, Format, SpecError, Version, load, parse_tree, read_file};
pub use home::{Home, is_url};
pub use place::{Place, PlaceError};
pub(crate) use refs::{Below, Keys, below};
pub use refs::{
    escape, join_pointer, locate, on_references, on_references_mut, pointer_keys, resolve,
};
pub use text::to_text;
pub(crate) use tree::from_yaml;

/// The keys of a path item that are operations.
pub const METHODS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
