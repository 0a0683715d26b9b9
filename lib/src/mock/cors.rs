//! Cross-origin requests: whoever asks from a web page may read the answers.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::reply::Reply;

/// The answer to a browser's question whether it may ask; `None` for all other requests.
pub(super) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Reply> {
    let asked = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    if method != Method::OPTIONS || !headers.contains_key(ORIGIN) {
        return None;
    }
    let mut reply = Reply::empty(StatusCode::NO_CONTENT);
    reply.headers.insert(ACCESS_CONTROL_ALLOW_METHODS, asked.clone());
    if let Some(asked) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        reply.headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    reply.headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    Some(reply)
}

/// Lets the asking page read an answer. One that names an origin itself, a recorded one say, is left alone; a text that is
/// none, as a schema without examples gives it, is replaced.
pub(super) fn allow(origin: &HeaderValue, headers: &mut HeaderMap) {
    if headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).is_some_and(is_origin) {
        return;
    }
    // With credentials a browser takes no wildcards, so every name is spelled out.
    let exposed: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
    if let Ok(exposed) = HeaderValue::from_str(&exposed.join(", ")) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// True for what browsers take in `access-control-allow-origin`: `*`, `null`, or scheme, host and port.
fn is_origin(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    matches!(text, "*" | "null")
        || text.split_once("://").is_some_and(|(scheme, host)| {
            !scheme.is_empty() && !host.is_empty() && !host.contains(['/', ' ', ','])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_preflight_is_answered() {
        let mut headers = HeaderMap::new();
        assert!(preflight(&Method::OPTIONS, &headers).is_none());
        headers.insert(ORIGIN, HeaderValue::from_static("http://page"));
        headers.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("PUT"));
        assert!(preflight(&Method::GET, &headers).is_none());
        let reply = preflight(&Method::OPTIONS, &headers).unwrap();
        assert_eq!(reply.headers[ACCESS_CONTROL_ALLOW_METHODS], "PUT");
    }

    #[test]
    fn an_answer_that_names_an_origin_keeps_it() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        allow(&HeaderValue::from_static("http://page"), &mut headers);
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn an_invented_text_is_no_origin() {
        let page = HeaderValue::from_static("http://page");
        for invented in ["sint vitae", "", "http://", "http://a/b", "page"] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static(invented));
            allow(&page, &mut headers);
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], page, "{invented}");
        }
        for named in ["null", "https://other.example:8443"] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static(named));
            allow(&page, &mut headers);
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], named);
        }
    }
}
