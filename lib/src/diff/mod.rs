//! The changes between two specs, and what each means for clients.
//!
//! A change is breaking if the new spec may reject requests that the old spec accepts, or allows
//! responses that the old spec does not allow. The rules have the names of oasdiff
//! (<https://github.com/oasdiff/oasdiff>, `docs/BREAKING-CHANGES.md`) if oasdiff has a rule for the
//! change.

mod flat;
mod message;
mod parameters;
mod paths;
mod report;
mod schema;
#[cfg(test)]
mod tests;

use crate::spec::Document;

pub use report::report;

/// The effect of a change on clients of the old spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The client may fail.
    Breaking,
    /// It depends on the client, or on what the spec does not say.
    Unknown,
    /// The client is not affected.
    Compatible,
}

impl Verdict {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Breaking => "breaking",
            Verdict::Unknown => "unknown",
            Verdict::Compatible => "not breaking",
        }
    }
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The name of its rule.
    pub rule: String,
    /// The effect on clients.
    pub verdict: Verdict,
    /// The method in lower case; empty if the change does not belong to an operation.
    pub method: String,
    /// The path template of the new spec, or of the old one if the path was removed; empty if the
    /// change does not belong to an operation.
    pub path: String,
    /// The key of the response that contains the change.
    pub status: Option<String>,
    /// JSON pointer in the new spec, or in the old one for a removed part.
    pub pointer: String,
    /// A description of the change.
    pub message: String,
}

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
        verdict: Verdict,
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
