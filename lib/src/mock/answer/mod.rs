//! An answer, before it is converted to a response.

pub(super) mod binary;
pub(super) mod media;
mod xml;

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::net::problem_json;
use crate::recorded;

use super::fault::Delivery;
use super::firing::Outgoing;

/// The source of an answer, for the header `x-hmt-source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerSource {
    /// An exact recording.
    Recording,
    /// An example of the spec.
    Example,
    /// Composed or generated from a schema.
    Generated,
    /// The entities that the mock keeps.
    State,
    /// The real server.
    Upstream,
    /// A configured or requested fault.
    Fault,
    /// An override.
    Override,
    /// An endpoint of OAuth 2.0 or OpenID Connect.
    OAuth,
    /// A callback has changed the answer, or failed.
    Callback,
}

impl AnswerSource {
    /// The value in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            AnswerSource::Recording => "recording",
            AnswerSource::Example => "example",
            AnswerSource::Generated => "generated",
            AnswerSource::State => "state",
            AnswerSource::Upstream => "upstream",
            AnswerSource::Fault => "fault",
            AnswerSource::Override => "override",
            AnswerSource::OAuth => "oauth",
            AnswerSource::Callback => "callback",
        }
    }
}

/// An answer of the mock.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status, 200 to 999.
    pub status: StatusCode,
    /// All headers but those of the connection and the body's length.
    pub headers: HeaderMap,
    /// The body, even if the request was a HEAD.
    pub body: Bytes,
    /// `None` for errors of the mock itself.
    pub source: Option<AnswerSource>,
    /// The reason for this answer, for the trace line.
    pub note: Option<String>,
    /// True if the answer depends only on the request and the specs, not on state, time or random
    /// numbers.
    pub(super) is_steady: bool,
    /// How the answer reaches the client.
    pub delivery: Delivery,
    /// The operation that took the request, as `METHOD template`; only set if there is a journal.
    pub operation: Option<Arc<str>>,
    /// How the request violates the spec.
    pub violations: Vec<Value>,
    /// The requests that the API sends after the answer.
    pub(super) outgoing: Vec<Outgoing>,
}

impl Answer {
    pub(super) fn empty(status: StatusCode) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            source: None,
            note: None,
            is_steady: false,
            delivery: Delivery::default(),
            operation: None,
            violations: Vec::new(),
            outgoing: Vec::new(),
        }
    }

    pub(super) fn recorded(answer: &recorded::RecordedAnswer) -> Answer {
        Answer {
            headers: answer.headers.clone(),
            body: answer.body.clone(),
            source: Some(AnswerSource::Recording),
            ..Answer::empty(answer.status)
        }
    }

    /// An error of the mock as problem+json (RFC 9457).
    pub(super) fn problem(status: StatusCode, title: &str, detail: &str) -> Answer {
        Answer::problem_with(status, title, detail, Map::new())
    }

    /// A problem with further members.
    pub(super) fn problem_with(
        status: StatusCode,
        title: &str,
        detail: &str,
        extra: Map<String, Value>,
    ) -> Answer {
        let mut answer = Answer::empty(status);
        answer.body = problem_json(status, title, detail, extra).into();
        let json = HeaderValue::from_static("application/problem+json");
        answer.headers.insert(CONTENT_TYPE, json);
        answer.note = Some(format!("{title}: {detail}"));
        answer
    }
}
