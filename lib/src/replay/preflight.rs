//! CORS preflights: requests that browsers send before a recorded request, and that were not
//! recorded themselves (Fetch standard, "CORS-preflight fetch").

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use crate::exchange;
use crate::recorded::Recordings;

use super::body::ReplayBody;

/// Answers a preflight for a recorded request; `None` for all other requests.
pub(super) fn answer(
    parts: &Parts,
    pathname: &str,
    recordings: &Recordings,
) -> Option<Response<ReplayBody>> {
    let origin = parts.headers.get(ORIGIN)?;
    let method = parts.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    if parts.method != Method::OPTIONS {
        return None;
    }
    let name = method.to_str().ok()?;
    let name = match name.parse::<exchange::Method>() {
        Ok(known) => known.as_str(),
        Err(_) => name,
    };
    if !recordings.knows_path(name, pathname) {
        return None;
    }
    let mut response = Response::new(ReplayBody::Whole(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
    if let Some(asked) = parts.headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    headers.insert(VARY, HeaderValue::from_static("origin"));
    Some(response)
}
