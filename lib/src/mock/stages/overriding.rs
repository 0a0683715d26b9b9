//! Answers a request with the matching override.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::super::answer::media::{MediaType, Notation};
use super::super::answer::{Answer, AnswerSource};
use super::super::call::{Call, Context};
use super::super::world::{Match, Override, PathMatch};
use super::fill::fill;
use super::lookup::MatchedOperation;
use super::negotiation;

pub(super) fn answer(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: Option<&MatchedOperation<'_>>,
) -> Option<Answer> {
    let found =
        context.world.overrides().take(|wanted| matches(wanted, context, call, operation))?;
    let mut answer = answer_of(&found, context, call, operation);
    // The first value of a name replaces existing values, and further ones are added.
    answer.headers.extend(found.answer.headers.clone());
    answer.source = Some(AnswerSource::Override);
    answer.delivery = found.answer.delivery;
    answer.note = Some(format!("override {}", found.id));
    Some(answer)
}

fn answer_of(
    found: &Override,
    context: &Context<'_>,
    call: &Call<'_>,
    operation: Option<&MatchedOperation<'_>>,
) -> Answer {
    let wanted = &found.answer;
    if let Some(body) = &wanted.body {
        return with_body(found, body, call, operation);
    }
    let made = operation.and_then(|operation| {
        let example = wanted.example.as_deref();
        let choice = negotiation::of_status(call, operation, wanted.status, example)?;
        Some(fill(context, call, operation, &choice))
    });
    match (made, &wanted.example) {
        (Some(answer), _) => answer,
        (None, Some(example)) => {
            let detail = format!(
                "override {} names the example {example:?}, but no response of the operation has it",
                found.id
            );
            Answer::problem(StatusCode::INTERNAL_SERVER_ERROR, "no such example", &detail)
        }
        (None, None) => Answer::empty(wanted.status.unwrap_or(StatusCode::OK)),
    }
}

/// The media type is that of the override's own header, else the one that the spec declares, else
/// JSON or text.
fn with_body(
    found: &Override,
    body: &Value,
    call: &Call<'_>,
    operation: Option<&MatchedOperation<'_>>,
) -> Answer {
    let status = found.answer.status.unwrap_or(StatusCode::OK);
    let mut answer = Answer::empty(status);
    let content_type = found.answer.headers.get(CONTENT_TYPE).cloned().or_else(|| {
        let declared = operation.and_then(|operation| {
            let choice = negotiation::of_status(call, operation, Some(status), None)?;
            choice.media?.content_type
        });
        // Other values can only be written as JSON.
        declared.filter(|value| body.is_string() || is_json(value))
    });
    let content_type = content_type.unwrap_or_else(|| {
        HeaderValue::from_static(match body {
            Value::String(_) => "text/plain; charset=utf-8",
            _ => "application/json",
        })
    });
    answer.body = match body {
        Value::String(text) if !is_json(&content_type) => text.clone().into(),
        body => body.to_string().into(),
    };
    answer.headers.insert(CONTENT_TYPE, content_type);
    answer
}

fn is_json(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default();
    MediaType::parse(text).notation() == Notation::Json
}

fn matches(
    wanted: &Match,
    context: &Context<'_>,
    call: &Call<'_>,
    operation: Option<&MatchedOperation<'_>>,
) -> bool {
    let request = &call.request;
    wanted.host.as_ref().is_none_or(|host| host.matches(&request.host))
        && wanted
            .method
            .as_ref()
            .is_none_or(|method| method.eq_ignore_ascii_case(call.parts.method.as_str()))
        && wanted.path.as_ref().is_none_or(|path| path_matches(path, context, call, operation))
        && wanted.query.iter().all(|(name, value)| {
            request.query.iter().any(|(own, given)| own == name && given == value)
        })
        && wanted.headers.iter().all(|(name, value)| has_header(&call.parts.headers, name, value))
        && wanted.body.as_ref().is_none_or(|body| body_matches(body, call))
}

/// The path as it was sent, the path below a server's base path, or the template of the operation.
fn path_matches(
    path: &PathMatch,
    context: &Context<'_>,
    call: &Call<'_>,
    operation: Option<&MatchedOperation<'_>>,
) -> bool {
    if let (PathMatch::Template(template), Some(operation)) = (path, operation)
        && *template == operation.matched.operation.template
    {
        return true;
    }
    let sent = call.request.pathname.as_ref();
    if path.matches(sent) {
        return true;
    }
    let servers = context.catalogue.specs.iter().flat_map(|spec| &spec.api.servers);
    let below = servers.filter_map(|server| sent.strip_prefix(server.base_path.as_str()));
    below.into_iter().any(|below| below.len() < sent.len() && path.matches(below))
}

fn has_header(headers: &HeaderMap, name: &http::HeaderName, value: &str) -> bool {
    headers.get_all(name).iter().any(|given| given.as_bytes() == value.as_bytes())
}

fn body_matches(wanted: &Value, call: &Call<'_>) -> bool {
    let body = call.request.body.as_bytes();
    let content_type = call.parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form =
        content_type.is_some_and(|text| MediaType::parse(text).notation() == Notation::Form);
    if is_form && wanted.is_object() {
        let mut form = Map::new();
        for (name, value) in form_urlencoded::parse(body) {
            form.insert(name.into_owned(), Value::String(value.into_owned()));
        }
        return contains(&Value::Object(form), wanted);
    }
    match (call.json_body(), wanted) {
        (Some(given), wanted) if contains(given, wanted) => true,
        (_, Value::String(wanted)) => body == wanted.as_bytes(),
        (_, Value::Null) => body.is_empty(),
        _ => false,
    }
}

/// True if `given` contains `wanted`: all members of objects, and all items of lists in any order.
fn contains(given: &Value, wanted: &Value) -> bool {
    match (given, wanted) {
        (Value::Object(given), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| given.get(name).is_some_and(|given| contains(given, wanted))),
        (Value::Array(given), Value::Array(wanted)) => {
            wanted.iter().all(|wanted| given.iter().any(|given| contains(given, wanted)))
        }
        // The values of a form are all texts.
        (Value::String(given), Value::Number(wanted)) => {
            serde_json::from_str::<serde_json::Number>(given).is_ok_and(|given| given == *wanted)
        }
        (Value::String(given), Value::Bool(wanted)) => {
            given == if *wanted { "true" } else { "false" }
        }
        (Value::Number(given), Value::Number(wanted)) => {
            given == wanted || given.as_f64() == wanted.as_f64()
        }
        (given, wanted) => given == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_contains_another() {
        for (given, wanted, expected) in [
            (json!({"a": 1, "b": 2}), json!({"a": 1}), true),
            (json!({"a": {"b": [1, 2]}}), json!({"a": {"b": [2]}}), true),
            (json!({"a": 1.0}), json!({"a": 1}), true),
            (json!([{"id": 1}, {"id": 2, "x": 3}]), json!([{"id": 2}]), true),
            (json!({"a": 1}), json!({"a": null}), false),
            (json!({"a": 1}), json!({"b": 1}), false),
            (json!([1]), json!([1, 2]), false),
            (json!("a"), json!("b"), false),
        ] {
            assert_eq!(contains(&given, &wanted), expected, "{given} {wanted}");
        }
    }
}
