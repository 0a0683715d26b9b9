//! The requests to the endpoints, and their answers.

use std::borrow::Cow;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, PRAGMA};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::super::answer::Answer;

/// A request to an endpoint.
pub(in crate::mock) struct Asked<'a> {
    pub(in crate::mock) parts: &'a Parts,
    /// The query, decoded.
    pub(in crate::mock) query: &'a [(Cow<'a, str>, Cow<'a, str>)],
    pub(in crate::mock) body: &'a [u8],
    /// The origin by which the client reached the mock, followed by the host if it is named in the
    /// path.
    pub(in crate::mock) reached: String,
}

/// The parameters of a request.
pub(super) struct Parameters(pub(super) Vec<(String, String)>);

impl Parameters {
    /// The parameters of a form or of a JSON object, which some clients send.
    pub(super) fn of_body(headers: &HeaderMap, body: &[u8]) -> Parameters {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|text| text.contains("json")) {
            let members = match serde_json::from_slice(body) {
                Ok(Value::Object(members)) => members,
                _ => serde_json::Map::new(),
            };
            let text = |value: Value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            return Parameters(members.into_iter().map(|(name, v)| (name, text(v))).collect());
        }
        Parameters(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The value of a parameter that is not empty. An empty one counts as absent (RFC 6749, section
    /// 3.1).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(own, value)| own == name && !value.is_empty());
        values.next().map(|(_, value)| value.as_str())
    }

    /// The name of a repeated parameter, which is an error (RFC 6749, section 3.1).
    pub(super) fn repeated(&self) -> Option<&str> {
        // `resource` and `audience` may be repeated (RFC 8707, RFC 8693).
        let once = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, (name, _))| !matches!(name.as_str(), "resource" | "audience"));
        let mut twice = once.filter(|(at, (name, _))| self.0[..*at].iter().any(|(n, _)| n == name));
        twice.next().map(|(_, (name, _))| name.as_str())
    }
}

/// An error of the token endpoint (RFC 6749, section 5.2).
pub(super) fn error(status: StatusCode, code: &str, description: &str) -> Answer {
    let mut answer = json_answer(status, &json!({"error": code, "error_description": description}));
    answer.note = Some(format!("{code}: {description}"));
    answer
}

/// A JSON answer that must not be cached.
pub(super) fn json_answer(status: StatusCode, value: &Value) -> Answer {
    let mut answer = Answer::empty(status);
    answer.body = value.to_string().into();
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    answer
}
