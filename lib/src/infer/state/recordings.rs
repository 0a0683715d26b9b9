//! Exact recordings: the multiset of requests with their responses, for replay and mixed mode.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::headers::is_hop_by_hop;
use crate::exchange::{
    self, Exchange, Pairs, is_credential_header, is_pseudonym, is_session_cookie, origin,
    sorted_path,
};
use crate::infer::Limits;
use crate::infer::sketch::{Merge, add};

/// Replaces a credential that was not redacted, because a spec must not contain it.
const PRESENT: &str = "hmt~0000000000000000000000";

/// The identity of a request: exactly the lookup key of `x-hmt-replay`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordedRequest {
    pub(crate) origin: String,
    /// With its query, sorted.
    pub(crate) path: String,
    pub(crate) method: String,
    /// JSON text of `{"body"?, "headers"?, "redacted"?}`; empty without any of them.
    pub(crate) request: String,
}

/// Responses as canonical JSON text, each with its count.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RecordedAnswers(pub(crate) BTreeMap<String, u64>);

/// All recordings. Not bounded, because replay needs all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RecordingSet(pub(crate) BTreeMap<RecordedRequest, RecordedAnswers>);

impl RecordingSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Folds an exchange. An exchange that was cut short could only be replayed wrongly. It is left
    /// out, and the result is false.
    pub(crate) fn fold(&mut self, exchange: &Exchange<'_>) -> bool {
        let Some(response) = &exchange.response else { return false };
        if exchange.meta.incomplete.is_some() || exchange.meta.truncated_response.is_some() {
            return false;
        }
        let request = &exchange.request;
        let key = RecordedRequest {
            origin: origin(request),
            path: sorted_path(&request.pathname, &request.query),
            method: request.method.as_str().to_owned(),
            request: request_part(exchange),
        };
        let mut answer = Map::new();
        if let Some(at) = &request.timestamp {
            answer.insert("at".to_owned(), at.as_ref().into());
        }
        match &response.body {
            exchange::Body::Empty => {}
            exchange::Body::Text(text) => {
                answer.insert("body".to_owned(), text.as_str().into());
            }
            exchange::Body::Binary(bytes) => {
                answer.insert("bodyBase64".to_owned(), STANDARD.encode(bytes).into());
            }
        }
        answer.insert("headers".to_owned(), end_to_end(&response.headers).into());
        if let Some(seq) = exchange.meta.seq {
            answer.insert("seq".to_owned(), seq.into());
        }
        answer.insert("status".to_owned(), response.status.into());
        let answers = self.0.entry(key).or_default();
        add(answers.0.entry(Value::Object(answer).to_string()).or_insert(0), 1);
        true
    }
}

/// The parts of a request that are matched besides its key, and where secrets were replaced.
fn request_part(exchange: &Exchange<'_>) -> String {
    let request = &exchange.request;
    let mut part = Map::new();
    match &request.body {
        exchange::Body::Empty => {}
        exchange::Body::Text(text) => {
            part.insert("body".to_owned(), text.as_str().into());
        }
        exchange::Body::Binary(bytes) => {
            part.insert("bodyBase64".to_owned(), STANDARD.encode(bytes).into());
        }
    }
    let headers = deciding_headers(exchange, !part.is_empty());
    if !headers.is_empty() {
        part.insert("headers".to_owned(), headers.into());
    }
    let places = exchange.meta.redacted.iter().filter(|place| place.starts_with("request."));
    let places: BTreeSet<&str> = places.map(AsRef::as_ref).collect();
    if !places.is_empty() {
        part.insert("redacted".to_owned(), places.into_iter().collect());
    }
    if part.is_empty() { String::new() } else { Value::Object(part).to_string() }
}

/// The request headers that select among responses: the type of a body, ranges and conditions, the
/// headers in the response's `Vary`, and credentials. Only the presence of a credential without
/// pseudonym is kept.
fn deciding_headers(exchange: &Exchange<'_>, has_body: bool) -> Map<String, Value> {
    let vary: Vec<&str> = exchange
        .response
        .iter()
        .flat_map(|response| &response.headers)
        .filter(|(name, _)| name == "vary")
        .flat_map(|(_, value)| value.split(','))
        .map(str::trim)
        .collect();
    let mut sorted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &exchange.request.headers {
        let value = if is_credential_header(name) {
            Some(hidden(value))
        } else if name == "cookie" {
            sessions(value)
        } else {
            let decides = match name.as_ref() {
                "content-type" => has_body,
                "range" | "if-match" | "if-none-match" | "if-modified-since" => true,
                "if-unmodified-since" | "if-range" => true,
                // Responses are stored decoded.
                "accept-encoding" => false,
                name => vary.iter().any(|named| named.eq_ignore_ascii_case(name)),
            };
            decides.then(|| value.to_string())
        };
        if let Some(value) = value {
            sorted.entry(name).or_default().push(value);
        }
    }
    sorted.into_iter().map(|(name, values)| (name.to_owned(), one_or_all(values))).collect()
}

/// A credential without its secret: the scheme and a pseudonym stay.
fn hidden(value: &str) -> String {
    let (scheme, secret) = match value.split_once(' ') {
        Some((scheme, secret)) => (Some(scheme), secret.trim()),
        None => (None, value),
    };
    let secret = if is_pseudonym(secret) { secret } else { PRESENT };
    scheme.map_or_else(|| secret.to_owned(), |scheme| format!("{scheme} {secret}"))
}

/// The cookies that name a session or a token.
fn sessions(value: &str) -> Option<String> {
    let pairs = value.split(';').filter_map(|pair| pair.trim().split_once('='));
    let sessions: Vec<String> = pairs
        .filter(|(name, value)| is_session_cookie(name) && !value.is_empty())
        .map(|(name, value)| format!("{name}={}", hidden(value)))
        .collect();
    (!sessions.is_empty()).then(|| sessions.join("; "))
}

fn one_or_all<T: Into<Value> + Clone>(values: Vec<T>) -> Value {
    match values.as_slice() {
        [one] => one.clone().into(),
        _ => Value::Array(values.into_iter().map(Into::into).collect()),
    }
}

/// The headers of an exact response: end-to-end headers, except those that depend on the body's
/// coding and the clock. Sorted by name; a repeated name has an array of values.
fn end_to_end(headers: &Pairs<'_>) -> Map<String, Value> {
    let mut sorted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in headers {
        if !is_hop_by_hop(name)
            && !matches!(name.as_ref(), "content-encoding" | "content-length" | "date")
        {
            sorted.entry(name).or_default().push(value);
        }
    }
    sorted.into_iter().map(|(name, values)| (name.to_owned(), one_or_all(values))).collect()
}

impl Merge for RecordingSet {
    fn coarsen(&mut self, _: &Limits) {}

    fn merge(&mut self, other: Self, _: &Limits) {
        for (key, answers) in other.0 {
            let mine = self.0.entry(key).or_default();
            for (answer, count) in answers.0 {
                add(mine.0.entry(answer).or_insert(0), count);
            }
        }
    }
}

/// A recording in a partial.
#[derive(Serialize, Deserialize)]
struct Line {
    answers: BTreeMap<String, u64>,
    method: String,
    origin: String,
    path: String,
    request: String,
}

impl Serialize for RecordingSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(key, answers)| Line {
            answers: answers.0.clone(),
            method: key.method.clone(),
            origin: key.origin.clone(),
            path: key.path.clone(),
            request: key.request.clone(),
        }))
    }
}

impl<'de> Deserialize<'de> for RecordingSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = Vec::<Line>::deserialize(deserializer)?;
        let entry = |line: Line| {
            let key = RecordedRequest {
                origin: line.origin,
                path: line.path,
                method: line.method,
                request: line.request,
            };
            (key, RecordedAnswers(line.answers))
        };
        Ok(RecordingSet(lines.into_iter().map(entry).collect()))
    }
}
