//! Compares one exchange with specs.

use std::fmt;

use super::rules::{Severity, rule_of};
use super::shape::shape;
use crate::conform::{Api, ConformError, Found, Matched, OperationId, Verb, Violation};
use crate::exchange::{Exchange, Request, header, origin};
use crate::infer::{is_not_found, is_own_header};
use crate::schema::Direction;
use crate::spec::Document;

/// The specs that exchanges are compared with.
#[derive(Debug)]
pub struct Checker {
    apis: Vec<Api>,
}

/// One difference between an exchange and its spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// One of [`super::RULES`].
    pub rule: &'static str,
    /// How it relates to the spec.
    pub severity: Severity,
    /// The status, if the finding is in the response.
    pub status: Option<u16>,
    /// Where it is: `response.body#/items/0/id`, `request.query.limit`, `response.status`.
    pub pointer: String,
    /// The same with `*` for items of lists and members of maps.
    pub pattern: String,
    /// The detail that distinguishes findings of the same rule and place: the name of a missing
    /// property.
    pub name: String,
    /// The problem, as a lower-case fragment.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.severity.name(), self.pointer, self.message)
    }
}

/// The result for one exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The operation, with the index of its spec, and the findings.
    Operation(usize, OperationId, Vec<Finding>),
    /// No spec has the operation; the template of its path, or the path with ids written as `{}`.
    Unknown(String, Finding),
    /// No spec has the operation, and neither does the server: there is no response, or 404, 405,
    /// 410 or 501.
    Absent,
    /// A CORS preflight, which browsers send by themselves, for a path that has other methods.
    Preflight,
}

impl Checker {
    /// Compiles specs.
    ///
    /// # Errors
    /// One that cannot be compiled.
    pub fn new(documents: &[Document]) -> Result<Checker, ConformError> {
        let mut apis = Vec::new();
        for document in documents {
            let mut api = Api::compile(document)?;
            api.find_undeclared();
            apis.push(api);
        }
        Ok(Checker { apis })
    }

    /// The specs, in the order in which they were given.
    pub fn apis(&self) -> &[Api] {
        &self.apis
    }

    /// Compares an exchange. One without a response contradicts nothing.
    pub fn check(&self, exchange: &Exchange<'_>) -> Verdict {
        let request = &exchange.request;
        let method = match &exchange.meta.method {
            Some(name) => Verb::Other(name),
            None => Verb::Known(request.method),
        };
        let (at, found) = self.find(method, request);
        let matched = match found {
            Found::Operation(matched) => matched,
            other => return self.unknown(method, exchange, (at, &other)),
        };
        let Some(api) = self.apis.get(at) else { return Verdict::Absent };
        let Some(response) = &exchange.response else {
            return Verdict::Operation(at, matched.id, Vec::new());
        };
        let mut violations = api.check_exchange(&matched, exchange);
        violations.extend(api.undeclared(&matched, exchange, is_own));
        let findings = violations.into_iter().map(|found| finding(found, response.status));
        Verdict::Operation(at, matched.id, findings.collect())
    }

    /// Finds the operation of a request. If any spec names the host, only those specs are searched.
    /// The most specific template wins, then matching types of path parameters, then the order of
    /// the specs.
    fn find<'a>(&'a self, method: Verb<'a>, request: &Request<'_>) -> (usize, Found<'a>) {
        let mut best: Option<(usize, Found<'a>)> = None;
        let origin = origin(request);
        let is_named = |api: &Api| !origin.is_empty() && api.has_origin(&origin);
        let only_named = self.apis.len() > 1 && self.apis.iter().any(is_named);
        for (at, api) in self.apis.iter().enumerate() {
            if only_named && !is_named(api) {
                continue;
            }
            let found = api.find_of(method, request);
            let is_better = match &best {
                None => true,
                Some((known, other)) => self.is_better((at, &found), (*known, other), request),
            };
            if is_better {
                best = Some((at, found));
            }
        }
        best.unwrap_or((0, Found::NotFound(None)))
    }

    fn is_better(
        &self,
        (at, found): (usize, &Found<'_>),
        (known, other): (usize, &Found<'_>),
        request: &Request<'_>,
    ) -> bool {
        let fits = |at: usize, matched: &Matched<'_>| self.apis[at].path_fits(matched, request);
        match (found, other) {
            (Found::Operation(new), Found::Operation(old)) => {
                let new = (new.specificity, fits(at, new));
                new > (old.specificity, fits(known, old))
            }
            (Found::Operation(_), _) => true,
            (Found::MethodNotAllowed(_), Found::NotFound(_)) => true,
            _ => false,
        }
    }

    /// The verdict on an exchange whose operation is in no spec.
    fn unknown(
        &self,
        method: Verb<'_>,
        exchange: &Exchange<'_>,
        (at, found): (usize, &Found<'_>),
    ) -> Verdict {
        let request = &exchange.request;
        // An exchange without a response contradicts nothing.
        if exchange.response.as_ref().is_none_or(|response| is_not_found(response.status)) {
            return Verdict::Absent;
        }
        let asks_first = header(&request.headers, "access-control-request-method").is_some();
        let mut path = None;
        let (pointer, message) = match found {
            Found::MethodNotAllowed(_) if asks_first => return Verdict::Preflight,
            Found::MethodNotAllowed(methods) => {
                if let Some(other) = methods.first()
                    && let Found::Operation(other) = self.apis[at].find_of(*other, request)
                {
                    path = Some(other.operation.template.clone());
                }
                let methods: Vec<String> = methods.iter().map(Verb::to_string).collect();
                let text = format!("{method} is not in the spec, only {}", methods.join(", "));
                ("request.method", text)
            }
            Found::NotFound(Some(nearest)) => {
                ("request.path", format!("is not in the spec; the nearest is {nearest}"))
            }
            _ => ("request.path", "is not in the spec".to_owned()),
        };
        let finding = Finding {
            rule: "undocumented-operation",
            severity: Severity::Undocumented,
            status: None,
            pointer: pointer.to_owned(),
            pattern: pointer.to_owned(),
            name: String::new(),
            message,
        };
        Verdict::Unknown(path.unwrap_or_else(|| shape(&request.pathname)), finding)
    }
}

fn is_own(name: &str, direction: Direction) -> bool {
    is_own_header(name, direction == Direction::Request)
}

/// A violation as reports write it.
fn finding(violation: Violation, status: u16) -> Finding {
    let (rule, severity) = rule_of(&violation);
    let side = match violation.direction {
        Direction::Request => "request",
        Direction::Response => "response",
    };
    let place = |at: &str| match violation.location {
        "body" => format!("{side}.body#{at}"),
        "content-type" => format!("{side}.header.content-type"),
        "status" => format!("{side}.status"),
        location => match at.split_once('/') {
            Some((name, rest)) => format!("{side}.{location}.{name}#/{rest}"),
            None => format!("{side}.{location}.{at}"),
        },
    };
    let name = match &violation.fault {
        Some(fault) if rule == "required" => fault.value.as_str().unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    Finding {
        rule,
        severity,
        status: (violation.direction == Direction::Response).then_some(status),
        pointer: place(&violation.at),
        pattern: place(&violation.place),
        name,
        message: violation.message,
    }
}
