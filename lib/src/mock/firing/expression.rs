//! Runtime expressions of OpenAPI (OpenAPI 3.1.1, section 4.8.20.4): values of a request and its
//! response.

use std::borrow::Cow;

use http::HeaderMap;
use serde_json::Value;

/// The values that expressions can refer to.
pub(in crate::mock) struct Facts<'a> {
    /// The URL of the request as the client sent it.
    pub(in crate::mock) url: &'a str,
    pub(in crate::mock) method: &'a http::Method,
    pub(in crate::mock) status: http::StatusCode,
    pub(in crate::mock) path_values: &'a [(&'a str, String)],
    pub(in crate::mock) query: &'a [(Cow<'a, str>, Cow<'a, str>)],
    pub(in crate::mock) request_headers: &'a HeaderMap,
    /// The bodies, if they are JSON.
    pub(in crate::mock) request_body: Option<&'a Value>,
    pub(in crate::mock) response_headers: &'a HeaderMap,
    pub(in crate::mock) response_body: Option<&'a Value>,
}

/// A text with expressions in braces, or one expression.
///
/// # Errors
/// The expression that has no value.
pub(super) fn evaluate(text: &str, facts: &Facts<'_>) -> Result<String, String> {
    let unknown = |name: &str| format!("{name} has no value in this exchange");
    if text.starts_with('$') {
        return value(text, facts).ok_or_else(|| unknown(text));
    }
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, more)) = rest.split_once('{') {
        let (name, after) = more.split_once('}').ok_or_else(|| unknown(more))?;
        result.push_str(before);
        result.push_str(&value(name, facts).ok_or_else(|| unknown(name))?);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

fn value(name: &str, facts: &Facts<'_>) -> Option<String> {
    match name {
        "$url" => return Some(facts.url.to_owned()),
        "$method" => return Some(facts.method.to_string()),
        "$statusCode" => return Some(facts.status.as_str().to_owned()),
        _ => (),
    }
    let header = |headers: &HeaderMap, name: &str| {
        headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    if let Some(source) = name.strip_prefix("$request.") {
        if let Some(name) = source.strip_prefix("path.") {
            let found = facts.path_values.iter().find(|(own, _)| *own == name);
            return found.map(|(_, value)| value.clone());
        }
        if let Some(name) = source.strip_prefix("query.") {
            let found = facts.query.iter().find(|(own, _)| own == name);
            return found.map(|(_, value)| value.clone().into_owned());
        }
        if let Some(name) = source.strip_prefix("header.") {
            return header(facts.request_headers, name);
        }
        return in_body(source, facts.request_body);
    }
    let source = name.strip_prefix("$response.")?;
    if let Some(name) = source.strip_prefix("header.") {
        return header(facts.response_headers, name);
    }
    in_body(source, facts.response_body)
}

/// `body`, or `body#/pointer`.
fn in_body(source: &str, body: Option<&Value>) -> Option<String> {
    let pointer = source.strip_prefix("body")?;
    let value = match pointer.strip_prefix('#') {
        Some(pointer) => body?.pointer(pointer)?,
        None if pointer.is_empty() => body?,
        None => return None,
    };
    Some(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, StatusCode};
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_name_parts_of_an_exchange() {
        let (request, response) = (json!({"cb": {"url": "http://a"}, "n": 5}), json!({"id": 7}));
        let mut headers = HeaderMap::new();
        headers.insert("x-id", HeaderValue::from_static("h"));
        let facts = Facts {
            url: "http://mock/x?q=1",
            method: &Method::POST,
            status: StatusCode::CREATED,
            path_values: &[("id", "p".to_owned())],
            query: &[("q".into(), "1".into())],
            request_headers: &headers,
            request_body: Some(&request),
            response_headers: &headers,
            response_body: Some(&response),
        };
        for (text, expected) in [
            ("{$request.body#/cb/url}/ok?n={$request.body#/n}", Some("http://a/ok?n=5")),
            ("$request.body#/cb/url", Some("http://a")),
            ("http://h/{$request.path.id}/{$request.query.q}", Some("http://h/p/1")),
            ("{$request.header.X-Id}{$response.header.x-id}", Some("hh")),
            ("{$response.body#/id}{$method}{$statusCode}", Some("7POST201")),
            ("{$url}", Some("http://mock/x?q=1")),
            ("{$response.body}", Some("{\"id\":7}")),
            ("http://plain/", Some("http://plain/")),
            ("{$request.body#/none}", None),
            ("{$request.magic}", None),
            ("{$request.body", None),
        ] {
            assert_eq!(evaluate(text, &facts).ok().as_deref(), expected, "{text}");
        }
    }
}
