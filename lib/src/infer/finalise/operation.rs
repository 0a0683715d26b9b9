//! An operation's state to its OpenAPI object.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::bodies::{Bodies, Part};
use super::labels::Labels;
use super::parameters;
use super::schema::{Schemas, string};
use super::security::Security;
use crate::exchange::Method;
use crate::infer::sketch::CappedMap;
use crate::infer::state::{Answered, Asked, Body, Operation};
use crate::schema::{Dialect, join};

/// Writes the operation objects of a path.
pub(super) struct Writer<'a> {
    /// The path, with `{}` for each parameter.
    pub(super) key: &'a str,
    pub(super) bodies: &'a Bodies,
    pub(super) schemas: &'a Schemas<'a>,
    pub(super) labels: &'a Labels,
    pub(super) security: &'a Security,
}

impl Writer<'_> {
    /// The operation object.
    pub(super) fn object(&self, method: Method, operation: &Operation) -> Value {
        let mut object = Map::new();
        self.labels.write(self.key, method, &mut object);
        let detail = self.schemas.detail;
        let mut parameters = parameters::of_operation(&operation.ok, &operation.failed, detail);
        let asked = self.security.of(operation);
        // What a security scheme says is no parameter besides.
        parameters.retain(|parameter| !asked.is_key(parameter));
        if !parameters.is_empty() {
            object.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(body) = self.request_body(method, &operation.ok, &operation.failed) {
            object.insert("requestBody".to_owned(), body);
        }
        let mut responses: Map<String, Value> = operation
            .responses
            .iter()
            .map(|(status, answered)| {
                (status.to_string(), self.response(method, *status, answered))
            })
            .collect();
        if responses.is_empty() {
            // A document must have a response, and no answer was recorded.
            let unknown = json!({"description": "No answer was recorded"});
            responses.insert("default".to_owned(), unknown);
        }
        object.insert("responses".to_owned(), responses.into());
        if let Some(security) = asked.security() {
            object.insert("security".to_owned(), security);
        }
        let (ok, failed) = (operation.ok.n, operation.failed.n);
        detail.count(&mut object, &[("failed", failed), ("ok", ok)]);
        Value::Object(object)
    }

    /// Bodies of requests that failed are no evidence, unless there is no other.
    fn request_body(&self, method: Method, ok: &Asked, failed: &Asked) -> Option<Value> {
        let (asked, part) =
            if ok.n > 0 { (ok, Part::Request) } else { (failed, Part::FailedRequest) };
        if asked.bodies.is_empty() {
            return None;
        }
        let mut body = json!({});
        if asked.empty == 0 && ok.n > 0 {
            body["required"] = json!(true);
        }
        body["content"] = self.content(method, part, &asked.bodies);
        Some(body)
    }

    fn response(&self, method: Method, status: u16, answered: &Answered) -> Value {
        let mut response = json!({"description": description(status)});
        let detail = self.schemas.detail;
        let headers = parameters::headers(&answered.headers, answered.n, detail);
        if !headers.is_empty() {
            response["headers"] = headers.into();
        }
        if !answered.bodies.is_empty() {
            response["content"] = self.content(method, Part::Response(status), &answered.bodies);
        }
        if let Some(response) = response.as_object_mut() {
            detail.count(response, &[("n", answered.n)]);
        }
        response
    }

    fn content(&self, method: Method, part: Part, bodies: &CappedMap<Body>) -> Value {
        let mut content: Map<String, Value> = bodies
            .sorted()
            .into_iter()
            .map(|(media, body)| (media.to_owned(), self.media(method, part, media, body)))
            .collect();
        if bodies.rest().is_some() {
            content.insert("*/*".to_owned(), json!({}));
        }
        content.into()
    }

    fn media(&self, method: Method, part: Part, media: &str, body: &Body) -> Value {
        let schema = if body.is_described() {
            self.schema(method, part, media, body)
        } else {
            json!({"x-hmt-unread": true})
        };
        let mut object = Map::from_iter([("schema".to_owned(), schema)]);
        if body.unread() > 0 || body.silent > 0 {
            let all = [("n", body.n), ("unrecorded", body.silent), ("unread", body.unread())];
            self.schemas.detail.count(&mut object, &all);
        }
        object.into()
    }

    fn schema(&self, method: Method, part: Part, media: &str, body: &Body) -> Value {
        let json = self.bodies.slot(method, part, media).map(|slot| self.schemas.of(slot, ""));
        let form = body.form.as_ref();
        let form = form.map(|form| parameters::form(&form.fields, form.n, self.schemas.detail));
        // Bytes may be any text.
        let text = body.text.as_ref().filter(|_| body.binary == 0);
        let text = text.map(|text| string(text, "message"));
        let binary = (body.binary > 0).then(|| {
            if media.starts_with("multipart/") {
                json!({"type": "object"})
            } else {
                json!({"type": "string", "format": "binary"})
            }
        });
        let all = [json, form, text, binary].into_iter().flatten();
        // The bytes of one type may be JSON now and a page or a form then.
        all.reduce(|a, b| join(&a, &b, Dialect::V3_0)).unwrap_or_else(|| json!({}))
    }
}

/// What a status means, in the words of its specification.
pub(super) fn description(status: u16) -> &'static str {
    StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("An answer of this status")
}
