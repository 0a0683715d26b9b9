//! Exact recordings: the multiset of requests with their answers, for replay and mixed mode.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::operation::is_hop_by_hop;
use crate::exchange::{self, Exchange, Pairs, origin, sorted_path};
use crate::infer::Limits;
use crate::infer::sketch::{Merge, add};

/// What names a request: exactly what `x-hmt-replay` is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) origin: String,
    /// With its query, sorted.
    pub(crate) path: String,
    pub(crate) method: String,
    /// JSON text of `{"body"?, "headers"?}`; empty where there is neither.
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
            request: request_part(request),
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

fn request_part(request: &exchange::Request<'_>) -> String {
    let mut part = Map::new();
    match &request.body {
        exchange::Body::Empty => return String::new(),
        exchange::Body::Text(text) => part.insert("body".to_owned(), text.as_str().into()),
        exchange::Body::Binary(bytes) => {
            part.insert("bodyBase64".to_owned(), STANDARD.encode(bytes).into())
        }
    };
    if let Some(media) = exchange::header(&request.headers, "content-type") {
        part.insert(
            "headers".to_owned(),
            Map::from_iter([("content-type".to_owned(), media.into())]).into(),
        );
    }
    Value::Object(part).to_string()
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
    sorted
        .into_iter()
        .map(|(name, values)| {
            let value = match values.as_slice() {
                [one] => Value::from(*one),
                _ => Value::from(values),
            };
            (name.to_owned(), value)
        })
        .collect()
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
