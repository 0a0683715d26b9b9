//! The admin port: one file for each endpoint, one line for each in [`ROUTES`].
//!
//! It is on loopback only, and refuses what a foreign page could make a browser send. Nothing here adds code,
//! files or commands.

mod guard;
mod health;
mod scope;
mod storage;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, Value};

use super::reply::Reply;
use super::serving::Mock;

/// An endpoint.
struct Route {
    method: Method,
    path: &'static str,
    answer: fn(&Mock, &Parts, &Bytes) -> Reply,
}

/// All endpoints.
const ROUTES: &[Route] = &[
    Route { method: Method::GET, path: "/admin/health", answer: health::get },
    Route { method: Method::GET, path: "/admin/scope", answer: scope::get },
    Route { method: Method::POST, path: "/admin/scope", answer: scope::post },
    Route { method: Method::DELETE, path: "/admin/scope", answer: scope::delete },
    Route { method: Method::DELETE, path: storage::PATH, answer: storage::delete },
    Route { method: Method::POST, path: "/admin/storage/reset", answer: storage::reset },
];

/// The answer to a request that came on the admin port `port`.
pub(super) fn answer(mock: &Mock, parts: &Parts, body: &Bytes, port: u16) -> Reply {
    if let Some(refusal) = guard::refuse(parts, port) {
        return refusal;
    }
    let path = parts.uri.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    if let Some(route) = ROUTES.iter().find(|r| r.path == path && r.method == parts.method) {
        return (route.answer)(mock, parts, body);
    }
    if path == storage::PATH || path.starts_with(storage::BELOW) {
        return storage::unknown(parts);
    }
    let allowed: Vec<&str> =
        ROUTES.iter().filter(|r| r.path == path).map(|r| r.method.as_str()).collect();
    if allowed.is_empty() {
        let known: Vec<String> =
            ROUTES.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
        let detail = format!("there is {}", known.join(", "));
        return Reply::problem(StatusCode::NOT_FOUND, "unknown admin endpoint", &detail);
    }
    let allowed = allowed.join(", ");
    let detail = format!("{path} has {allowed}");
    let mut reply = Reply::problem(StatusCode::METHOD_NOT_ALLOWED, "unknown method", &detail);
    if let Ok(value) = HeaderValue::from_str(&allowed) {
        reply.headers.insert(ALLOW, value);
    }
    reply
}

/// A 200 with a JSON object.
fn object(members: Map<String, Value>) -> Reply {
    let mut reply = Reply::empty(StatusCode::OK);
    reply.body = Value::Object(members).to_string().into();
    reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
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
}
