//! The changes between two specs, and what each means for clients.
//!
//! A change is breaking if the new spec may reject requests that the old spec accepts, or allows
//! responses that the old spec does not allow. The rules have the names of oasdiff
//! (<https://github.com/oasdiff/oasdiff>, `docs/BREAKING-CHANGES.md`) if oasdiff has a rule for the
//! change.

mod change;
mod flat;
mod message;
mod parameters;
mod paths;
mod report;
mod schema;
mod scope;
#[cfg(test)]
mod tests;

use crate::spec::Document;

pub use change::{Change, Impact};
pub use report::report;

/// The changes from one spec to another, by operation. References are followed, so that a change of
/// a component is a change of each operation that uses it, and moving a schema into a component is
/// none.
pub fn diff(old: &Document, new: &Document) -> Vec<Change> {
    let mut walk = Walk::default();
    walk.documents(old, new);
    walk.changes
}

/// The current place of the comparison, and its results.
#[derive(Default)]
struct Walk {
    changes: Vec<Change>,
    method: String,
    path: String,
    status: Option<String>,
    /// Pairs of schemas that were compared within the message.
    compared: std::collections::HashSet<(String, String)>,
}

impl Walk {
    fn add(
        &mut self,
        verdict: Impact,
        rule: impl Into<String>,
        pointer: &str,
        message: impl Into<String>,
    ) {
        self.changes.push(Change {
            rule: rule.into(),
            verdict,
            method: self.method.clone(),
            path: self.path.clone(),
            status: self.status.clone(),
            pointer: pointer.to_owned(),
            message: message.into(),
        });
    }
}
