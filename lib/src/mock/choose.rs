//! Which answer: status, media type, example or generated data.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use twox_hash::XxHash3_64;

use crate::conform::{StatusKey, Violation};
use crate::exchange::{Request, sorted_path};
use crate::schema::SchemaSet;

use super::compile::{MediaPlan, OperationPlan, ResponsePlan};
use super::media::Accept;
use super::reply::{Reply, Source};
use super::wish::Wish;

/// Chooses the answer to one request to one operation.
pub(super) struct Chooser<'a> {
    pub(super) plan: &'a OperationPlan,
    pub(super) schemas: &'a SchemaSet,
    /// The example that the request's own values ask for.
    pub(super) lead: Option<&'a str>,
    pub(super) request: &'a Request<'a>,
    pub(super) accept: &'a Accept,
    pub(super) wish: &'a Wish,
    pub(super) dynamic: bool,
    /// The user's seed; without one every answer is another.
    pub(super) seed: Option<u64>,
}

/// The seed of an answer, drawn where something is generated.
struct Seed<'a> {
    chooser: &'a Chooser<'a>,
    status: StatusCode,
    media_type: Cow<'a, str>,
    drawn: Option<u64>,
}

impl Seed<'_> {
    fn get(&mut self) -> u64 {
        *self.drawn.get_or_insert_with(|| self.chooser.seed_of(self.status, &self.media_type))
    }
}

/// What becomes of a client that accepts none of the declared media types.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Negotiation {
    Strict,
    /// An error is better told in the wrong type than not told.
    Lenient,
}

impl Chooser<'_> {
    /// The answer to a valid request.
    pub(super) fn answer(&self) -> Reply {
        let Some(code) = &self.wish.code else { return self.usual() };
        let found = code.parse().ok().filter(sendable).and_then(|code| self.declared(code));
        match found {
            Some((response, status)) => self
                .fill(response, status, Negotiation::Strict)
                .unwrap_or_else(|| self.unmet("example", &self.wish.example)),
            None => self.unmet("response", &self.wish.code),
        }
    }

    /// The answer without a wish for a status: the first success, or the first response that has the wished example.
    fn usual(&self) -> Reply {
        let Some((usual, status)) = self.usual_response() else {
            let mut reply = Reply::empty(StatusCode::OK);
            reply.source = Some(Source::Generated);
            return match self.wish.example {
                Some(_) => self.unmet("example", &self.wish.example),
                None => reply,
            };
        };
        let others = || self.plan.responses.iter().map(|other| (other, status_of(other.key)));
        if let (Some(lead), None, false) = (self.lead, &self.wish.example, self.dynamic) {
            let has_it = |response: &ResponsePlan| {
                response.media.iter().any(|media| media.example(Some(lead)).is_some())
            };
            let led = std::iter::once((usual, status)).chain(others());
            let mut led = led.filter(|(response, _)| has_it(response));
            if let Some((response, status)) = led.next()
                && let Some(reply) = self.fill(response, status, Negotiation::Strict)
            {
                return reply;
            }
        }
        std::iter::once((usual, status))
            .chain(others())
            .find_map(|(response, status)| self.fill(response, status, Negotiation::Strict))
            .unwrap_or_else(|| self.unmet("example", &self.wish.example))
    }

    /// The lowest explicit 2xx, else `2XX`, else `default`, else the first.
    fn usual_response(&self) -> Option<(&ResponsePlan, StatusCode)> {
        let responses = &self.plan.responses;
        let response = responses
            .iter()
            .filter(|response| matches!(response.key, StatusKey::Code(200..300)))
            .min_by_key(|response| response.key)
            .or_else(|| self.response(StatusKey::Range(2)))
            .or_else(|| self.response(StatusKey::Default))
            .or_else(|| responses.first())?;
        Some((response, status_of(response.key)))
    }

    /// The response declared for a status: by its code, its range, or `default`.
    fn declared(&self, code: u16) -> Option<(&ResponsePlan, StatusCode)> {
        let range = u8::try_from(code / 100).unwrap_or(0);
        let status = StatusCode::from_u16(code).ok()?;
        [StatusKey::Code(code), StatusKey::Range(range), StatusKey::Default]
            .into_iter()
            .find_map(|key| self.response(key))
            .map(|response| (response, status))
    }

    fn response(&self, key: StatusKey) -> Option<&ResponsePlan> {
        self.plan.responses.iter().find(|response| response.key == key)
    }

    /// The answer of a response; `None` where a wished example is not among its own.
    fn fill(
        &self,
        response: &ResponsePlan,
        status: StatusCode,
        negotiation: Negotiation,
    ) -> Option<Reply> {
        let wished = match negotiation {
            Negotiation::Strict => self.wish.example.as_deref(),
            Negotiation::Lenient => None,
        };
        let has_it = |media: &&MediaPlan| wished.is_none() || media.example(wished).is_some();
        let mut fitting = response.media.iter().filter(has_it).peekable();
        if wished.is_some() && fitting.peek().is_none() {
            return None;
        }
        let first = fitting.peek().copied();
        let mut reply = Reply::empty(status);
        let mut seed = None;
        reply.source = Some(Source::Generated);
        if let Some(first) = first.filter(|_| may_have_body(status)) {
            let best = self.accept.best(fitting, |media| &media.media);
            let media = match (best, negotiation) {
                (Some(media), _) => media,
                (None, Negotiation::Lenient) => first,
                (None, Negotiation::Strict) => return Some(not_acceptable(response)),
            };
            let media_type = if media.media.is_range() {
                Cow::Owned(media.media.concrete(self.accept))
            } else {
                Cow::Borrowed(media.declared.as_str())
            };
            let own =
                media.content_type.as_ref().filter(|_| matches!(media_type, Cow::Borrowed(_)));
            let content_type = own.cloned().or_else(|| HeaderValue::from_str(&media_type).ok());
            let drawn = seed.insert(Seed { chooser: self, status, media_type, drawn: None });
            let (body, source) = self.body(media, wished, drawn);
            reply.body = body;
            reply.source = Some(source);
            if let Some(value) = content_type {
                reply.headers.insert(CONTENT_TYPE, value);
            }
        }
        let none = || Seed { chooser: self, status, media_type: Cow::Borrowed(""), drawn: None };
        let mut seed = seed.unwrap_or_else(none);
        for (number, header) in (1..).zip(&response.headers) {
            // Another seed for each header: two dates should not be one.
            if let Some(value) = header.value(|| seed.get().wrapping_add(number)) {
                reply.headers.append(header.name.clone(), value);
            }
        }
        Some(reply)
    }

    fn body(
        &self,
        media: &MediaPlan,
        wished: Option<&str>,
        seed: &mut Seed<'_>,
    ) -> (Bytes, Source) {
        let led = || media.example(Some(self.lead?));
        let example = match wished {
            Some(_) => media.example(wished),
            None if self.dynamic => None,
            None => led().or_else(|| media.example(None)),
        };
        match example {
            Some(body) => (body.clone(), Source::Example),
            None => (media.generate(seed.get(), self.schemas), Source::Generated),
        }
    }

    /// A function of the user's seed and all that makes the request and the answer what they are.
    fn seed_of(&self, status: StatusCode, media_type: &str) -> u64 {
        let Some(seed) = self.seed else { return rand::random() };
        let path = sorted_path(&self.request.pathname, &self.request.query);
        let body = XxHash3_64::oneshot(self.request.body.as_bytes());
        let mut parts = Vec::with_capacity(path.len() + media_type.len() + 32);
        for text in [self.request.method.as_str(), &path, media_type] {
            parts.extend_from_slice(text.as_bytes());
            // No text has it, so no two lists of parts are one run of bytes.
            parts.push(0xff);
        }
        parts.extend_from_slice(&body.to_le_bytes());
        parts.extend_from_slice(&status.as_u16().to_le_bytes());
        XxHash3_64::oneshot_with_seed(seed, &parts)
    }

    /// The answer to a request without credentials.
    pub(super) fn unauthorised(&self) -> Reply {
        let (challenges, detail) = self.plan.credentials.challenge();
        let mut reply =
            self.declared_error(&[401], StatusCode::UNAUTHORIZED).unwrap_or_else(|| {
                Reply::problem(StatusCode::UNAUTHORIZED, "credentials are missing", &detail)
            });
        if !reply.headers.contains_key(WWW_AUTHENTICATE) {
            for challenge in challenges {
                reply.headers.append(WWW_AUTHENTICATE, challenge);
            }
        }
        reply.note = Some(detail);
        reply
    }

    /// The answer to a request that contradicts the spec.
    pub(super) fn invalid(&self, violations: &[Violation]) -> Reply {
        let wrong_type = violations.iter().any(|violation| violation.location == "content-type");
        let (declared, status, title) = if wrong_type {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            let exact = self.response(StatusKey::Code(415));
            let declared = exact.and_then(|r| self.fill(r, status, Negotiation::Lenient));
            (declared, status, "the body's media type is not one that the operation takes")
        } else {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            (self.declared_error(&[422, 400], status), status, "the request contradicts the spec")
        };
        let listed: Vec<Value> = violations
            .iter()
            .map(|v| json!({"in": v.location, "at": v.at, "message": v.message}))
            .collect();
        let detail: Vec<String> = violations
            .iter()
            .map(|v| format!("{} {} {}", v.location, v.at, v.message).replace("  ", " "))
            .collect();
        let detail = detail.join("; ");
        let mut reply = declared.unwrap_or_else(|| {
            let extra = Map::from_iter([("violations".to_owned(), Value::Array(listed))]);
            Reply::problem_with(status, title, &detail, extra)
        });
        reply.note = Some(detail);
        reply
    }

    /// The first of some statuses that is declared by its code; else `4XX` or `default`, sent as `status`.
    fn declared_error(&self, codes: &[u16], status: StatusCode) -> Option<Reply> {
        for &code in codes {
            if let Some(response) = self.response(StatusKey::Code(code)) {
                let status = StatusCode::from_u16(code).unwrap_or(status);
                return self.fill(response, status, Negotiation::Lenient);
            }
        }
        let response =
            self.response(StatusKey::Range(4)).or_else(|| self.response(StatusKey::Default))?;
        self.fill(response, status, Negotiation::Lenient)
    }

    /// The spec has nothing of the kind that was wished.
    fn unmet(&self, kind: &str, wished: &Option<String>) -> Reply {
        let wished = wished.as_deref().unwrap_or_default();
        let known: Vec<String> = if kind == "response" {
            self.plan.responses.iter().map(|response| key_text(response.key)).collect()
        } else {
            let media = self.plan.responses.iter().flat_map(|response| &response.media);
            let mut names: Vec<String> = media
                .flat_map(|media| media.examples.iter().filter_map(|(name, _)| name.clone()))
                .collect();
            names.dedup();
            names
        };
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let detail = format!("the operation has no {kind} {wished:?}; it has: {known}");
        Reply::problem(StatusCode::NOT_FOUND, "the wish cannot be met", &detail)
    }
}

fn not_acceptable(response: &ResponsePlan) -> Reply {
    let offered: Vec<&str> = response.media.iter().map(|media| media.declared.as_str()).collect();
    let detail = format!("Accept takes none of: {}", offered.join(", "));
    let extra = Map::from_iter([("offered".to_owned(), json!(offered))]);
    let title = "no media type that the client accepts";
    Reply::problem_with(StatusCode::NOT_ACCEPTABLE, title, &detail, extra)
}

/// The status that a key of `responses` is sent as.
fn status_of(key: StatusKey) -> StatusCode {
    let code = match key {
        StatusKey::Code(code) => code,
        StatusKey::Range(digit) => u16::from(digit) * 100,
        StatusKey::Default => 200,
    };
    StatusCode::from_u16(code).unwrap_or(StatusCode::OK)
}

fn key_text(key: StatusKey) -> String {
    match key {
        StatusKey::Code(code) => code.to_string(),
        StatusKey::Range(digit) => format!("{digit}XX"),
        StatusKey::Default => "default".to_owned(),
    }
}

/// Interim statuses cannot be final answers.
fn sendable(code: &u16) -> bool {
    (200..=999).contains(code)
}

fn may_have_body(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 204 | 205 | 304)
}
