//! Error responses in the form `application/problem+json` (RFC 9457).

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value};

/// The body of an error response: `title` names the kind of problem, `detail` this instance and
/// what to do about it. `extra` holds further members, such as `violations`.
pub fn problem_json(
    status: StatusCode,
    title: &str,
    detail: &str,
    extra: Map<String, Value>,
) -> String {
    let mut members = Map::new();
    members.insert("type".to_owned(), "about:blank".into());
    members.insert("title".to_owned(), title.into());
    members.insert("status".to_owned(), status.as_u16().into());
    members.insert("detail".to_owned(), detail.into());
    members.extend(extra);
    Value::Object(members).to_string()
}

/// A complete response with such a body.
pub fn problem(
    status: StatusCode,
    title: &str,
    detail: &str,
    extra: Map<String, Value>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(problem_json(status, title, detail, extra)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}
