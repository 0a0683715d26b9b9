//! Converts the state of an operation to its OpenAPI object.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::bodies::{Bodies, BodyPosition};
use super::forms;
use super::graphql;
use super::labels::Labels;
use super::parameters;
use super::schema::{Schemas, string};
use super::security::Security;
use super::textual::Textual;
use super::xml;
use crate::exchange::Method;
use crate::infer::sketch::CappedMap;
use crate::infer::state::{Body, Operation, Requests, Responses};
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
        let mut parameters = {
            let limits = self.schemas.graph.limits();
            parameters::of_operation(&operation.ok, &operation.failed, detail, limits)
        };
        let asked = self.security.of(operation);
        // Parameters that a security scheme describes are left out.
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
            // A document must have a response, but none was recorded.
            let unknown = json!({"description": "No response was recorded"});
            responses.insert("default".to_owned(), unknown);
        }
        object.insert("responses".to_owned(), responses.into());
        if let Some(security) = asked.security() {
            object.insert("security".to_owned(), security);
        }
        graphql::write(operation, self.schemas.graph, &mut object);
        let (ok, failed) = (operation.ok.n, operation.failed.n);
        detail.count(&mut object, &[("failed", failed), ("ok", ok)]);
        Value::Object(object)
    }

    /// The bodies of failed requests are evidence only if there are no others.
    fn request_body(&self, method: Method, ok: &Requests, failed: &Requests) -> Option<Value> {
        let (asked, part) = if ok.n > 0 {
            (ok, BodyPosition::Request)
        } else {
            (failed, BodyPosition::FailedRequest)
        };
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

    fn response(&self, method: Method, status: u16, answered: &Responses) -> Value {
        let mut response = json!({"description": description(status)});
        let detail = self.schemas.detail;
        let headers = {
            let limits = self.schemas.graph.limits();
            parameters::headers(&answered.headers, answered.n, detail, limits)
        };
        if !headers.is_empty() {
            response["headers"] = headers.into();
        }
        if !answered.bodies.is_empty() {
            response["content"] =
                self.content(method, BodyPosition::Response(status), &answered.bodies);
        }
        if let Some(response) = response.as_object_mut() {
            detail.count(response, &[("n", answered.n)]);
        }
        response
    }

    fn content(&self, method: Method, part: BodyPosition, bodies: &CappedMap<Body>) -> Value {
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

    fn media(&self, method: Method, part: BodyPosition, media: &str, body: &Body) -> Value {
        if !body.is_described() {
            return self.counted(
                body,
                Map::from_iter([("schema".to_owned(), json!({"x-hmt-unread": true}))]),
            );
        }
        let mut object = Map::new();
        let schema = self.schema((method, part, media), body, &mut object);
        object.insert("schema".to_owned(), schema);
        object.sort_keys();
        self.counted(body, object)
    }

    /// Counts the bodies that could not be read.
    fn counted(&self, body: &Body, object: Map<String, Value>) -> Value {
        let mut object = object;
        if body.unread() > 0 || body.silent > 0 {
            let all = [("n", body.n), ("unrecorded", body.silent), ("unread", body.unread())];
            self.schemas.detail.count(&mut object, &all);
        }
        object.into()
    }

    /// The schema of bodies; further keys of their media type object are added to `object`.
    fn schema(
        &self,
        (method, part, media): (Method, BodyPosition, &str),
        body: &Body,
        object: &mut Map<String, Value>,
    ) -> Value {
        let slot = self.bodies.slot(method, part, media).map(|slot| self.schemas.of(slot, ""));
        let json = slot.clone().filter(|_| body.json.is_some());
        let form = body.form.as_ref().map(|form| forms::form(form, self.schemas));
        let parts = body
            .parts
            .as_ref()
            .filter(|parts| parts.n > 0)
            .map(|parts| forms::parts(parts, self.schemas, self.bodies, (method, part, media)));
        let mut described = |media: Value| {
            let Value::Object(mut media) = media else { return json!({}) };
            object.extend(media.shift_remove("encoding").map(|all| ("encoding".to_owned(), all)));
            media.shift_remove("schema").unwrap_or_default()
        };
        let (form, parts) = (form.map(&mut described), parts.map(&mut described));
        let items = body.items.is_some().then(|| json!({"type": "string"}));
        if let Some(slot) = slot.filter(|_| body.items.is_some() && body.json.is_none()) {
            object.insert("x-hmt-item-schema".to_owned(), slot);
        }
        let textual = Textual { graph: self.schemas.graph, detail: self.schemas.detail };
        let xml = body.xml.as_ref().map(|documents| xml::schema(documents, textual));
        // Binary bodies may be any text.
        let text = body.text.as_ref().filter(|_| body.binary == 0);
        let text = text.map(|text| string(text, "message"));
        let binary = (body.binary > 0).then(|| {
            if media.starts_with("multipart/") {
                json!({"type": "object"})
            } else {
                json!({"type": "string", "format": "binary"})
            }
        });
        let all = [json, form, parts, items, xml, text, binary].into_iter().flatten();
        // Bodies of one type may be JSON, a page or a form.
        all.reduce(|a, b| join(&a, &b, Dialect::V3_0)).unwrap_or_else(|| json!({}))
    }
}

/// The meaning of a status, in the words of its specification.
pub(super) fn description(status: u16) -> &'static str {
    StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("A response with this status")
}
