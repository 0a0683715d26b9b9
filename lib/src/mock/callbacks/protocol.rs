//! The lines that a co-process and the mock exchange.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::exchange::{Exchange, write_line};
use crate::net::is_hop_by_hop;

use super::super::answer::{Answer, AnswerSource};
use super::super::world::PathMatch;
use super::stored::Stored;

/// The version of the protocol.
const VERSION: u64 = 1;

/// The exchanges that a callback edits. An absent member stands for any.
#[derive(Clone, Debug)]
pub(super) struct Interest {
    pub(super) host: Option<String>,
    pub(super) method: Option<String>,
    pub(super) path: Option<InterestPath>,
    /// It gets the entities too.
    pub(super) entities: bool,
    /// Whether it changes the storage, if it declares this.
    pub(super) storage: Option<bool>,
    /// It has changed the storage.
    pub(super) writes: Arc<AtomicBool>,
}

/// The paths that a callback edits: one, or those of a template or pattern. A slash at the end does
/// not matter.
#[derive(Clone, Debug)]
pub(super) enum InterestPath {
    Literal(String),
    Open(PathMatch),
}

impl InterestPath {
    fn parse(text: &str) -> InterestPath {
        match text.contains(['{', '*', '?']) {
            true => InterestPath::Open(PathMatch::parse(text)),
            false => InterestPath::Literal(without_slash(text).to_owned()),
        }
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        match self {
            InterestPath::Literal(own) => own == without_slash(path),
            InterestPath::Open(own) => own.matches(path),
        }
    }
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// The first line of a co-process: what it edits.
///
/// # Errors
/// The error in the line.
pub(super) fn parse_greeting(line: &[u8]) -> Result<Vec<Interest>, String> {
    let wrong = "its first line must be {\"hmt\":1,\"match\":[…]}";
    let value: Value = serde_json::from_slice(line).map_err(|_| wrong.to_owned())?;
    match value.get("hmt").map(Value::as_u64) {
        Some(Some(VERSION)) => (),
        Some(_) => return Err(format!("it speaks a version of the protocol other than {VERSION}")),
        None => return Err(wrong.to_owned()),
    }
    let entries = value.get("match").and_then(Value::as_array).ok_or("/match: must be a list")?;
    entries.iter().enumerate().map(|(at, entry)| parse_interest(at, entry)).collect()
}

fn parse_interest(at: usize, entry: &Value) -> Result<Interest, String> {
    let entry = entry.as_object().ok_or_else(|| format!("/match/{at}: must be an object"))?;
    let text = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("/match/{at}/{name}: must be a string")),
    };
    let flag = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(format!("/match/{at}/{name}: must be true or false")),
    };
    for (name, known) in [("format", ["json", "text"]), ("response", ["body", "full"])] {
        if text(name)?.is_some_and(|given| !known.contains(&given)) {
            let [one, other] = known;
            return Err(format!("/match/{at}/{name}: must be {one:?} or {other:?}"));
        }
    }
    let path = text("path")?.map(InterestPath::parse);
    Ok(Interest {
        host: text("host")?.map(str::to_ascii_lowercase),
        method: text("method")?.map(str::to_owned),
        path,
        entities: flag("entities")?.unwrap_or_default(),
        storage: flag("storage")?,
        writes: Arc::default(),
    })
}

/// The line of a call: the exchange as in a recording, with further members before it.
pub(super) fn call_line(
    id: u64,
    interest: usize,
    stored: &Stored,
    exchange: &Exchange<'_>,
) -> Vec<u8> {
    let mut line = format!("{{\"id\":{id},\"match\":{interest},\"storage\":").into_bytes();
    let mut member = |value: &Map<String, Value>, after: &str| {
        // Writing JSON values to memory cannot fail.
        let _ = serde_json::to_writer(&mut line, value);
        line.extend_from_slice(after.as_bytes());
    };
    match &stored.entities {
        None => member(&stored.values, ","),
        Some(entities) => {
            member(&stored.values, ",\"entities\":");
            member(&entities.by_id, ",\"idPaths\":");
            member(&entities.id_paths, ",");
        }
    }
    let start = line.len();
    write_line(exchange, &mut line);
    // The exchange's members, without its opening brace.
    line.remove(start);
    line
}

/// The answer of a co-process. An absent member means that nothing changes.
#[derive(Debug, Default)]
pub(super) struct Edit {
    response: Option<Map<String, Value>>,
    pub(super) storage: Option<Map<String, Value>>,
    pub(super) entities: Option<Map<String, Value>>,
    pub(super) error: Option<String>,
}

/// The answer to the call `id`.
///
/// # Errors
/// The error in the line.
pub(super) fn parse_answer(line: &[u8], id: u64) -> Result<Edit, String> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        let hint = "other output belongs on its standard error";
        format!("answered with a line that is not JSON (column {}); {hint}", error.column())
    })?;
    let Value::Object(mut answer) = value else {
        return Err("answered with JSON that is not an object".to_owned());
    };
    if answer.get("id").and_then(Value::as_u64) != Some(id) {
        let given = answer.get("id").map_or("no id".to_owned(), |given| format!("id {given}"));
        return Err(format!("answered with {given} instead of {id}"));
    }
    let mut object = |name: &str| match answer.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("answered with a {name} that is not an object")),
    };
    let (response, storage, entities) =
        (object("response")?, object("storage")?, object("entities")?);
    let error = match answer.remove("error") {
        None | Some(Value::Null) => None,
        Some(Value::String(error)) => Some(error),
        Some(error) => Some(error.to_string()),
    };
    Ok(Edit { response, storage, entities, error })
}

impl Edit {
    /// Edits an answer. If something changes, the callback becomes its source.
    ///
    /// # Errors
    /// A member that no response can have.
    pub(super) fn apply(self, answer: &mut Answer) -> Result<(), String> {
        let Some(mut edited) = self.response else { return Ok(()) };
        let mut status = answer.status;
        if let Some(given) = edited.remove("statusCode") {
            let number = given.as_u64().and_then(|number| u16::try_from(number).ok());
            let valid = number.filter(|number| (200..1000).contains(number));
            let code = valid.and_then(|number| StatusCode::from_u16(number).ok());
            status = code.ok_or_else(|| format!("statusCode {given} is not from 200 to 999"))?;
        }
        let headers = match edited.remove("headers") {
            None | Some(Value::Null) => None,
            Some(Value::Object(given)) => Some(parse_headers(given)?),
            Some(_) => return Err("headers of a response must be an object".to_owned()),
        };
        let body = parse_body(&mut edited)?;
        let retyped = headers.is_some();
        let mut headers = headers.unwrap_or_else(|| answer.headers.clone());
        let body = body.filter(|body| *body != answer.body);
        if let Some(body) = &body {
            headers.remove(CONTENT_ENCODING);
            let problem = headers
                .get(CONTENT_TYPE)
                .is_some_and(|given| given.as_bytes().starts_with(b"application/problem+json"));
            // With the callback's body, the answer is no longer an error of the mock.
            if problem && answer.source.is_none() && !retyped || !headers.contains_key(CONTENT_TYPE)
            {
                headers.remove(CONTENT_TYPE);
                headers.extend(media_type_of(body).map(|media_type| (CONTENT_TYPE, media_type)));
            }
        }
        let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let body = body.or_else(|| bodiless.then(Bytes::new)).filter(|body| *body != answer.body);
        let changed = status != answer.status || headers != answer.headers || body.is_some();
        if changed {
            answer.status = status;
            answer.headers = headers;
            answer.body = if bodiless { Bytes::new() } else { body.unwrap_or(answer.body.clone()) };
            answer.source = Some(AnswerSource::Callback);
        }
        Ok(())
    }
}

/// The end-to-end headers of a JSON object. Values are scalars, or lists of them.
fn parse_headers(given: Map<String, Value>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let wrong = || format!("no response can have the header {name:?} with the value {value}");
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        // The mock frames the message itself.
        if is_hop_by_hop(&key) || key == CONTENT_LENGTH {
            continue;
        }
        let items = match &value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items {
            let text = match item {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => item.to_string(),
                Value::Array(_) | Value::Object(_) => return Err(wrong()),
            };
            let text = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| wrong())?;
            headers.append(&key, text);
        }
    }
    Ok(headers)
}

/// `body` as text or as JSON, else `bodyBase64`, else `bodyAsJson`.
fn parse_body(edited: &mut Map<String, Value>) -> Result<Option<Bytes>, String> {
    match edited.remove("body") {
        Some(Value::String(text)) => return Ok(Some(text.into())),
        Some(Value::Null) => return Ok(Some(Bytes::new())),
        Some(value) => return Ok(Some(value.to_string().into())),
        None => (),
    }
    match edited.remove("bodyBase64") {
        Some(Value::String(text)) => {
            let bytes = STANDARD.decode(text).map_err(|_| "bodyBase64 is not base64")?;
            return Ok(Some(bytes.into()));
        }
        Some(_) => return Err("bodyBase64 must be a string".to_owned()),
        None => (),
    }
    Ok(edited.remove("bodyAsJson").map(|value| value.to_string().into()))
}

/// The media type of a body that has none.
fn media_type_of(body: &Bytes) -> Option<HeaderValue> {
    if body.is_empty() {
        return None;
    }
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    Some(HeaderValue::from_static(match is_json {
        true => "application/json",
        false if std::str::from_utf8(body).is_ok() => "text/plain; charset=utf-8",
        false => "application/octet-stream",
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stored::Entities;
    use super::*;

    #[test]
    fn greetings_are_checked() {
        let all = parse_greeting(
            br#"{"hmt":1,"match":[{"host":"API.test","path":"/a/{id}","new":1},{"entities":true}]}"#,
        )
        .unwrap();
        assert_eq!(all[0].host.as_deref(), Some("api.test"));
        assert!(all[0].path.as_ref().unwrap().matches("/a/7"));
        assert!(all[1].entities && all[1].path.is_none());
        for (line, why) in [
            ("hello", "its first line"),
            ("{}", "its first line"),
            (r#"{"hmt":2,"match":[]}"#, "version"),
            (r#"{"hmt":1}"#, "/match: must be a list"),
            (r#"{"hmt":1,"match":[1]}"#, "/match/0: must be an object"),
            (r#"{"hmt":1,"match":[{"path":1}]}"#, "/match/0/path: must be a string"),
            (r#"{"hmt":1,"match":[{"format":"xml"}]}"#, "/match/0/format: must be"),
            (r#"{"hmt":1,"match":[{"entities":1}]}"#, "/match/0/entities: must be true or false"),
        ] {
            let error = parse_greeting(line.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }

    #[test]
    fn a_call_is_one_line_of_json() {
        let values = Map::from_iter([("n".to_owned(), json!(1))]);
        let entities = Some(Entities { by_id: Map::new(), id_paths: Map::new() });
        let line = call_line(7, 2, &Stored { values, entities }, &Exchange::default());
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let read: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!((&read["id"], &read["match"]), (&json!(7), &json!(2)));
        assert_eq!((&read["storage"], &read["entities"]), (&json!({"n": 1}), &json!({})));
        assert_eq!(read["request"]["method"], "get");
    }

    fn edited(response: &Value, answer: Answer) -> Result<Answer, String> {
        let line = json!({"id": 1, "response": response}).to_string();
        let mut answer = answer;
        parse_answer(line.as_bytes(), 1)?.apply(&mut answer)?;
        Ok(answer)
    }

    fn generated() -> Answer {
        let mut answer = Answer::empty(StatusCode::OK);
        answer.body = "{\"a\":1}".into();
        answer.source = Some(AnswerSource::Generated);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }

    #[test]
    fn absent_members_stay() {
        let same = edited(&json!({}), generated()).unwrap();
        assert_eq!(
            (same.source, &same.body[..]),
            (Some(AnswerSource::Generated), &b"{\"a\":1}"[..])
        );
        let same = edited(&json!({"statusCode": 200, "body": "{\"a\":1}"}), generated()).unwrap();
        assert_eq!(same.source, Some(AnswerSource::Generated));
        let other = edited(&json!({"statusCode": 418}), generated()).unwrap();
        assert_eq!((other.status.as_u16(), &other.body[..]), (418, &b"{\"a\":1}"[..]));
        assert_eq!(other.source, Some(AnswerSource::Callback));
        assert_eq!(other.headers[CONTENT_TYPE], "application/json");
    }

    #[test]
    fn bodies_and_headers_are_those_of_a_message() {
        let response = json!({
            "headers": {"X-A": 1, "set-cookie": ["a=1", "b=2"], "content-length": "99", "x-none": null,
                "Transfer-Encoding": "chunked"},
            "body": "hello",
        });
        let answer = edited(&response, generated()).unwrap();
        assert_eq!(answer.headers["x-a"], "1");
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
        assert_eq!(answer.headers[CONTENT_TYPE], "text/plain; charset=utf-8");
        assert_eq!(answer.headers.len(), 4);
        let answer = edited(&json!({"body": {"b": [2]}}), generated()).unwrap();
        assert_eq!(&answer.body[..], b"{\"b\":[2]}");
        let answer = edited(&json!({"bodyBase64": "/w=="}), generated()).unwrap();
        assert_eq!(&answer.body[..], b"\xff");
        let answer = edited(&json!({"statusCode": 204}), generated()).unwrap();
        assert!(answer.body.is_empty());
    }

    #[test]
    fn a_replaced_error_is_no_problem_document() {
        let problem = || Answer::problem(StatusCode::NOT_FOUND, "unknown path", "/x");
        let answer = edited(&json!({"body": "Hello"}), problem()).unwrap();
        assert_eq!(answer.headers[CONTENT_TYPE], "text/plain; charset=utf-8");
        let answer = edited(&json!({"body": "{\"x\":1}"}), problem()).unwrap();
        assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
    }

    #[test]
    fn what_no_response_can_have_is_refused() {
        for (response, why) in [
            (json!({"statusCode": 42}), "from 200 to 999"),
            (json!({"statusCode": "200"}), "from 200 to 999"),
            (json!({"headers": {"a b": "1"}}), "\"a b\""),
            (json!({"headers": {"a": "x\r\ny: z"}}), "the header"),
            (json!({"headers": {"a": {}}}), "the header"),
            (json!({"headers": []}), "must be an object"),
            (json!({"bodyBase64": "*"}), "not base64"),
            (json!([]), "not an object"),
        ] {
            let error = edited(&response, generated()).unwrap_err();
            assert!(error.contains(why), "{response}: {error}");
        }
        for (line, why) in [
            ("", "not JSON"),
            ("[]", "not an object"),
            ("{}", "no id instead of 1"),
            (r#"{"id":2}"#, "id 2 instead of 1"),
            (r#"{"id":1,"storage":[]}"#, "a storage that is not an object"),
        ] {
            let error = parse_answer(line.as_bytes(), 1).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
