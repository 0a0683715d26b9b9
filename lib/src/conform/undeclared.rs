//! Parameters and headers of an exchange that its operation does not declare. Undeclared properties
//! of bodies are found by the check of bodies, see [`crate::schema::SchemaSet::every_place`].

use serde_json::Value;

use super::api::{Api, Location, Matched, Parameter, Violation};
use crate::exchange::{Exchange, Pairs};
use crate::schema::{Direction, Fault};

/// The keyword for parts that are not in a document.
pub const UNDECLARED: &str = "undeclared";

impl Api {
    /// Finds undeclared query parameters (if the status is below 400) and undeclared headers.
    /// `is_own` decides by the lower-case name whether a header belongs to the API.
    pub fn undeclared(
        &self,
        matched: &Matched<'_>,
        exchange: &Exchange<'_>,
        is_own: fn(&str, Direction) -> bool,
    ) -> Vec<Violation> {
        let Some(response) = &exchange.response else { return Vec::new() };
        let operation = matched.operation;
        let mut found = Vec::new();
        let mut add = |direction, location, name: &str| {
            let fault = Fault {
                schema: operation.pointer.clone(),
                keyword: UNDECLARED,
                value: Value::Null,
            };
            let violation = Violation::new(location, name, "is not in the spec");
            found.push(Violation { direction, fault: Some(Box::new(fault)), ..violation });
        };
        if response.status < 400 {
            let request = &exchange.request;
            for name in first_names(&request.query) {
                if !self.has_query_parameter(matched, name) {
                    add(Direction::Request, "query", name);
                }
            }
            for name in first_names(&request.headers) {
                let declared = || {
                    operation.parameters.iter().any(|parameter| {
                        parameter.location == Location::Header && parameter.name == name
                    })
                };
                if is_own(name, Direction::Request) && !declared() && !self.has_key("header", name)
                {
                    add(Direction::Request, "header", name);
                }
            }
        }
        if let Some((_, spec)) = operation.response(response.status) {
            for name in first_names(&response.headers) {
                let declared = || spec.headers.iter().any(|(known, _)| known == name);
                if is_own(name, Direction::Response) && !declared() {
                    add(Direction::Response, "header", name);
                }
            }
        }
        found
    }

    fn has_query_parameter(&self, matched: &Matched<'_>, name: &str) -> bool {
        let takes = |parameter: &Parameter| match parameter.location {
            Location::Querystring => true,
            Location::Query => {
                name == parameter.name
                    || parameter.style == "deepObject"
                        && name.strip_prefix(parameter.name.as_str()).is_some_and(is_in_brackets)
                    || parameter.style == "form"
                        && parameter.explode
                        && parameter
                            .schema
                            .is_some_and(|id| self.schemas.property(id, name).is_some())
            }
            _ => false,
        };
        // Some keys of `paths` have a query: /things?action=list.
        let of_path = || {
            let query = matched.operation.template.split_once('?').map_or("", |(_, query)| query);
            let query = query.split('#').next().unwrap_or_default();
            query.split('&').any(|pair| pair.split('=').next() == Some(name))
        };
        matched.operation.parameters.iter().any(takes) || self.has_key("query", name) || of_path()
    }

    /// True for the name of an API key of the document.
    fn has_key(&self, location: &str, name: &str) -> bool {
        let is = |scheme: &Value, key: &str, text: &str| {
            scheme
                .get(key)
                .and_then(Value::as_str)
                .is_some_and(|own| own.eq_ignore_ascii_case(text))
        };
        let mut schemes = self.security_schemes.iter().map(|(_, scheme)| scheme);
        schemes.any(|scheme| is(scheme, "in", location) && is(scheme, "name", name))
    }
}

/// Each name once.
fn first_names<'p>(pairs: &'p Pairs<'_>) -> impl Iterator<Item = &'p str> {
    let is_first = |at: usize, name: &str| !pairs[..at].iter().any(|(other, _)| other == name);
    let names = pairs.iter().enumerate().filter(move |(at, (name, _))| is_first(*at, name));
    names.map(|(_, (name, _))| name.as_ref())
}

fn is_in_brackets(rest: &str) -> bool {
    rest.starts_with('[') && rest.ends_with(']')
}
