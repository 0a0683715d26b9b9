//! Requests that match a named example. An example of a parameter or a request body can have the
//! same name as an example of a response. A request with the value of the first gets the second as
//! its response.

use serde_json::Value;

use crate::conform::{Location, Matched, Operation, Parameter, is_json};
use crate::exchange::{Request, header};

/// The named examples that requests can match, in the order of the document.
#[derive(Debug, Default)]
pub(in crate::mock) struct ExampleMatches(Vec<ExampleMatch>);

#[derive(Debug)]
struct ExampleMatch {
    name: String,
    /// All of them must hold.
    conditions: Vec<Condition>,
}

/// A value that a request must have.
#[derive(Debug)]
enum Condition {
    Parameter(Location, String, String),
    /// As JSON.
    Body(Value),
}

impl ExampleMatches {
    pub(super) fn compile(operation: &Operation) -> ExampleMatches {
        let media = operation.responses.iter().flat_map(|(_, response)| &response.content);
        let mut names: Vec<&String> = Vec::new();
        for (name, _) in media.flat_map(|(_, media)| &media.examples) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let example_match = |name: &String| -> Option<ExampleMatch> {
            let parameters = operation.parameters.iter().filter_map(|parameter| {
                let (_, value) = parameter.examples.iter().find(|(own, _)| own == name)?;
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Array(_) | Value::Object(_) => return None,
                    other => other.to_string(),
                };
                let Parameter { location, name, .. } = parameter;
                Some(Condition::Parameter(*location, name.clone(), text))
            });
            let content = operation.request_body.iter().flat_map(|body| &body.content);
            let body = content.filter(|(media, _)| is_json(media)).find_map(|(_, media)| {
                let (_, value) = media.examples.iter().find(|(own, _)| own == name)?;
                Some(Condition::Body(value.clone()))
            });
            let conditions: Vec<Condition> = parameters.chain(body).collect();
            (!conditions.is_empty()).then(|| ExampleMatch { name: name.clone(), conditions })
        };
        ExampleMatches(names.into_iter().filter_map(example_match).collect())
    }

    /// True if no request matches an example.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The example that a request matches, if any; of several, the one with the most conditions.
    /// `body` gives the request's body as JSON.
    pub(in crate::mock) fn of<'b>(
        &self,
        matched: &Matched<'_>,
        request: &Request<'_>,
        body: impl Fn() -> Option<&'b Value>,
    ) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let holds = |example: &&ExampleMatch| {
            example.conditions.iter().all(|condition| match condition {
                Condition::Parameter(location, name, text) => {
                    value(matched, request, *location, name) == Some(text.as_str())
                }
                Condition::Body(value) => {
                    body().is_some_and(|body| crate::schema::equal_values(body, value))
                }
            })
        };
        let found =
            self.0.iter().filter(holds).rev().max_by_key(|example| example.conditions.len());
        found.map(|example| example.name.as_str())
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
