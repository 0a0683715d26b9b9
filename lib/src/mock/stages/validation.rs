//! Refuses requests that violate their operation: 415 or 422.

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::conform::Violation;

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::fill::fill;
use super::lookup::MatchedOperation;
use super::negotiation;

/// Lists the violations if the operation declares the error itself.
const VIOLATIONS: HeaderName = HeaderName::from_static("x-hmt-violations");
/// Maximum length of the header value in bytes. Many clients refuse heads of more than 8 KiB.
const MAX_HEADER: usize = 4096;

pub(super) fn refuse(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
) -> Option<Answer> {
    if !context.settings.validate {
        return None;
    }
    let keep = |value| call.keep_json_body(value);
    let api = &operation.spec.api;
    let reads_body = operation.plan.reads_body || operation.spec.state.is_some();
    let keep: Option<&dyn Fn(Value)> = if reads_body { Some(&keep) } else { None };
    let violations = api.validate_client_request(&operation.matched, &call.request, keep);
    if violations.is_empty() {
        return None;
    }
    let wrong_type = violations.iter().any(|violation| violation.location == "content-type");
    let (choice, status, title) = if wrong_type {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let title = "the operation does not accept the media type of the body";
        (negotiation::exact_error(call, operation, status), status, title)
    } else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let choice = negotiation::declared_error(call, operation, &[422, 400], status);
        (choice, status, "the request violates the spec")
    };
    let listed: Vec<Value> = violations
        .iter()
        .map(|v| json!({"in": v.location, "at": v.at, "message": v.message}))
        .collect();
    let detail: Vec<String> = violations.iter().map(Violation::to_string).collect();
    let detail = detail.join("; ");
    if let Some(choice) = &choice
        && let Some(refusal) = negotiation::missing_example(call, operation, choice)
    {
        return Some(refusal);
    }
    let mut answer = match choice {
        Some(choice) => {
            let mut answer = fill(context, call, operation, &choice);
            answer.headers.entry(VIOLATIONS).or_insert_with(|| capped(&listed));
            answer
        }
        None => {
            let extra = Map::from_iter([("violations".to_owned(), Value::Array(listed.clone()))]);
            Answer::problem_with(status, title, &detail, extra)
        }
    };
    answer.note = Some(detail);
    answer.violations = listed;
    Some(answer)
}

/// The places where a valid body matches several branches of a `oneOf`, for the line about the
/// request.
pub(super) fn overlaps(call: &Call<'_>, operation: &MatchedOperation<'_>) -> Option<String> {
    let body = call.json_body()?;
    let found = operation.spec.api.overlaps(&operation.matched, &call.request, body);
    let found: Vec<String> = found.iter().map(|place| format!("body {}", place.trim())).collect();
    (!found.is_empty()).then(|| found.join("; "))
}

/// As many violations as a header can hold, as JSON in ASCII.
fn capped(violations: &[Value]) -> HeaderValue {
    let mut text = String::from("[");
    for violation in violations {
        let item = ascii(&violation.to_string());
        if text.len() + item.len() + 2 > MAX_HEADER {
            break;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(']');
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("[]"))
}

/// JSON without characters that a header cannot contain; they are escaped.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_fit_into_a_header() {
        let one = json!({"in": "body", "at": "/ä😀", "message": "is required"});
        let header = capped(std::slice::from_ref(&one));
        let read: Value = serde_json::from_str(header.to_str().unwrap()).unwrap();
        assert_eq!(read, json!([one]));
        let many = vec![one; 500];
        let header = capped(&many);
        assert!(header.len() <= MAX_HEADER);
        let read: Vec<Value> = serde_json::from_str(header.to_str().unwrap()).unwrap();
        assert!(read.len() > 10);
    }
}
