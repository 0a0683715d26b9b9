//! Exact recordings: the multiset of requests with their answers, for replay and mixed mode.

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

/// In the place of a credential that nobody replaced: a spec is no place for it.
const PRESENT: &str = "hmt~0000000000000000000000";

/// What names a request: exactly what `x-hmt-replay` is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) origin: String,
    /// With its query, sorted.
    pub(crate) path: String,
    pub(crate) method: String,
    /// JSON text of `{"body"?, "headers"?, "redacted"?}`; empty where there is none of them.
    pub(crate) request: String,
}

/// Answers as canonical JSON text, each with how often it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answers(pub(crate) BTreeMap<String, u64>);

/// All recordings. Not bounded: this is what replay is for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Recordings(pub(crate) BTreeMap<Key, Answers>);

impl Recordings {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Folds an exchange. One that was cut short could only be replayed wrongly, and is left out; the result tells.
    pub(crate) fn fold(&mut self, exchange: &Exchange<'_>) -> bool {
        let Some(response) = &exchange.response else { return false };
        if exchange.meta.incomplete.is_some() || exchange.meta.truncated_response.is_some() {
            return false;
        }
        let request = &exchange.request;
        let key = Key {
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

/// What of a request is matched besides its key, and where secrets were replaced in it.
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

/// The request headers that decide between answers: the type of a body, ranges and conditions, what the answer's `Vary`
/// names, and credentials. Of a credential that is no pseudonym only its presence is kept.
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
                // Answers are kept decoded.
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

/// A credential without its secret: a scheme in front of it stays, and so does a pseudonym.
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

/// The headers that an exact answer has: end-to-end ones but for those that the body's coding and the clock decide.
/// Sorted by name; a repeated name has an array of values.
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

impl Merge for Recordings {
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

/// A recording as it stands in a partial.
#[derive(Serialize, Deserialize)]
struct Line {
    answers: BTreeMap<String, u64>,
    method: String,
    origin: String,
    path: String,
    request: String,
}

impl Serialize for Recordings {
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

impl<'de> Deserialize<'de> for Recordings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = Vec::<Line>::deserialize(deserializer)?;
        let entry = |line: Line| {
            let key = Key {
                origin: line.origin,
                path: line.path,
                method: line.method,
                request: line.request,
            };
            (key, Answers(line.answers))
        };
        Ok(Recordings(lines.into_iter().map(entry).collect()))
    }
}
