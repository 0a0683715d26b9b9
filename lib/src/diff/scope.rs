//! The part of a message that a schema describes.

use super::change::Impact;

/// The sender of the values of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Request,
    Response,
}

/// The part of a message that a schema describes.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) side: Sender,
    /// The word in the names of rules: `body`, `parameter`, `header`.
    pub(super) part: &'static str,
    /// The name in messages: `the request body`.
    pub(super) name: String,
    /// The path to the value in this part: `/items/*/id`.
    pub(super) way: String,
}

impl Scope {
    pub(super) fn rule(&self, what: &str) -> String {
        let part = match (self.part, self.way.is_empty()) {
            (part, true) => part,
            ("body", false) => "property",
            ("parameter", false) => "parameter-property",
            (part, false) => part,
        };
        format!("{}-{part}-{what}", self.word())
    }

    pub(super) fn word(&self) -> &'static str {
        match self.side {
            Sender::Request => "request",
            Sender::Response => "response",
        }
    }

    pub(super) fn below(&self, key: &str) -> Scope {
        Scope { way: format!("{}/{key}", self.way), ..self.clone() }
    }

    pub(super) fn tell(&self, what: impl std::fmt::Display) -> String {
        let gap = if self.way.is_empty() { "" } else { " " };
        format!("{}{gap}{}: {what}", self.name, self.way)
    }

    /// The verdict on a change that removes or adds values.
    pub(super) fn verdict(&self, request: Impact, response: Impact) -> Impact {
        if self.side == Sender::Request { request } else { response }
    }
}
