//! What an endpoint gets and returns.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::super::Mock;
use super::super::answer::Answer;
use crate::exchange::Redactor;

/// A request to an endpoint.
pub(super) struct AdminCall<'a> {
    pub(super) mock: &'a Arc<Mock>,
    pub(super) redactor: Option<&'a Arc<Redactor>>,
    pub(super) parts: &'a Parts,
    pub(super) body: &'a Bytes,
    /// The values of the parameters in the route's path, in order, percent-encoded.
    pub(super) parameters: Vec<&'a str>,
}

impl AdminCall<'_> {
    /// The value of the route's only parameter, decoded.
    pub(super) fn parameter(&self) -> String {
        let value = self.parameters.first().copied().unwrap_or_default();
        percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, Box<Answer>> {
        serde_json::from_slice(self.body).map_err(|error| {
            let detail = format!("line {}, column {}", error.line(), error.column());
            Box::new(invalid(&format!("the body is not JSON: {detail}")))
        })
    }
}

/// The response of a handler.
pub(super) enum Reply {
    Answer(Box<Answer>),
    /// An event stream, which ends when the client stops reading.
    Events(mpsc::Receiver<Bytes>),
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply::Answer(Box::new(answer))
    }
}

/// The result of a handler, which may be asynchronous.
pub(super) type Handling<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// A response that is ready at once.
pub(super) fn ready<'a>(answer: Answer) -> Handling<'a> {
    Box::pin(std::future::ready(answer.into()))
}

/// A 400 for a body or a query that an endpoint cannot use.
pub(super) fn invalid(why: &str) -> Answer {
    Answer::problem(StatusCode::BAD_REQUEST, "the request cannot be used", why)
}

/// A 200 with a JSON object.
pub(super) fn object(members: Map<String, Value>) -> Answer {
    json(StatusCode::OK, Value::Object(members).to_string())
}

/// A 200 with JSON text.
pub(super) fn json(status: StatusCode, text: String) -> Answer {
    let mut answer = Answer::empty(status);
    answer.body = text.into();
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
