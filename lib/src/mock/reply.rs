//! An answer, before it is a message.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::net::problem_json;
use crate::recorded::Answer;

/// Where an answer came from; the header `x-hmt-source` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An exact recording.
    Recording,
    /// An example of the spec.
    Example,
    /// Data generated from a schema.
    Generated,
    /// The real server.
    Upstream,
}

impl Source {
    /// As in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Recording => "recording",
            Source::Example => "example",
            Source::Generated => "generated",
            Source::Upstream => "upstream",
        }
    }
}

/// An answer of the mock.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status, 200 to 999.
    pub status: StatusCode,
    /// All headers but those of the connection and the body's length.
    pub headers: HeaderMap,
    /// The body, also where the request was a HEAD.
    pub body: Bytes,
    /// `None` for our own errors.
    pub source: Option<Source>,
    /// What to tell a person who wonders why this came.
    pub note: Option<String>,
    /// True where no spec has such an operation.
    pub(super) missed: bool,
}

impl Reply {
    pub(super) fn empty(status: StatusCode) -> Reply {
        Reply {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            source: None,
            note: None,
            missed: false,
        }
    }

    pub(super) fn recorded(answer: &Answer) -> Reply {
        Reply {
            headers: answer.headers.clone(),
            body: answer.body.clone(),
            source: Some(Source::Recording),
            ..Reply::empty(answer.status)
        }
    }

    /// An error of ours as problem+json (RFC 9457).
    pub(super) fn problem(status: StatusCode, title: &str, detail: &str) -> Reply {
        Reply::problem_with(status, title, detail, Map::new())
    }

    /// A problem with further members.
    pub(super) fn problem_with(
        status: StatusCode,
        title: &str,
        detail: &str,
        extra: Map<String, Value>,
    ) -> Reply {
        let mut reply = Reply::empty(status);
        reply.body = problem_json(status, title, detail, extra).into();
        let json = HeaderValue::from_static("application/problem+json");
        reply.headers.insert(CONTENT_TYPE, json);
        reply.note = Some(format!("{title}: {detail}"));
        reply
    }
}
