//! Chooses the response, status and media type of an answer, but not the content of its body.

use std::borrow::Cow;

use http::{HeaderValue, StatusCode};
use serde_json::{Map, json};

use crate::conform::StatusKey;

use super::super::answer::Answer;
use super::super::answer::media::Accept;
use super::super::call::{Call, Context};
use super::super::catalogue::{MediaPlan, OperationPlan, ResponsePlan};
use super::lookup::MatchedOperation;

/// The parts of an answer.
pub(super) struct Choice<'a> {
    /// `None` if the operation declares no response: an empty 200.
    pub(super) response: Option<&'a ResponsePlan>,
    pub(super) status: StatusCode,
    /// `None` if the answer has no body.
    pub(super) media: Option<ChosenMedia<'a>>,
    /// The name of the example in the body, if the media type has it.
    pub(super) example: Option<&'a str>,
}

/// A declared media type, and the type that the client gets.
pub(super) struct ChosenMedia<'a> {
    pub(super) plan: &'a MediaPlan,
    pub(super) media_type: Cow<'a, str>,
    pub(super) content_type: Option<HeaderValue>,
}

/// The client accepts no media type of a response.
struct NotAcceptable;

/// Chooses for a valid request: the preferred response, or else the usual one.
///
/// # Errors
/// The refusal of a preference that the operation cannot satisfy (404), or of all media types
/// (406).
pub(super) fn choose<'a>(
    context: &Context<'_>,
    call: &'a Call<'_>,
    operation: &'a MatchedOperation<'_>,
) -> Result<Choice<'a>, Box<Answer>> {
    let plan = operation.plan;
    let preferred = call.preferences.example.as_deref();
    let wished = match &call.preferences.code {
        Some(code) => {
            let code = code.parse().ok().filter(sendable);
            let declared = code.and_then(|code| declared(plan, code));
            Some(declared.ok_or_else(|| unsatisfied(plan, "response", code_text(call)))?)
        }
        None => None,
    };
    // The first response that has an example with this name.
    let with = |name: &str| {
        let has = |(response, _): &(&ResponsePlan, StatusCode)| {
            response.media.iter().any(|media| media.example(Some(name)).is_some())
        };
        match wished {
            Some(wished) => Some(wished).filter(has),
            None => all(plan).find(has),
        }
    };
    let accept = Accept::of(&call.parts.headers);
    let matched = (preferred.is_none() && !call.dynamic(context.settings))
        .then(|| plan.example_matches.of(&operation.matched, &call.request, || call.json_body()))
        .flatten();
    let found = match (preferred, matched) {
        (Some(name), _) => Some(with(name).ok_or_else(|| unsatisfied(plan, "example", name))?),
        // A status that the client prefers is stronger than an example that the request matches.
        (None, Some(name)) if wished.is_none() => with(name).or_else(|| usual(plan)),
        (None, _) => wished.or_else(|| usual(plan)),
    };
    let Some((response, status)) = found else {
        return Ok(Choice { response: None, status: StatusCode::OK, media: None, example: None });
    };
    let fits = |media: &&MediaPlan| preferred.is_none() || media.example(preferred).is_some();
    let media = match media_of(response, status, &accept, fits) {
        Ok(media) => media,
        Err(NotAcceptable) => return Err(Box::new(not_acceptable(response))),
    };
    Ok(Choice { response: Some(response), status, media, example: preferred.or(matched) })
}

/// Chooses for an override: the response declared for its status, else the usual one, with the
/// example that it names.
pub(super) fn of_status<'a>(
    call: &Call<'_>,
    operation: &'a MatchedOperation<'_>,
    status: Option<StatusCode>,
    example: Option<&'a str>,
) -> Option<Choice<'a>> {
    let plan = operation.plan;
    let fits = |media: &&MediaPlan| example.is_none() || media.example(example).is_some();
    let has = |(response, _): &(&ResponsePlan, StatusCode)| {
        response.media.iter().any(|media| fits(&media))
    };
    let (response, status) = match (status, example) {
        (Some(status), None) => declared(plan, status.as_u16())?,
        (Some(status), Some(_)) => declared(plan, status.as_u16()).filter(has)?,
        (None, None) => usual(plan)?,
        (None, Some(_)) => all(plan).find(has)?,
    };
    let accept = Accept::of(&call.parts.headers);
    let media = media_of(response, status, &accept, fits).unwrap_or_else(|NotAcceptable| {
        response.media.iter().find(fits).map(|media| chosen(media, &accept))
    });
    Some(Choice { response: Some(response), status, media, example })
}

/// Chooses for a success: the first of some statuses that the operation declares explicitly, else
/// the usual response, where `2XX` and `default` are sent as the first of the statuses. `None` if
/// the operation declares no success.
pub(super) fn success<'a>(
    call: &'a Call<'_>,
    operation: &'a MatchedOperation<'_>,
    codes: &[u16],
) -> Option<Choice<'a>> {
    let plan = operation.plan;
    let exact = codes.iter().find_map(|&code| {
        let response = response(plan, StatusKey::Code(code))?;
        Some((response, StatusCode::from_u16(code).ok()?))
    });
    let first = || codes.first().and_then(|code| StatusCode::from_u16(*code).ok());
    let (response, status) = exact.or_else(|| match usual(plan)? {
        (response, _) if matches!(response.key, StatusKey::Range(_) | StatusKey::Default) => {
            Some((response, first()?))
        }
        usual => usual.1.is_success().then_some(usual),
    })?;
    Some(lenient(call, response, status))
}

/// The first of some statuses that the operation declares for an error; else its `4XX` or
/// `default`, sent as `status`. A client that accepts none of the media types gets the first one,
/// because an error in the wrong type is better than none.
pub(super) fn declared_error<'a>(
    call: &'a Call<'_>,
    operation: &'a MatchedOperation<'_>,
    codes: &[u16],
    status: StatusCode,
) -> Option<Choice<'a>> {
    let plan = operation.plan;
    let exact = codes.iter().find_map(|&code| {
        let response = response(plan, StatusKey::Code(code))?;
        Some((response, StatusCode::from_u16(code).unwrap_or(status)))
    });
    let general = || {
        let response = response(plan, StatusKey::Range(4));
        response.or_else(|| self::response(plan, StatusKey::Default)).map(|r| (r, status))
    };
    let (response, status) = exact.or_else(general)?;
    Some(lenient(call, response, status))
}

/// Like [`declared_error`], for a status that no other declaration can replace.
pub(super) fn exact_error<'a>(
    call: &'a Call<'_>,
    operation: &'a MatchedOperation<'_>,
    status: StatusCode,
) -> Option<Choice<'a>> {
    let response = response(operation.plan, StatusKey::Code(status.as_u16()))?;
    Some(lenient(call, response, status))
}

fn lenient<'a>(call: &'a Call<'_>, response: &'a ResponsePlan, status: StatusCode) -> Choice<'a> {
    let accept = Accept::of(&call.parts.headers);
    // The preferred example, if it is one of this response.
    let preferred = call.preferences.example.as_deref();
    let example = preferred
        .filter(|name| response.media.iter().any(|media| media.example(Some(name)).is_some()));
    let fits = |media: &&MediaPlan| example.is_none() || media.example(example).is_some();
    let media = media_of(response, status, &accept, fits).unwrap_or_else(|NotAcceptable| {
        response.media.iter().find(fits).map(|media| chosen(media, &accept))
    });
    Choice { response: Some(response), status, media, example }
}

/// The refusal of a preference for an example of an error, if the response does not have it.
pub(super) fn missing_example(
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
) -> Option<Answer> {
    let preferences = &call.preferences;
    let name = preferences.example.as_deref().filter(|_| choice.example.is_none())?;
    let code = preferences.code.as_deref()?;
    (code == choice.status.as_str()).then(|| *unsatisfied(operation.plan, "example", name))
}

/// The media type with the highest quality among the matching ones.
fn media_of<'a>(
    response: &'a ResponsePlan,
    status: StatusCode,
    accept: &Accept,
    fits: impl Fn(&&'a MediaPlan) -> bool + Clone,
) -> Result<Option<ChosenMedia<'a>>, NotAcceptable> {
    if response.media.is_empty() || !may_have_body(status) {
        return Ok(None);
    }
    let concrete = |media: &&MediaPlan| !media.media.is_range() || media.concrete(accept).is_some();
    let fitting = response.media.iter().filter(fits).filter(concrete);
    let best = accept.best(fitting, |media| &media.media).ok_or(NotAcceptable)?;
    Ok(Some(chosen(best, accept)))
}

fn chosen<'a>(plan: &'a MediaPlan, accept: &Accept) -> ChosenMedia<'a> {
    if plan.media.is_range() {
        let concrete = plan.concrete(accept).unwrap_or_else(|| "application/json".to_owned());
        let content_type = HeaderValue::from_str(&concrete).ok();
        return ChosenMedia { plan, media_type: Cow::Owned(concrete), content_type };
    }
    let media_type = Cow::Borrowed(plan.declared.as_str());
    ChosenMedia { plan, media_type, content_type: plan.content_type.clone() }
}

/// The lowest explicit 2xx, else `2XX`, else `default`, else the first.
fn usual(plan: &OperationPlan) -> Option<(&ResponsePlan, StatusCode)> {
    let responses = &plan.responses;
    let usual = responses
        .iter()
        .filter(|response| matches!(response.key, StatusKey::Code(200..300)))
        .min_by_key(|response| response.key)
        .or_else(|| response(plan, StatusKey::Range(2)))
        .or_else(|| response(plan, StatusKey::Default))
        .or_else(|| responses.first())?;
    Some((usual, status_of(usual.key)))
}

/// All responses, the usual one first. The others may have an example that the first has not.
fn all(plan: &OperationPlan) -> impl Iterator<Item = (&ResponsePlan, StatusCode)> {
    let usual = usual(plan);
    let key = usual.map(|(response, _)| response.key);
    let others = plan.responses.iter().filter(move |other| Some(other.key) != key);
    usual.into_iter().chain(others.map(|other| (other, status_of(other.key))))
}

/// The response declared for a status: by its code, its range, or `default`.
fn declared(plan: &OperationPlan, code: u16) -> Option<(&ResponsePlan, StatusCode)> {
    let range = u8::try_from(code / 100).unwrap_or(0);
    let status = StatusCode::from_u16(code).ok()?;
    [StatusKey::Code(code), StatusKey::Range(range), StatusKey::Default]
        .into_iter()
        .find_map(|key| response(plan, key))
        .map(|response| (response, status))
}

fn response(plan: &OperationPlan, key: StatusKey) -> Option<&ResponsePlan> {
    plan.responses.iter().find(|response| response.key == key)
}

fn code_text<'a>(call: &'a Call<'_>) -> &'a str {
    call.preferences.code.as_deref().unwrap_or_default()
}

/// The operation has nothing that satisfies the preference.
fn unsatisfied(plan: &OperationPlan, kind: &str, preferred: &str) -> Box<Answer> {
    let known: Vec<String> = if kind == "response" {
        plan.responses.iter().map(|response| response.key.to_string()).collect()
    } else {
        let media = plan.responses.iter().flat_map(|response| &response.media);
        let mut names: Vec<String> = media
            .flat_map(|media| media.examples.iter().filter_map(|(name, _)| name.clone()))
            .collect();
        names.dedup();
        names
    };
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let detail = format!("the operation does not have the {kind} {preferred:?}; it has: {known}");
    let title = "the preference cannot be satisfied";
    Box::new(Answer::problem(StatusCode::NOT_FOUND, title, &detail))
}

fn not_acceptable(response: &ResponsePlan) -> Answer {
    let offered: Vec<&str> = response.media.iter().map(|media| media.declared.as_str()).collect();
    let detail = format!("the Accept header does not match any of: {}", offered.join(", "));
    let extra = Map::from_iter([("offered".to_owned(), json!(offered))]);
    let title = "the client accepts none of the media types";
    Answer::problem_with(StatusCode::NOT_ACCEPTABLE, title, &detail, extra)
}

/// The status for a key of `responses`.
fn status_of(key: StatusKey) -> StatusCode {
    let code = match key {
        StatusKey::Code(code) => code,
        StatusKey::Range(digit) => u16::from(digit) * 100,
        StatusKey::Default => 200,
    };
    StatusCode::from_u16(code).unwrap_or(StatusCode::OK)
}

/// Interim statuses cannot be final answers.
fn sendable(code: &u16) -> bool {
    (200..=999).contains(code)
}

fn may_have_body(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 204 | 205 | 304)
}
