//! Reads `x-hmt-replay`, the recordings in a spec (man page `hmt-spec(5)`).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::exchange::{
    Body, Exchange, Meta, Method, Pairs, Protocol, Request, Response, parse_query,
};

use super::answer::{RecordedAnswer, Unanswerable, bytes_of, instant};
use super::index::{InsertOptions, Recordings};

const KEY: &str = "x-hmt-replay";

/// An invalid value in `x-hmt-replay`.
#[derive(Debug, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct ReplayError {
    /// A JSON pointer into the document.
    pub pointer: String,
    /// The problem.
    pub message: String,
}

impl Recordings {
    /// Adds the recordings that a document holds under `x-hmt-replay`. The answers to equal
    /// requests, from this document and previous ones, are ordered by time.
    ///
    /// # Errors
    /// The location of the first invalid value.
    pub fn add_document(&mut self, root: &Value) -> Result<(), ReplayError> {
        let Some(entries) = root.get(KEY) else { return Ok(()) };
        let at = Location(format!("/{KEY}"));
        // If schemas were inferred, requests whose body was not recorded are answered from the
        // schemas.
        let any_body = !has_inferred_part(root);
        for (index, entry) in at.array(entries)?.iter().enumerate() {
            self.add_entry(&at.child(index), entry, any_body)?;
        }
        self.sort();
        Ok(())
    }

    /// `any_body`: a request whose body was not recorded may get the answer for another body.
    fn add_entry(
        &mut self,
        at: &Location,
        entry: &Value,
        any_body: bool,
    ) -> Result<(), ReplayError> {
        let entry = at.object(entry)?;
        let request = read_request(at, entry)?;
        let redacted = read_places(&at.child("redacted"), entry.get("redacted"))?;
        let source = InsertOptions { method: None, redacted: &redacted, any_body };
        let answers = at.child("answers");
        let list = answers.array(entry.get("answers").unwrap_or(&Value::Null))?;
        for (index, answer) in list.iter().enumerate() {
            // A recorded 101, for instance, is valid in a document, but a server cannot send it.
            if let Ok((answer, dropped)) = read_answer(&answers.child(index), answer)? {
                self.count_dropped(dropped);
                // Without a line there is nothing to spool, so this cannot fail.
                let added = self.add(&request, &source, answer, None);
                debug_assert!(added.is_ok());
            }
        }
        Ok(())
    }
}

/// True for a document of recordings without inferred schemas, as `hmt-build -m replay` writes it.
pub fn is_recordings_only(root: &Value) -> bool {
    root.get(KEY).is_some() && !has_inferred_part(root)
}

/// The recorded exchanges that a document holds under `x-hmt-replay`, in its order.
///
/// # Errors
/// The location of the first invalid value.
pub fn recorded_exchanges(root: &Value) -> Result<Vec<Exchange<'_>>, ReplayError> {
    let Some(entries) = root.get(KEY) else { return Ok(Vec::new()) };
    let at = Location(format!("/{KEY}"));
    let mut exchanges = Vec::new();
    for (index, entry) in at.array(entries)?.iter().enumerate() {
        let at = at.child(index);
        let entry = at.object(entry)?;
        let request = read_request(&at, entry)?;
        let redacted = read_places(&at.child("redacted"), entry.get("redacted"))?;
        let at = at.child("answers");
        let answers = at.array(entry.get("answers").unwrap_or(&Value::Null))?;
        for (index, answer) in answers.iter().enumerate() {
            let at = at.child(index);
            let answer = at.object(answer)?;
            let headers = match answer.get("headers") {
                Some(headers) => read_headers(&at.child("headers"), headers)?,
                None => Pairs::new(),
            };
            let status = read_status(&at, answer)?;
            let response =
                Response { status, headers, body: read_body(&at, answer)?, timestamp: None };
            let meta = Meta { redacted: redacted.clone(), ..Meta::default() };
            exchanges.push(Exchange { request: request.clone(), response: Some(response), meta });
        }
    }
    Ok(exchanges)
}

/// The `key` and the `request` of an entry.
fn read_request<'v>(
    at: &Location,
    entry: &'v Map<String, Value>,
) -> Result<Request<'v>, ReplayError> {
    let mut request = read_key(&at.child("key"), entry.get("key").unwrap_or(&Value::Null))?;
    if let Some(value) = entry.get("request") {
        let at = at.child("request");
        let value = at.object(value)?;
        if let Some(headers) = value.get("headers") {
            request.headers = read_headers(&at.child("headers"), headers)?;
        }
        request.body = read_body(&at, value)?;
    }
    Ok(request)
}

fn read_status(at: &Location, answer: &Map<String, Value>) -> Result<u16, ReplayError> {
    let status = match answer.get("status") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    status
        .and_then(|status| u16::try_from(status).ok())
        .ok_or_else(|| at.child("status").wrong("must be a status code"))
}

/// True if a document has schemas other than recorded constants. A document of recordings only, as
/// `hmt-build -m replay` writes it, has literal paths, and an `enum` of values as the schema of
/// each JSON body.
fn has_inferred_part(root: &Value) -> bool {
    let Some(paths) = root.get("paths").and_then(Value::as_object) else { return false };
    let is_inferred = |schema: &Value| {
        let keys = ["type", "$ref", "allOf", "anyOf", "oneOf", "properties", "items"];
        keys.iter().any(|key| schema.get(key).is_some())
    };
    let is_inferred_media = |(media, value): (&String, &Value)| {
        media.contains("json") && value.get("schema").is_some_and(is_inferred)
    };
    let responses = paths
        .values()
        .flat_map(members)
        .filter_map(|(_, operation)| operation.get("responses"))
        .flat_map(members);
    let contents = responses.filter_map(|(_, response)| response.get("content"));
    paths.keys().any(|path| path.contains('{')) || contents.flat_map(members).any(is_inferred_media)
}

/// The members of an object; none for other values.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// `["request.body#/otp", …]`.
fn read_places<'v>(
    at: &Location,
    value: Option<&'v Value>,
) -> Result<Vec<Cow<'v, str>>, ReplayError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let text = |value: &'v Value| value.as_str().map(Cow::Borrowed);
    let places = at.array(value)?.iter().map(text).collect::<Option<_>>();
    places.ok_or_else(|| at.wrong("must be an array of strings"))
}

/// `{"method","origin","path"}`.
fn read_key<'v>(at: &Location, key: &'v Value) -> Result<Request<'v>, ReplayError> {
    let key = at.object(key)?;
    let text = |name: &str| match key.get(name) {
        Some(Value::String(text)) => Ok(text.as_str()),
        _ => Err(at.child(name).wrong("must be a string")),
    };
    let method: Method =
        text("method")?.parse().map_err(|error| at.child("method").wrong(error))?;
    let origin = if key.contains_key("origin") { text("origin")? } else { "" };
    let (protocol, host) = match origin.split_once("://") {
        Some((scheme, host)) if scheme.eq_ignore_ascii_case("https") => (Protocol::Https, host),
        Some((_, host)) => (Protocol::Http, host),
        None if origin.is_empty() => (Protocol::Http, ""),
        None => return Err(at.child("origin").wrong("must be like https://host")),
    };
    let path = text("path")?;
    let (pathname, query) = path.split_once('?').unwrap_or((path, ""));
    Ok(Request {
        method,
        protocol,
        host: Cow::Owned(host.trim_end_matches('/').to_ascii_lowercase()),
        pathname: Cow::Borrowed(pathname),
        query: parse_query(query),
        ..Request::default()
    })
}

/// `{"status","headers","body"|"bodyBase64","at"?,"seq"?}`.
fn read_answer(
    at: &Location,
    value: &Value,
) -> Result<Result<(RecordedAnswer, u64), Unanswerable>, ReplayError> {
    let value = at.object(value)?;
    let status = read_status(at, value)?;
    let headers = match value.get("headers") {
        Some(headers) => read_headers(&at.child("headers"), headers)?,
        None => Pairs::new(),
    };
    let body = Bytes::copy_from_slice(read_body(at, value)?.as_bytes());
    let pairs = bytes_of(&headers, const { &Vec::new() });
    Ok(RecordedAnswer::new(status, pairs, body).map(|(mut answer, dropped)| {
        answer.at = value.get("at").and_then(Value::as_str).and_then(instant);
        answer.seq = value.get("seq").and_then(Value::as_u64);
        (answer, dropped)
    }))
}

/// An object of strings, or arrays of them.
fn read_headers<'v>(at: &Location, value: &'v Value) -> Result<Pairs<'v>, ReplayError> {
    let mut pairs = Pairs::new();
    for (name, value) in at.object(value)? {
        let one = std::slice::from_ref(value);
        let values = value.as_array().map_or(one, Vec::as_slice);
        for value in values {
            let text = match value {
                Value::String(text) => Cow::Borrowed(text.as_str()),
                // YAML written by hand: `x-count: 3`.
                Value::Number(_) | Value::Bool(_) => Cow::Owned(value.to_string()),
                _ => return Err(at.child(name).wrong("must be a string or an array of strings")),
            };
            pairs.push((Cow::Owned(name.to_ascii_lowercase()), text));
        }
    }
    Ok(pairs)
}

/// `body` as text, or `bodyBase64`.
fn read_body<'v>(at: &Location, value: &'v Map<String, Value>) -> Result<Body<'v>, ReplayError> {
    match (value.get("body"), value.get("bodyBase64")) {
        (_, Some(Value::String(text))) => STANDARD
            .decode(text)
            .map(Body::from_bytes)
            .map_err(|error| at.child("bodyBase64").wrong(format_args!("is not base64: {error}"))),
        (_, Some(_)) => Err(at.child("bodyBase64").wrong("must be a string")),
        (Some(Value::String(text)), None) if text.is_empty() => Ok(Body::Empty),
        (Some(Value::String(text)), None) => Ok(Body::Text(text.as_str().into())),
        (None | Some(Value::Null), None) => Ok(Body::Empty),
        (Some(_), None) => Err(at.child("body").wrong("must be a string: the body's text")),
    }
}

/// The JSON pointer for error messages.
struct Location(String);

impl Location {
    fn child(&self, step: impl std::fmt::Display) -> Location {
        let step = step.to_string().replace('~', "~0").replace('/', "~1");
        Location(format!("{}/{step}", self.0))
    }

    fn wrong(&self, message: impl std::fmt::Display) -> ReplayError {
        ReplayError { pointer: self.0.clone(), message: message.to_string() }
    }

    fn object<'v>(&self, value: &'v Value) -> Result<&'v Map<String, Value>, ReplayError> {
        value.as_object().ok_or_else(|| self.wrong("must be an object"))
    }

    fn array<'v>(&self, value: &'v Value) -> Result<&'v Vec<Value>, ReplayError> {
        value.as_array().ok_or_else(|| self.wrong("must be an array"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{HostRule, Lookup, MatchRule};
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_time_and_number() {
        let key = json!({"method": "get", "origin": "http://h", "path": "/x?b=1&a=2"});
        let root = json!({"x-hmt-replay": [{"key": key, "answers": [
            {"status": 200, "headers": {}, "body": "3", "at": "2020-01-01T01:00:00+01:00", "seq": 7},
            {"status": 200, "headers": {}, "body": "2", "at": "2020-01-01T00:00:00Z", "seq": 6},
            {"status": 200, "headers": {"set-cookie": ["a=1", "b=2"]}, "bodyBase64": "/w==", "at": "2019-12-31T23:59:59Z"},
        ]}]});
        let mut recordings = Recordings::new(MatchRule::default());
        recordings.add_document(&root).unwrap();
        let request = Request {
            host: "h".into(),
            pathname: "/x".into(),
            query: parse_query("a=2&b=1"),
            ..Request::default()
        };
        let next = || recordings.answer(&Lookup::new(&request, HostRule::Same)).unwrap().unwrap();
        let first = next();
        assert_eq!(&first.body[..], b"\xff");
        assert_eq!(first.headers.len(), 2);
        assert_eq!(&next().body[..], b"2");
        assert_eq!(&next().body[..], b"3");
        assert_eq!(&next().body[..], b"3");
    }

    #[test]
    fn errors_name_the_place() {
        let key = json!({"method": "get", "origin": "http://h", "path": "/"});
        for (entry, pointer) in [
            (json!({"key": {"method": "fly", "origin": "", "path": "/"}}), "/key/method"),
            (json!({"key": key, "answers": [{"status": "x"}]}), "/answers/0/status"),
            (json!({"key": key, "answers": [{"status": 200, "body": {}}]}), "/answers/0/body"),
            (json!({"key": key}), "/answers"),
        ] {
            let root = json!({"x-hmt-replay": [entry]});
            let mut recordings = Recordings::new(MatchRule::default());
            let error = recordings.add_document(&root).unwrap_err();
            assert_eq!(error.pointer, format!("/x-hmt-replay/0{pointer}"));
        }
    }
}
