//! A change between two specs.

/// What a change means for a client of the old spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It may fail.
    Breaking,
    /// It depends on the client, or on what the spec does not say.
    Unknown,
    /// It goes on as before.
    Compatible,
}

impl Verdict {
    /// As reports write it.
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
    /// The name of the rule that it falls under.
    pub rule: String,
    /// What it means for clients.
    pub verdict: Verdict,
    /// The method in lower case; empty for what belongs to no operation.
    pub method: String,
    /// The path template of the new spec, or of the old one where it was removed; empty for what
    /// belongs to no operation.
    pub path: String,
    /// The key of the response that it is in.
    pub status: Option<String>,
    /// JSON pointer in the new spec, or in the old one for what was removed.
    pub pointer: String,
    /// What has changed, in words.
    pub message: String,
}
