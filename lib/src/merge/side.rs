//! One of the two documents of a merge.

use serde_json::Value;

/// One of the two documents.
pub(super) struct SourceSpec<'v> {
    pub(super) root: &'v Value,
    pub(super) servers: Vec<Value>,
}
