//! Requests of a collection, with the values of its variables.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::capture::method;
use crate::exchange::{
    Body, LineError, Meta, Pairs, Protocol, Request, RequestTarget, header, place,
};

/// The values of `{{name}}`.
#[derive(Clone, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The variables of a list.
    pub(super) fn of(list: &Value) -> Variables {
        Variables::default().with(list)
    }

    /// Adds the variables of another list, which take precedence.
    pub(super) fn with(&self, list: &Value) -> Variables {
        let mut all = self.clone();
        for variable in list.as_array().into_iter().flatten() {
            let key = variable["key"].as_str().or(variable["id"].as_str()).unwrap_or_default();
            let value = plain(&variable["value"]);
            if !key.is_empty() && variable["disabled"] != true && !value.is_empty() {
                all.0.insert(key.to_owned(), value);
            }
        }
        all
    }

    /// Substitutes variables; names without a value stay. A value may refer to other variables.
    fn resolve(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..5 {
            let mut out = String::new();
            let mut rest = text.as_str();
            let mut any = false;
            while let Some(start) = rest.find("{{") {
                let Some(length) = rest[start..].find("}}") else { break };
                let name = rest[start + 2..start + length].trim();
                out.push_str(&rest[..start]);
                match self.0.get(name) {
                    Some(value) => {
                        out.push_str(value);
                        any = true;
                    }
                    None => out.push_str(&rest[start..start + length + 2]),
                }
                rest = &rest[start + length + 2..];
            }
            out.push_str(rest);
            if !any || out.len() > 1 << 20 {
                return out;
            }
            text = out;
        }
        text
    }
}

/// A scalar as text.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}

/// Reads a request: an object, or its URL alone.
pub(super) fn read(
    asked: &Value,
    variables: &Variables,
    meta: &mut Meta<'static>,
) -> Result<Request<'static>, LineError> {
    if !asked.is_object() && !asked.is_string() {
        return Err(LineError::new("the item has no request", 0));
    }
    let name = asked["method"].as_str().unwrap_or("GET");
    let method = method(name, meta)?;
    let mut headers = headers(&asked["header"], variables);
    let url = url(if asked.is_string() { asked } else { &asked["url"] }, variables);
    let url = hosted(&url);
    let RequestTarget { protocol, host, pathname, query, wire_query } =
        place(Some(url.into()), None, None, None, Pairs::new(), &headers);
    let (body, media) = body(&asked["body"], variables);
    if let Some(media) = media.filter(|_| !body.is_empty())
        && header(&headers, "content-type").is_none()
    {
        headers.push(("content-type".into(), media.into()));
    }
    Ok(Request {
        method,
        protocol: protocol.unwrap_or(Protocol::Https),
        host,
        pathname,
        query,
        wire_query: wire_query.map(|query| query.into_owned().into()),
        headers,
        body,
        timestamp: None,
    })
}

/// Headers as a list of pairs, or as the text of a message.
pub(super) fn headers(list: &Value, variables: &Variables) -> Pairs<'static> {
    let pair = |name: &str, value: &str| {
        let name = name.trim().to_ascii_lowercase();
        let value = variables.resolve(value.trim());
        (!name.is_empty()).then(|| (name.into(), value.into()))
    };
    match list {
        Value::String(text) => text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter_map(|(name, value)| pair(name, value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .filter(|header| header["disabled"] != true)
            .filter_map(|header| pair(header["key"].as_str()?, &plain(&header["value"])))
            .collect(),
        _ => Pairs::new(),
    }
}

/// The URL with the values of its variables and of its `:name` segments.
fn url(url: &Value, variables: &Variables) -> String {
    let raw = url.as_str().or(url["raw"].as_str());
    let mut text = match raw {
        Some(raw) if !raw.is_empty() => raw.to_owned(),
        _ => assembled(url),
    };
    text = variables.resolve(&text);
    let segments = url["variable"].as_array().map(Vec::as_slice).unwrap_or_default();
    for segment in segments {
        let (Some(key), value) = (segment["key"].as_str(), plain(&segment["value"])) else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        let value = variables.resolve(&value).replace(['/', '?', '#'], "_");
        let named = format!(":{key}");
        let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
        let parts: Vec<&str> =
            path.split('/').map(|part| if part == named { value.as_str() } else { part }).collect();
        text = format!("{}{query}", parts.join("/"));
    }
    text
}

/// A URL of which only the parts are given.
fn assembled(url: &Value) -> String {
    let joined = |value: &Value, between: &str| match value {
        Value::Array(list) => list
            .iter()
            .map(|part| part["value"].as_str().map_or_else(|| plain(part), str::to_owned))
            .collect::<Vec<_>>()
            .join(between),
        other => plain(other),
    };
    let mut text = joined(&url["host"], ".");
    if let Some(protocol) = url["protocol"].as_str().filter(|_| !text.is_empty()) {
        text = format!("{protocol}://{text}");
    }
    let port = plain(&url["port"]);
    if !port.is_empty() {
        text.push_str(&format!(":{port}"));
    }
    let path = joined(&url["path"], "/");
    text.push_str(&format!("/{}", path.trim_start_matches('/')));
    let mut between = '?';
    for pair in url["query"].as_array().into_iter().flatten() {
        if pair["disabled"] != true {
            text.push_str(&format!("{between}{}={}", plain(&pair["key"]), plain(&pair["value"])));
            between = '&';
        }
    }
    text
}

/// Converts a URL for [`place`]. A URL that begins with an unknown variable has no host, and one
/// without a scheme begins with its host.
fn hosted(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    if rest.starts_with("{{") {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        return rest[end..].to_owned();
    }
    if url.contains("://") || url.starts_with('/') {
        return url.to_owned();
    }
    format!("//{url}")
}

/// The body, and the media type that Postman sends with it.
fn body(body: &Value, variables: &Variables) -> (Body<'static>, Option<&'static str>) {
    const FORM: &str = "multipart/form-data; boundary=postman-form-boundary";
    if body["disabled"] == true {
        return (Body::Empty, None);
    }
    let listed = |name: &str| {
        let list = body[name].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().filter(|pair| pair["disabled"] != true).cloned().collect::<Vec<_>>()
    };
    let (text, media) = match body["mode"].as_str().unwrap_or_default() {
        "raw" => {
            let text = variables.resolve(body["raw"].as_str().unwrap_or_default());
            let media = match body["options"]["raw"]["language"].as_str().unwrap_or_default() {
                "json" => Some("application/json"),
                "xml" => Some("application/xml"),
                "html" => Some("text/html"),
                "javascript" => Some("application/javascript"),
                _ => None,
            };
            (text, media)
        }
        "urlencoded" => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for pair in listed("urlencoded") {
                form.append_pair(&plain(&pair["key"]), &variables.resolve(&plain(&pair["value"])));
            }
            (form.finish(), Some("application/x-www-form-urlencoded"))
        }
        "formdata" => {
            let mut text = String::new();
            for part in listed("formdata") {
                text.push_str("--postman-form-boundary\r\nContent-Disposition: form-data; name=\"");
                text.push_str(&plain(&part["key"]).replace(['"', '\r', '\n'], "_"));
                text.push('"');
                if part["type"] == "file" {
                    let source = part["src"].as_str().or(part["src"][0].as_str());
                    let name = source.and_then(|path| path.rsplit(['/', '\\']).next());
                    let name = name.unwrap_or("file").replace(['"', '\r', '\n'], "_");
                    text.push_str(&format!("; filename=\"{name}\""));
                }
                text.push_str("\r\n");
                let media = part["contentType"].as_str();
                let media =
                    media.or((part["type"] == "file").then_some("application/octet-stream"));
                if let Some(media) = media {
                    text.push_str(&format!(
                        "Content-Type: {}\r\n",
                        media.replace(['\r', '\n'], " ")
                    ));
                }
                let value = variables.resolve(&plain(&part["value"]));
                text.push_str(&format!("\r\n{value}\r\n"));
            }
            if !text.is_empty() {
                text.push_str("--postman-form-boundary--\r\n");
            }
            (text, Some(FORM))
        }
        "graphql" => {
            let asked = &body["graphql"];
            let variables_text = asked["variables"].as_str().unwrap_or_default();
            let given = serde_json::from_str(variables_text).unwrap_or(asked["variables"].clone());
            let mut request = serde_json::json!({"query": asked["query"]});
            if given.is_object() {
                request["variables"] = given;
            }
            if asked["operationName"].is_string() {
                request["operationName"] = asked["operationName"].clone();
            }
            (variables.resolve(&request.to_string()), Some("application/json"))
        }
        _ => (String::new(), None),
    };
    (Body::from_bytes(text.into_bytes()), media)
}
