//! The admin port: a file for each group of endpoints, and a row for each endpoint in [`ROUTES`].
//!
//! It only listens on loopback, and refuses requests that a foreign page could make a browser send.
//! No endpoint adds code, files or commands.

mod guard;
mod health;
mod scope;
mod storage;

use std::pin::Pin;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, Value};

use super::Mock;
use super::answer::Answer;

/// A request to an endpoint.
struct Call<'a> {
    mock: &'a Mock,
    parts: &'a Parts,
    body: &'a Bytes,
    /// The values of the parameters in the route's path, percent-encoded, in its order.
    #[expect(dead_code, reason = "no route has parameters yet")]
    parameters: Vec<&'a str>,
}

/// The result of a handler, which may be asynchronous.
type Handling<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// An endpoint. `{name}` in its path is one segment, `{+name}` the rest of the path.
struct Route {
    method: Method,
    path: &'static str,
    handler: for<'a> fn(&'a Call<'a>) -> Handling<'a>,
}

/// All endpoints.
const ROUTES: &[Route] = &[
    Route { method: Method::GET, path: "/admin/health", handler: health::get },
    Route { method: Method::GET, path: "/admin/scope", handler: scope::get },
    Route { method: Method::POST, path: "/admin/scope", handler: scope::post },
    Route { method: Method::DELETE, path: "/admin/scope", handler: scope::delete },
    Route { method: Method::DELETE, path: storage::PATH, handler: storage::delete },
    Route { method: Method::POST, path: "/admin/storage/reset", handler: storage::reset },
];

/// The response to a request on the admin port `port`.
pub(super) async fn answer(mock: &Mock, parts: &Parts, body: &Bytes, port: u16) -> Answer {
    if let Some(refusal) = guard::refuse(parts, port) {
        return refusal;
    }
    let path = parts.uri.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut allowed = Vec::new();
    for route in ROUTES {
        let Some(parameters) = parameters(route.path, path) else { continue };
        if route.method == parts.method {
            return (route.handler)(&Call { mock, parts, body, parameters }).await;
        }
        allowed.push(route.method.as_str());
    }
    if path == storage::PATH || path.starts_with(storage::BELOW) {
        return storage::unknown(parts);
    }
    if allowed.is_empty() {
        let known: Vec<String> =
            ROUTES.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
        let detail = format!("there is {}", known.join(", "));
        return Answer::problem(StatusCode::NOT_FOUND, "unknown admin endpoint", &detail);
    }
    let allowed = allowed.join(", ");
    let detail = format!("{path} supports {allowed}");
    let mut answer = Answer::problem(StatusCode::METHOD_NOT_ALLOWED, "unknown method", &detail);
    if let Ok(value) = HeaderValue::from_str(&allowed) {
        answer.headers.insert(ALLOW, value);
    }
    answer
}

/// The values of a route's parameters; `None` if the path does not match.
fn parameters<'p>(route: &str, path: &'p str) -> Option<Vec<&'p str>> {
    let mut values = Vec::new();
    let mut rest = path.strip_prefix('/')?;
    let mut segments = route.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment.starts_with("{+") {
            values.push(rest);
            return (!rest.is_empty()).then_some(values);
        }
        let (own, more) = match rest.split_once('/') {
            Some((own, more)) => (own, Some(more)),
            None => (rest, None),
        };
        if segment.starts_with('{') && !own.is_empty() {
            values.push(own);
        } else if segment != own {
            return None;
        }
        match (more, segments.peek()) {
            (Some(more), Some(_)) => rest = more,
            (None, None) => return Some(values),
            _ => return None,
        }
    }
    None
}

/// A response that needs no waiting.
fn ready<'a>(answer: Answer) -> Handling<'a> {
    Box::pin(std::future::ready(answer))
}

/// A 200 with a JSON object.
fn object(members: Map<String, Value>) -> Answer {
    let mut answer = Answer::empty(StatusCode::OK);
    answer.body = Value::Object(members).to_string().into();
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_routes_are_one() {
        for (index, route) in ROUTES.iter().enumerate() {
            assert!(route.path.starts_with("/admin/") && !route.path.ends_with('/'));
            let same = |r: &&Route| r.path == route.path && r.method == route.method;
            assert_eq!(ROUTES.iter().filter(same).count(), 1, "route {index}");
        }
    }

    #[test]
    fn routes_have_parameters() {
        for (route, path, expected) in [
            ("/admin/a", "/admin/a", Some(&[][..])),
            ("/admin/a", "/admin/a/b", None),
            ("/admin/a/{id}", "/admin/a/7", Some(&["7"])),
            ("/admin/a/{id}", "/admin/a", None),
            ("/admin/a/{id}", "/admin/a/", None),
            ("/admin/a/{id}/b", "/admin/a/7/b", Some(&["7"])),
            ("/admin/a/{+url}", "/admin/a/http://x/y", Some(&["http://x/y"])),
            ("/admin/a/{+url}", "/admin/a", None),
        ] {
            assert_eq!(parameters(route, path).as_deref(), expected, "{route} {path}");
        }
    }
}
