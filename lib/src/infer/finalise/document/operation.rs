//! Converts the state of an operation to its OpenAPI object.

use http::StatusCode;
use openapiv3::{
    Content, MediaType, Operation, ReferenceOr, RequestBody, Response,
    Responses as ResponsesObject, StatusCode as Status,
};
use serde_json::{Value, json};

use super::bodies::{Bodies, BodyPosition};
use super::forms::{self, Encodings};
use super::graphql;
use super::openapi;
use super::parameters;
use super::security::Security;
use crate::exchange::Method;
use crate::infer::finalise::labels::Labels;
use crate::infer::finalise::schemas::schema::{Schemas, string};
use crate::infer::finalise::schemas::textual::Textual;
use crate::infer::finalise::schemas::xml;
use crate::infer::sketch::CappedMap;
use crate::infer::state::{ObservedBody, ObservedOperation, Responses};
use crate::schema::{Dialect, join};

/// Writes the operation objects of a path.
pub(crate) struct Writer<'a> {
    /// The path, with `{}` for each parameter.
    pub(crate) key: &'a str,
    pub(crate) bodies: &'a Bodies,
    pub(crate) schemas: &'a Schemas<'a>,
    pub(crate) labels: &'a Labels,
    pub(crate) security: &'a Security,
}

impl Writer<'_> {
    /// The operation object.
    pub(crate) fn object(&self, method: Method, operation: &ObservedOperation) -> Operation {
        let mut object = Operation::default();
        self.labels.write(self.key, method, &mut object);
        let detail = self.schemas.detail;
        let mut parameters = {
            let limits = self.schemas.graph.limits();
            parameters::of_operation(&operation.ok, &operation.failed, detail, limits)
        };
        let asked = self.security.of(operation);
        // Parameters that a security scheme describes are left out.
        parameters.retain(|parameter| !asked.is_key(parameter));
        if operation.graphql.is_some() {
            parameters.iter_mut().for_each(graphql::hide_in_query);
        }
        object.parameters = parameters.into_iter().map(ReferenceOr::Item).collect();
        object.request_body = self.request_body(method, operation).map(ReferenceOr::Item);
        let responses = operation.responses.iter().map(|(status, answered)| {
            (Status::Code(*status), ReferenceOr::Item(self.response(method, *status, answered)))
        });
        object.responses = responses_object(responses.collect());
        object.security = asked.security();
        object.extensions.extend(graphql::list(operation, self.schemas.graph));
        let (ok, failed) = (operation.ok.n, operation.failed.n);
        object.extensions.extend(detail.counts(&[("failed", failed), ("ok", ok)]));
        object
    }

    /// The bodies of failed requests are evidence only if there are no others.
    fn request_body(&self, method: Method, operation: &ObservedOperation) -> Option<RequestBody> {
        let ObservedOperation { ok, failed, .. } = operation;
        let (asked, part) = if ok.n > 0 {
            (ok, BodyPosition::Request)
        } else {
            (failed, BodyPosition::FailedRequest)
        };
        if asked.bodies.is_empty() {
            return None;
        }
        let hide = if operation.graphql.is_some() { graphql::hide_in_body } else { |_: &mut _| {} };
        Some(RequestBody {
            required: asked.empty == 0 && ok.n > 0,
            content: self.content(method, part, &asked.bodies, hide),
            ..RequestBody::default()
        })
    }

    fn response(&self, method: Method, status: u16, answered: &Responses) -> Response {
        let mut response =
            Response { description: description(status).to_owned(), ..Response::default() };
        let detail = self.schemas.detail;
        let limits = self.schemas.graph.limits();
        let headers = parameters::headers(&answered.headers, answered.n, detail, limits);
        response.headers.extend(headers);
        let part = BodyPosition::Response(status);
        response.content = self.content(method, part, &answered.bodies, |_| {});
        response.extensions.extend(detail.counts(&[("n", answered.n)]));
        response
    }

    /// The media types of bodies. `edit` changes their schemas.
    fn content(
        &self,
        method: Method,
        part: BodyPosition,
        bodies: &CappedMap<ObservedBody>,
        edit: fn(&mut Value),
    ) -> Content {
        let all = bodies.sorted().into_iter().map(|(media, body)| {
            let (mut object, mut schema) = if body.is_described() {
                self.media((method, part, media), body)
            } else {
                (MediaType::default(), json!({"x-hmt-unread": true}))
            };
            edit(&mut schema);
            object.schema = Some(openapi::schema(schema));
            // Counts the bodies that could not be read.
            if body.unread() > 0 || body.silent > 0 {
                let all = [("n", body.n), ("unrecorded", body.silent), ("unread", body.unread())];
                object.extensions.extend(self.schemas.detail.counts(&all));
            }
            (media.to_owned(), object)
        });
        let rest = bodies.rest().map(|_| ("*/*".to_owned(), MediaType::default()));
        all.chain(rest).collect()
    }

    /// The media type object of bodies without their schema, and the schema.
    fn media(
        &self,
        (method, part, media): (Method, BodyPosition, &str),
        body: &ObservedBody,
    ) -> (MediaType, Value) {
        let mut object = MediaType::default();
        let slot = self.bodies.slot(method, part, media).map(|slot| self.schemas.of(slot, ""));
        let json = slot.clone().filter(|_| body.json.is_some());
        let form = body.form.as_ref().map(|form| forms::form(form, self.schemas));
        let parts = body
            .parts
            .as_ref()
            .filter(|parts| parts.n > 0)
            .map(|parts| forms::parts(parts, self.schemas, self.bodies, (method, part, media)));
        let mut described = |(encoding, schema): (Encodings, Value)| {
            object.encoding = encoding.into_iter().collect();
            schema
        };
        let (form, parts) = (form.map(&mut described), parts.map(&mut described));
        let items = body.items.is_some().then(|| json!({"type": "string"}));
        if let Some(slot) = slot.filter(|_| body.items.is_some() && body.json.is_none()) {
            object.extensions.insert("x-hmt-item-schema".to_owned(), slot);
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
        let schema = all.reduce(|a, b| join(&a, &b, Dialect::V3_0)).unwrap_or_else(|| json!({}));
        (object, schema)
    }
}

/// The responses of an operation. A document must have one, even if none was recorded.
pub(crate) fn responses_object(all: Vec<(Status, ReferenceOr<Response>)>) -> ResponsesObject {
    let unknown = || {
        let description = "No response was recorded".to_owned();
        ReferenceOr::Item(Response { description, ..Response::default() })
    };
    ResponsesObject {
        default: all.is_empty().then(unknown),
        responses: all.into_iter().collect(),
        ..ResponsesObject::default()
    }
}

/// The meaning of a status, in the words of its specification.
pub(crate) fn description(status: u16) -> &'static str {
    StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("A response with this status")
}
