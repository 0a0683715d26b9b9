//! A change between two specs.

/// The effect of a change on clients of the old spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impact {
    /// The client may fail.
    Breaking,
    /// It depends on the client, or on what the spec does not say.
    Unknown,
    /// The client is not affected.
    Compatible,
}

impl Impact {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Impact::Breaking => "breaking",
            Impact::Unknown => "unknown",
            Impact::Compatible => "not breaking",
        }
    }
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The name of its rule.
    pub rule: String,
    /// The effect on clients.
    pub verdict: Impact,
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
