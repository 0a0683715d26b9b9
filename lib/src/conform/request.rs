//! Checks a request against its operation.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::api::{Api, Matched, Media, Operation, Violation};
use super::body::{FromClient, Message};
use super::media::{essence, find_media, is_yaml};
use crate::exchange::{Pairs, Request, Syntax, header};
use crate::schema::{Direction, Fault, Problem};

impl Api {
    /// Checks parameters and body of a request, but not credentials.
    pub fn validate_request(&self, matched: &Matched<'_>, request: &Request<'_>) -> Vec<Violation> {
        self.check_request(matched, request, true, None)
    }

    /// Like [`Api::validate_request`], for a request from a client of this document: its form is
    /// checked too. `keep` receives the body if it is JSON, so that it is parsed only once.
    pub fn validate_client_request(
        &self,
        matched: &Matched<'_>,
        request: &Request<'_>,
        keep: Option<&dyn Fn(Value)>,
    ) -> Vec<Violation> {
        self.check_request(matched, request, true, Some(FromClient { keep }))
    }

    /// The places where the JSON body of a request matches several branches of a `oneOf`. This is
    /// accepted.
    pub fn overlaps(
        &self,
        matched: &Matched<'_>,
        request: &Request<'_>,
        body: &Value,
    ) -> Vec<String> {
        let Some(declared) = &matched.operation.request_body else { return Vec::new() };
        let media = find_media(&declared.content, header(&request.headers, "content-type"));
        let schema = media.and_then(|(_, media)| media.schema);
        schema.map_or_else(Vec::new, |schema| self.schemas.overlaps(schema, body))
    }

    /// `whole_body` is false if the recorded body is truncated, and is not checked.
    pub(super) fn check_request(
        &self,
        matched: &Matched<'_>,
        request: &Request<'_>,
        whole_body: bool,
        client: Option<FromClient<'_>>,
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        for parameter in &matched.operation.parameters {
            self.parameter(parameter, matched, request, &mut violations);
        }
        if let Some(body) = matched.operation.request_body.as_ref().filter(|_| whole_body) {
            if !request.body.is_empty() {
                let message = Message {
                    headers: &request.headers,
                    body: &request.body,
                    direction: Direction::Request,
                    client,
                };
                self.check_body(&body.content, &message, &mut violations);
            } else if body.required && !self.may_be_empty(&body.content, &request.headers) {
                let operation = matched.operation;
                violations.push(Violation::absent(
                    "body",
                    "",
                    operation,
                    "requestBody",
                    Value::Null,
                ));
            }
        }
        violations
    }

    /// True if nothing is a valid body of the type that a request names: an empty file, an empty
    /// text, or a form without fields.
    fn may_be_empty(&self, content: &[(String, Media)], headers: &Pairs<'_>) -> bool {
        let Some(named) = header(headers, "content-type") else { return false };
        let Some((_, media)) = find_media(content, Some(named)) else { return false };
        let empty = match Syntax::of(&essence(named)) {
            Syntax::Form => json!({}),
            Syntax::Text | Syntax::Binary if !is_yaml(&essence(named)) => json!(""),
            _ => return false,
        };
        media.schema.is_none_or(|id| self.schemas.accepts(id, &empty, Direction::Request))
    }
}

impl Violation {
    pub(super) fn new(location: &'static str, at: &str, message: &str) -> Self {
        let (place, at) = (at.to_owned(), at.to_owned());
        Violation {
            direction: Direction::Request,
            location,
            at,
            place,
            message: message.to_owned(),
            fault: None,
        }
    }

    /// A problem with the value at `within`, which is the name of a parameter or header, or the
    /// pointer to a value of a sequence.
    pub(super) fn of_problem(location: &'static str, within: &str, problem: Problem) -> Self {
        let at = format!("{within}{}", problem.pointer);
        let within = if within.starts_with('/') { "/*" } else { within };
        let place = format!("{within}{}", problem.pattern);
        let fault = Some(Box::new(problem.fault));
        Violation {
            direction: Direction::Request,
            location,
            at,
            place,
            message: problem.message,
            fault,
        }
    }

    /// True if a recorder replaced the value, and the spec requires something that only the
    /// original had: a pattern, a format, an enumeration, a length or a range. A value in text form
    /// may also have lost its type.
    pub(super) fn is_of_redacted(&self, side: &str, places: &[Cow<'_, str>]) -> bool {
        let Some(fault) = self.fault.as_ref().filter(|_| !places.is_empty()) else { return false };
        let is_text = matches!(self.location, "path" | "query" | "header" | "cookie");
        let is_exempt = match fault.keyword {
            "pattern" | "format" | "enum" | "minLength" | "maxLength" | "minimum" | "maximum"
            | "multipleOf" => true,
            "type" => is_text,
            _ => false,
        };
        let place = match self.location {
            "body" => format!("{side}.body#{}", self.at),
            "cookie" => format!("{side}.header.cookie"),
            "path" => format!("{side}.path"),
            location => {
                format!("{side}.{location}.{}", self.at.split('/').next().unwrap_or_default())
            }
        };
        is_exempt && places.iter().any(|known| known.eq_ignore_ascii_case(&place))
    }

    /// A required part of a message is missing.
    pub(super) fn absent(
        location: &'static str,
        at: &str,
        operation: &Operation,
        keyword: &'static str,
        value: Value,
    ) -> Self {
        let fault = Fault { schema: operation.pointer.clone(), keyword, value };
        Violation { fault: Some(Box::new(fault)), ..Violation::new(location, at, "is required") }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.location)?;
        if !self.at.is_empty() {
            write!(f, " {}", self.at)?;
        }
        write!(f, " {}", self.message)
    }
}
