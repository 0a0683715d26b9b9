//! Merges specs and partial states.
//!
//! [`specs`] is a join: the result describes everything that any of the documents describes. A
//! document merged with itself is unchanged; for documents that HMT built the order and grouping of
//! the inputs do not matter. It works on the documents' trees, so that unknown keywords survive.
//! [`crate::schema::join`] joins schemas. The rules for the rest are:
//!
//! * Templates that are equal up to the names of their parameters, and a trailing slash, are one
//!   path. The list of names that sorts first is used.
//! * A parameter, a header or a body is required only if both documents require it.
//! * A literal path of a document with recordings can match a template of the other document. It is
//!   united with the template if the template's parameters accept its segments; otherwise it stays
//!   a separate path. A document that itself has both keeps both. Within one call recordings come
//!   last, so that the order of the documents does not matter; merged in several calls, templates
//!   should come before recordings.
//! * A document of recordings only adds its recordings where an inferred document describes them:
//!   the constants of such an operation are left out.
//! * `x-hmt-replay` is a union of multisets: an answer occurs as often as in the document that has
//!   it most often.
//! * Components are renamed only if two with the same name cannot be united.
//!
//! [`three_way`] merges the changes of two sides since a common base. [`rebuild()`] adds traffic to
//! a spec that people edit.
//!
//! [`partials()`] unites states before a spec is inferred from them, using [`crate::infer`].

mod absorb;
mod components;
mod context;
mod extensions;
mod lists;
mod operation;
mod partials;
mod paths;
mod rebuild;
mod replay;
mod root;
mod security;
mod servers;
mod side;
mod subsume;
mod target;
mod three_way;
mod upgrade;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

pub use context::{ConflictPolicy, MergeError};
pub use partials::{NamedPartial, partials, settle_claims};
pub use rebuild::{Contradictions, Rebuilt, Widened, rebuild, remember};
pub use root::specs;
pub use three_way::{Conflict, three_way};
pub use upgrade::to_3_1;
