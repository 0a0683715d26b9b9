//! An operation as text: its method, and a path to try.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::conform::{Api, Location, Operation, Parameter};
use crate::fake::{Plan, plain_text};
use crate::schema::Direction;

/// The characters to percent-encode: all but the unreserved ones (RFC 3986, section 2.3).
pub(super) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The characters to percent-encode in a path segment or a query value.
const PLAIN: &AsciiSet = &UNRESERVED.remove(b',');

/// The method in upper case, even if exchanges do not have it.
pub(super) fn method(operation: &Operation) -> String {
    match operation.method {
        Some(method) => method.as_str().to_ascii_uppercase(),
        None => {
            let last = operation.pointer.rsplit('/').next().unwrap_or_default();
            last.to_ascii_uppercase()
        }
    }
}

/// The path of an operation with examples for its parameters, and its required query.
pub(super) fn example_path(api: &Api, operation: &Operation) -> String {
    let mut path = operation.template.clone();
    let mut query = Vec::new();
    for parameter in &operation.parameters {
        let value = || utf8_percent_encode(&example(api, parameter), PLAIN).to_string();
        match parameter.location {
            Location::Path => path = path.replace(&format!("{{{}}}", parameter.name), &value()),
            Location::Query if parameter.required => {
                query.push(format!("{}={}", parameter.name, value()));
            }
            _ => {}
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn example(api: &Api, parameter: &Parameter) -> String {
    let given = parameter.example.as_ref().or(parameter.examples.first().map(|(_, value)| value));
    if let Some(value) = given {
        return text(value);
    }
    let Some(schema) = parameter.schema else { return "1".to_owned() };
    let mut out = Vec::new();
    Plan::compile(&api.schemas, schema, Direction::Request).compose(0, &mut out);
    match serde_json::from_slice::<Value>(&out) {
        Ok(value) => text(&value),
        Err(_) => plain_text(&out),
    }
}

/// The text of a value. The items of a list are separated by commas.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
