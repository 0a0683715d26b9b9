//! A change of the storage, and why it was not made.

use serde_json::{Map, Value};

use super::kind::Scopes;

/// One change of the contents.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mock) enum StorageChange {
    /// An entity is added or replaced. Without `scopes`, a replaced one keeps its parents.
    Put {
        /// The name of its kind.
        kind: String,
        /// See [`KindRule::key`](super::rule::KindRule::key).
        key: String,
        /// The entity.
        entity: Value,
        /// Its parents.
        scopes: Option<Scopes>,
    },
    /// An entity is removed.
    Delete {
        /// The name of its kind.
        kind: String,
        /// See [`KindRule::key`](super::rule::KindRule::key).
        key: String,
    },
    /// All values are replaced.
    Values(Map<String, Value>),
    /// All values and entities are removed.
    Clear,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The state file cannot be written.
    #[error("{0}")]
    File(String),
}
