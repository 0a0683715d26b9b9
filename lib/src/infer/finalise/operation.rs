//! An operation's state to its OpenAPI object.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::parameters;
use super::schema::{Schemas, string};
use crate::infer::sketch::CappedMap;
use crate::infer::state::{Answered, Asked, Body, Operation, Syntax};

/// The operation object.
pub(super) fn object(operation: &Operation, schemas: &Schemas<'_>) -> Value {
    let mut object = Map::new();
    let parameters = parameters::of_operation(&operation.ok, &operation.failed);
    if !parameters.is_empty() {
        object.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = request_body(&operation.ok, &operation.failed, schemas) {
        object.insert("requestBody".to_owned(), body);
    }
    let responses: Map<String, Value> = operation
        .responses
        .iter()
        .map(|(status, answered)| (status.to_string(), response(*status, answered, schemas)))
        .collect();
    object.insert("responses".to_owned(), responses.into());
    Value::Object(object)
}

/// Bodies of requests that failed are no evidence, unless there is no other.
fn request_body(ok: &Asked, failed: &Asked, schemas: &Schemas<'_>) -> Option<Value> {
    let asked = if ok.n > 0 { ok } else { failed };
    if asked.bodies.is_empty() {
        return None;
    }
    let mut body = json!({});
    if asked.empty == 0 && ok.n > 0 {
        body["required"] = json!(true);
    }
    body["content"] = content(&asked.bodies, schemas);
    Some(body)
}

fn response(status: u16, answered: &Answered, schemas: &Schemas<'_>) -> Value {
    let mut response = json!({"description": description(status)});
    let headers = parameters::headers(&answered.headers, answered.n);
    if !headers.is_empty() {
        response["headers"] = headers.into();
    }
    if !answered.bodies.is_empty() {
        response["content"] = content(&answered.bodies, schemas);
    }
    response
}

/// What a status means, in the words of its specification.
pub(super) fn description(status: u16) -> &'static str {
    StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("An answer of this status")
}

fn content(bodies: &CappedMap<Body>, schemas: &Schemas<'_>) -> Value {
    let mut content: Map<String, Value> = bodies
        .sorted()
        .into_iter()
        .map(|(media, body)| (media.to_owned(), media_object(media, body, schemas)))
        .collect();
    if bodies.rest().is_some() {
        content.insert("*/*".to_owned(), json!({}));
    }
    content.into()
}

fn media_object(media: &str, body: &Body, schemas: &Schemas<'_>) -> Value {
    if body.opaque > 0 {
        return json!({"schema": {}});
    }
    let schema = match Syntax::of(media) {
        Syntax::Json => body.json.as_ref().map(|json| schemas.of(json, "")),
        Syntax::Form => body.form.as_ref().map(|form| parameters::form(&form.fields, form.n)),
        Syntax::Text if body.binary == 0 => body.text.as_ref().map(|text| string(text, "message")),
        Syntax::Text | Syntax::Binary if media.starts_with("multipart/") => {
            Some(json!({"type": "object"}))
        }
        Syntax::Text | Syntax::Binary => Some(json!({"type": "string", "format": "binary"})),
    };
    json!({"schema": schema.unwrap_or_else(|| json!({}))})
}
