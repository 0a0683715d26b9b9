//! Answers generated from schemas, and the head that examples share with them.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde_json::Value;
use twox_hash::XxHash3_64;

use crate::exchange::{header, parse_query, sorted_path};

use super::super::answer::media::Notation;
use super::super::answer::{Answer, AnswerSource};
use super::super::call::{Call, Context};
use super::super::catalogue::Making;
use super::lookup::MatchedOperation;
use super::negotiation::Choice;
use super::reflect;

pub(super) fn answer(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
) -> Answer {
    let mut seed = Seed::of(context, call, choice);
    let mut answer = head_by(choice, &mut seed);
    answer.source = Some(AnswerSource::Generated);
    let locate = |json: &[u8], answer: &mut Answer| {
        reflect::locate(context, call, operation, choice, json, answer);
    };
    if let Some(media) = &choice.media {
        let (making, schemas) = (seed.making(), &operation.spec.api.schemas);
        let make = || media.plan.make(&media.media_type, making, schemas);
        let reflected = |json| reflect::body(context, call, operation, choice, json);
        let notation = media.plan.notation_of(&media.media_type);
        if matches!(notation, Notation::Xml | Notation::Form | Notation::Csv)
            && let Some(json) = media.plan.json(making)
        {
            // What is not JSON is written as JSON first, which reflects the request.
            let json = reflected(json);
            locate(&json, &mut answer);
            answer.body = media.plan.encode(&json, notation, schemas);
            return answer;
        }
        let is_json = notation == Notation::Json;
        let reflect = |body| if is_json { reflected(body) } else { body };
        let kept = context.catalogue.composed();
        answer.body = if making.dynamic {
            reflect(make())
        } else if call.request.body.is_empty() {
            // All that is reflected is in the path and the query. The seed is that of the sorted
            // query, but of several values of a parameter the first one is reflected.
            let query = XxHash3_64::oneshot(call.raw_query().as_bytes());
            kept.get(media.plan, making.seed.wrapping_add(query), || reflect(make()))
        } else {
            reflect(kept.get(media.plan, making.seed, make))
        };
        let json = if is_json { answer.body.clone() } else { Bytes::new() };
        locate(&json, &mut answer);
    } else {
        locate(b"", &mut answer);
    }
    answer
}

/// The status and the declared headers of an answer.
pub(super) fn head(context: &Context<'_>, call: &Call<'_>, choice: &Choice<'_>) -> Answer {
    head_by(choice, &mut Seed::of(context, call, choice))
}

fn head_by(choice: &Choice<'_>, seed: &mut Seed<'_>) -> Answer {
    let mut answer = Answer::empty(choice.status);
    if let Some(content_type) = choice.media.as_ref().and_then(|media| media.content_type.clone()) {
        answer.headers.insert(CONTENT_TYPE, content_type);
    }
    let headers = choice.response.map_or(&[][..], |response| &response.headers);
    for (number, header) in (1..).zip(headers) {
        // Another seed for each header: two dates should differ.
        if let Some(value) = header.value(|| seed.making().at(number)) {
            answer.headers.append(header.name.clone(), value);
        }
    }
    answer
}

/// The seed of an answer, computed on demand.
struct Seed<'a> {
    context: &'a Context<'a>,
    call: &'a Call<'a>,
    status: StatusCode,
    media_type: &'a str,
    known: Option<u64>,
}

impl<'a> Seed<'a> {
    fn of(context: &'a Context<'_>, call: &'a Call<'_>, choice: &'a Choice<'_>) -> Seed<'a> {
        let media_type = choice.media.as_ref().map_or("", |media| media.media_type.as_ref());
        Seed { context, call, status: choice.status, media_type, known: None }
    }

    fn making(&mut self) -> Making {
        Making { dynamic: self.call.dynamic(self.context.settings), seed: self.get() }
    }

    fn get(&mut self) -> u64 {
        if let Some(known) = self.known {
            return known;
        }
        let seed = if self.call.dynamic(self.context.settings) {
            self.context.world.dynamic_seed()
        } else {
            self.steady()
        };
        *self.known.insert(seed)
    }

    /// A function of the user's seed, the request and the answer's status and media type.
    fn steady(&self) -> u64 {
        let request = &self.call.request;
        let path = sorted_path(&request.pathname, &request.query);
        let mut parts = Vec::with_capacity(path.len() + self.media_type.len() + 32);
        // The head of a HEAD is that of a GET (RFC 9110, section 9.3.2).
        let method = match &self.call.parts.method {
            &Method::HEAD => "GET",
            method => method.as_str(),
        };
        for text in [method, &path, self.media_type] {
            parts.extend_from_slice(text.as_bytes());
            // This byte is not in the parts, so different lists of parts give different bytes.
            parts.push(0xff);
        }
        parts.extend_from_slice(&body_hash(self.call).to_le_bytes());
        parts.extend_from_slice(&self.status.as_u16().to_le_bytes());
        XxHash3_64::oneshot_with_seed(self.context.settings.seed.unwrap_or(0), &parts)
    }
}

/// Equal for JSON bodies that differ in white space and the order of members only, and for forms
/// that differ in the order of fields with different names.
fn body_hash(call: &Call<'_>) -> u64 {
    let body = call.request.body.as_bytes();
    let content_type = header(&call.request.headers, "content-type").unwrap_or_default();
    if content_type.starts_with("application/x-www-form-urlencoded")
        && let Ok(text) = std::str::from_utf8(body)
    {
        let mut pairs = parse_query(text);
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        return pairs.iter().fold(8, |hash, (name, value)| {
            let name = XxHash3_64::oneshot_with_seed(hash, name.as_bytes());
            XxHash3_64::oneshot_with_seed(name, value.as_bytes())
        });
    }
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let structured = first.is_some_and(|byte| matches!(byte, b'{' | b'['));
    match structured.then(|| call.json_body()).flatten() {
        Some(value) => value_hash(value),
        None => XxHash3_64::oneshot(body),
    }
}

/// A hash of a value, without regard to the order of members.
fn value_hash(value: &Value) -> u64 {
    // Each kind has its own number, so that values of different kinds have different hashes.
    let seeded = |kind: u64, bytes: &[u8]| XxHash3_64::oneshot_with_seed(kind, bytes);
    match value {
        Value::Null => seeded(1, b""),
        Value::Bool(truth) => seeded(2, &[u8::from(*truth)]),
        Value::Number(number) => seeded(3, number.to_string().as_bytes()),
        Value::String(text) => seeded(4, text.as_bytes()),
        Value::Array(items) => items
            .iter()
            .fold(seeded(5, b""), |hash, item| seeded(hash, &value_hash(item).to_le_bytes())),
        Value::Object(members) => members.iter().fold(seeded(6, b""), |hash, (name, value)| {
            let name = seeded(7, name.as_bytes());
            hash.wrapping_add(seeded(name, &value_hash(value).to_le_bytes()))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_compared_as_json() {
        let hash = |text: &str| value_hash(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(hash(r#"{"a":1,"b":[2]}"#), hash(r#" {"b": [2], "a": 1}"#));
        let all = [
            "{}",
            "[]",
            "null",
            "\"\"",
            "[[]]",
            r#"{"a":1}"#,
            r#"{"a":2}"#,
            r#"{"b":1}"#,
            "[1,2]",
            "[2,1]",
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| hash(one) != hash(other)), "{one}");
        }
    }
}
