//! Finds the endpoint of a request.

use std::sync::Arc;

use bytes::Bytes;
use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use super::super::Mock;
use super::super::answer::Answer;
use super::endpoint::{AdminCall, Handling, Reply};
use super::{
    faults, guard, health, overrides, page, pregen, reload, requests, routes, scope, storage,
};
use crate::exchange::Redactor;

/// The access to the admin port.
pub(in crate::mock) struct Access {
    pub(in crate::mock) token: Option<Arc<str>>,
    /// Replaces secrets in responses.
    pub(in crate::mock) redactor: Option<Arc<Redactor>>,
    /// The port of the mock, which the page sends requests to, and whether it uses TLS.
    pub(in crate::mock) mock: (u16, bool),
}

/// An endpoint. `{name}` in its path is one segment, `{+name}` the rest of the path.
struct Route {
    method: Method,
    path: &'static str,
    handler: for<'a> fn(&'a AdminCall<'a>) -> Handling<'a>,
}

/// All endpoints.
const ROUTES: &[Route] = &[
    Route { method: Method::GET, path: "/admin/faults", handler: faults::get },
    Route { method: Method::PUT, path: "/admin/faults", handler: faults::put },
    Route { method: Method::GET, path: "/admin/health", handler: health::get },
    Route { method: Method::GET, path: pregen::PATH, handler: pregen::list },
    Route { method: Method::DELETE, path: pregen::PATH, handler: pregen::clear },
    Route { method: Method::POST, path: pregen::OF_URL, handler: pregen::add },
    Route { method: Method::DELETE, path: pregen::OF_URL, handler: pregen::remove },
    Route { method: Method::GET, path: "/admin/overrides", handler: overrides::list },
    Route { method: Method::POST, path: "/admin/overrides", handler: overrides::add },
    Route { method: Method::PUT, path: "/admin/overrides", handler: overrides::replace },
    Route { method: Method::DELETE, path: "/admin/overrides", handler: overrides::clear },
    Route { method: Method::GET, path: "/admin/overrides/{id}", handler: overrides::get },
    Route { method: Method::PUT, path: "/admin/overrides/{id}", handler: overrides::put },
    Route { method: Method::DELETE, path: "/admin/overrides/{id}", handler: overrides::delete },
    Route { method: Method::POST, path: "/admin/reload", handler: reload::post },
    Route { method: Method::GET, path: "/admin/requests", handler: requests::get },
    Route { method: Method::DELETE, path: "/admin/requests", handler: requests::delete },
    Route { method: Method::GET, path: "/admin/routes", handler: routes::get },
    Route { method: Method::GET, path: "/admin/scope", handler: scope::get },
    Route { method: Method::POST, path: "/admin/scope", handler: scope::post },
    Route { method: Method::DELETE, path: "/admin/scope", handler: scope::delete },
    Route { method: Method::GET, path: storage::PATH, handler: storage::get },
    Route { method: Method::DELETE, path: storage::PATH, handler: storage::delete },
    Route { method: Method::POST, path: "/admin/storage/reset", handler: storage::reset },
];

/// The response to a request on the admin port `port`.
pub(super) async fn answer(
    mock: &Arc<Mock>,
    access: &Access,
    parts: &Parts,
    body: &Bytes,
    port: u16,
) -> Reply {
    let (mock_port, is_tls) = access.mock;
    let page = page::file(parts, is_tls, mock_port);
    // The page asks for the token itself. Without a token, only this machine can load it.
    let is_open = page.is_some() && access.token.is_some();
    if !is_open && let Some(refusal) = guard::refuse(parts, port, access.token.as_deref()) {
        return refusal.into();
    }
    if let Some(page) = page {
        return page.into();
    }
    let path = parts.uri.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut allowed = Vec::new();
    for route in ROUTES {
        let Some(parameters) = parameters(route.path, path) else { continue };
        if route.method == parts.method {
            let redactor = access.redactor.as_ref();
            return (route.handler)(&AdminCall { mock, redactor, parts, body, parameters }).await;
        }
        allowed.push(route.method.as_str());
    }
    if path == storage::PATH || path.starts_with(storage::BELOW) {
        return storage::unknown(parts).into();
    }
    if allowed.is_empty() {
        let known: Vec<String> =
            ROUTES.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
        let detail = format!("there is {}", known.join(", "));
        return Answer::problem(StatusCode::NOT_FOUND, "unknown admin endpoint", &detail).into();
    }
    let allowed = allowed.join(", ");
    let detail = format!("{path} supports {allowed}");
    let mut answer = Answer::problem(StatusCode::METHOD_NOT_ALLOWED, "unknown method", &detail);
    if let Ok(value) = HeaderValue::from_str(&allowed) {
        answer.headers.insert(ALLOW, value);
    }
    answer.into()
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
