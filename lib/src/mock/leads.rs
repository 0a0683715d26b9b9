//! Requests that ask for a certain example: where a parameter or the request's body has an example of a name that an example
//! of a response has too, a request with the one is answered with the other.

use serde_json::Value;

use crate::conform::{Location, Matched, Operation, Parameter, is_json};
use crate::exchange::{Request, header};

/// The names that requests can lead to, in the order of the document.
#[derive(Debug, Default)]
pub(super) struct Leads(Vec<Lead>);

#[derive(Debug)]
struct Lead {
    name: String,
    /// All of them must hold.
    signs: Vec<Sign>,
}

/// A value that a request has, or has not.
#[derive(Debug)]
enum Sign {
    Parameter(Location, String, String),
    /// In JSON.
    Body(Value),
}

impl Leads {
    pub(super) fn compile(operation: &Operation) -> Leads {
        let media = operation.responses.iter().flat_map(|(_, response)| &response.content);
        let mut names: Vec<&String> = Vec::new();
        for (name, _) in media.flat_map(|(_, media)| &media.examples) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let lead = |name: &String| -> Option<Lead> {
            let parameters = operation.parameters.iter().filter_map(|parameter| {
                let (_, value) = parameter.examples.iter().find(|(own, _)| own == name)?;
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Array(_) | Value::Object(_) => return None,
                    other => other.to_string(),
                };
                let Parameter { location, name, .. } = parameter;
                Some(Sign::Parameter(*location, name.clone(), text))
            });
            let content = operation.request_body.iter().flat_map(|body| &body.content);
            let body = content.filter(|(media, _)| is_json(media)).find_map(|(_, media)| {
                let (_, value) = media.examples.iter().find(|(own, _)| own == name)?;
                Some(Sign::Body(value.clone()))
            });
            let signs: Vec<Sign> = parameters.chain(body).collect();
            (!signs.is_empty()).then(|| Lead { name: name.clone(), signs })
        };
        Leads(names.into_iter().filter_map(lead).collect())
    }

    /// The example that a request asks for, if it does; of several the one with the most in common.
    pub(super) fn of(&self, matched: &Matched<'_>, request: &Request<'_>) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let body: Option<Value> = self
            .0
            .iter()
            .any(|lead| lead.signs.iter().any(|sign| matches!(sign, Sign::Body(_))))
            .then(|| serde_json::from_slice(request.body.as_bytes()).ok())
            .flatten();
        let holds = |lead: &&Lead| {
            lead.signs.iter().all(|sign| match sign {
                Sign::Parameter(location, name, text) => {
                    value(matched, request, *location, name) == Some(text.as_str())
                }
                Sign::Body(value) => {
                    body.as_ref().is_some_and(|body| crate::schema::equal_values(body, value))
                }
            })
        };
        let found = self.0.iter().filter(holds).rev().max_by_key(|lead| lead.signs.len());
        found.map(|lead| lead.name.as_str())
    }
}

fn value<'r>(
    matched: &'r Matched<'_>,
    request: &'r Request<'_>,
    location: Location,
    name: &str,
) -> Option<&'r str> {
    match location {
        Location::Path => {
            matched.path_values.iter().find(|(key, _)| *key == name).map(|(_, text)| text.as_str())
        }
        Location::Query => {
            request.query.iter().find(|(key, _)| key == name).map(|(_, text)| text.as_ref())
        }
        Location::Querystring => None,
        Location::Header => header(&request.headers, name),
        Location::Cookie => request
            .headers
            .iter()
            .filter(|(header, _)| header == "cookie")
            .flat_map(|(_, line)| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, text)| text),
    }
}
