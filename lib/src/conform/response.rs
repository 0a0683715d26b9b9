//! Checks a response against its operation, and an exchange against the document.

use std::borrow::Cow;

use serde_json::json;

use super::api::{
    Api, BasePathRule, Found, Matched, Operation, ResponseSpec, StatusKey, Violation,
};
use super::body::Message;
use super::parameters::joined;
use super::verb::Verb;
use crate::exchange::{
    Exchange, Method, Request, Response, header, media_type, origin, type_of_bytes,
};
use crate::schema::Direction;

impl Operation {
    /// The declared response for a status: by code, by range, or `default`.
    pub fn response(&self, status: u16) -> Option<(StatusKey, &ResponseSpec)> {
        let entry =
            |key| self.responses.iter().find(|(k, _)| *k == key).map(|(k, spec)| (*k, spec));
        let range = u8::try_from(status / 100).ok();
        entry(StatusKey::Code(status))
            .or_else(|| range.and_then(|digit| entry(StatusKey::Range(digit))))
            .or_else(|| entry(StatusKey::Default))
    }
}

/// The media type of a response with a body.
fn media_of(response: &Response<'_>) -> Option<String> {
    let declared = header(&response.headers, "content-type").and_then(media_type);
    let media = declared.map(Cow::into_owned);
    (!response.body.is_empty())
        .then(|| media.unwrap_or_else(|| type_of_bytes(&response.body).to_owned()))
}

impl Api {
    /// Checks the status, the headers and the body of a response.
    fn check_response(
        &self,
        operation: &Operation,
        response: &Response<'_>,
        whole_body: bool,
    ) -> Vec<Violation> {
        let Some((key, spec)) = operation.response(response.status) else {
            let text = format!("{} is not declared for {}", response.status, operation.template);
            let what = json!([response.status.to_string(), media_of(response)]);
            let fault = Violation::absent("status", "", operation, "status", what).fault;
            return vec![Violation { fault, ..Violation::new("status", "", &text) }];
        };
        let mut violations = Vec::new();
        for (name, header) in &spec.headers {
            match joined(&response.headers, name) {
                None if header.required => {
                    let what = json!([key.to_string(), name]);
                    violations.push(Violation::absent("header", name, operation, "headers", what));
                }
                None => {}
                Some(text) => {
                    let problems =
                        header.schema.map_or_else(Vec::new, |id| self.check_header(id, &text));
                    let of = |problem| Violation::of_problem("header", name, problem);
                    violations.extend(problems.into_iter().map(of));
                }
            }
        }
        if whole_body && !response.body.is_empty() && operation.method != Some(Method::Head) {
            let message = Message {
                headers: &response.headers,
                body: &response.body,
                direction: Direction::Response,
                client: None,
            };
            self.check_body(&spec.content, &message, &mut violations);
            for violation in violations.iter_mut().filter(|v| v.location == "content-type") {
                let what = json!([key.to_string(), media_of(response)]);
                violation.fault = Violation::absent("", "", operation, "status", what).fault;
            }
        }
        violations
    }

    /// Whether an exchange conforms: an operation matches, the status is declared, and the response
    /// is valid; if the status is below 400, the request must be valid too.
    ///
    /// The operation is searched among those of the exchange's origin if the document has it,
    /// otherwise by the path alone, with or without base path. A truncated body is not checked. A
    /// missing response is not a violation.
    ///
    /// # Errors
    /// The violations.
    pub fn conforms(&self, exchange: &Exchange<'_>) -> Result<(), Vec<Violation>> {
        if exchange.response.is_none() {
            return Ok(());
        }
        let matched = self.find_exchange(exchange)?;
        let violations = self.check_exchange(&matched, exchange);
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// Whether a request whose response was not recorded conforms: an operation matches, and, if
    /// only a response `default` is declared, the request validates. For other operations, the
    /// response may have been an error.
    ///
    /// # Errors
    /// What contradicts the document.
    pub fn request_conforms(&self, exchange: &Exchange<'_>) -> Result<(), Vec<Violation>> {
        let matched = self.find_exchange(exchange)?;
        let mut all = matched.operation.responses.iter();
        if !all.all(|(key, _)| *key == StatusKey::Default) {
            return Ok(());
        }
        let violations = self.check_recorded_request(&matched, exchange);
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    fn check_recorded_request(
        &self,
        matched: &Matched<'_>,
        exchange: &Exchange<'_>,
    ) -> Vec<Violation> {
        let meta = &exchange.meta;
        let whole = meta.truncated_request.is_none() && meta.incomplete.is_none();
        let mut violations = self.check_request(matched, &exchange.request, whole, None);
        violations.retain(|violation| !violation.is_of_redacted("request", &meta.redacted));
        violations
    }

    /// The operation of an exchange, or why there is none.
    fn find_exchange(&self, exchange: &Exchange<'_>) -> Result<Matched<'_>, Vec<Violation>> {
        let request = &exchange.request;
        let (known, base) = self.where_to_look(request);
        let known = known.as_deref();
        match self.find_for(request.method, known, request, base) {
            Found::Operation(matched) => Ok(matched),
            Found::MethodNotAllowed(methods) => {
                let first = methods.first().copied().unwrap_or(request.method.into());
                let methods: Vec<String> = methods.iter().map(Verb::to_string).collect();
                let text = format!(
                    "{} is not declared for {}, only {}",
                    request.method,
                    request.pathname,
                    methods.join(", ")
                );
                let mut violations = vec![Violation::new("method", "", &text)];
                // The path's own parameters also apply to an operation that is added.
                if self.schemas.every_fault
                    && exchange.response.as_ref().is_some_and(|response| response.status < 400)
                    && let Found::Operation(other) = self.find_for(first, known, request, base)
                {
                    violations.append(&mut self.check_parameters_of_path(&other, request));
                }
                Err(violations)
            }
            Found::NotFound(nearest) => {
                let near = nearest.map(|n| format!("; the nearest is {n}")).unwrap_or_default();
                let text = format!("{} is not declared{near}", request.pathname);
                Err(vec![Violation::new("path", "", &text)])
            }
        }
    }

    /// Returns the violations of an exchange with a response: those of the response and, if its status
    /// is below 400, those of the request. Incomplete bodies are not checked.
    pub fn check_exchange(&self, matched: &Matched<'_>, exchange: &Exchange<'_>) -> Vec<Violation> {
        let Some(response) = &exchange.response else { return Vec::new() };
        let meta = &exchange.meta;
        let whole = meta.truncated_response.is_none() && meta.incomplete.is_none();
        let mut violations = self.check_response(matched.operation, response, whole);
        for violation in &mut violations {
            violation.direction = Direction::Response;
        }
        violations.retain(|violation| !violation.is_of_redacted("response", &meta.redacted));
        if response.status < 400 {
            violations.append(&mut self.check_recorded_request(matched, exchange));
        }
        violations
    }

    /// Finds the operation of a recorded request as [`Api::conforms`] does. The method may be one
    /// that a record cannot hold.
    pub fn find_of<'a>(&'a self, method: Verb<'a>, request: &Request<'_>) -> Found<'a> {
        let (known, base) = self.where_to_look(request);
        self.find_for(method, known.as_deref(), request, base)
    }

    /// The origin that limits the search for a request's operation, if any, and whether the path
    /// begins with the base path of a server.
    fn where_to_look(&self, request: &Request<'_>) -> (Option<String>, BasePathRule) {
        let origin = origin(request);
        let named = !origin.is_empty() && self.has_origin(&origin);
        // A host that the document does not name belongs to its relative servers, if there are any.
        let at_origin = named || !origin.is_empty() && self.has_relative_server();
        let base = if named { BasePathRule::Required } else { BasePathRule::Optional };
        (at_origin.then_some(origin), base)
    }
}
