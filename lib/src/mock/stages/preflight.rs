//! Cross-origin requests: pages of any origin may read the answers.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::super::answer::Answer;
use super::super::call::{Call, Context};

pub(super) fn answer(context: &Context<'_>, call: &Call<'_>) -> Option<Answer> {
    if !context.settings.cors {
        return None;
    }
    preflight(&call.parts.method, &call.parts.headers)
}

/// The answer to a CORS preflight; `None` for all other requests.
fn preflight(method: &Method, headers: &HeaderMap) -> Option<Answer> {
    if method != Method::OPTIONS || !headers.contains_key(ORIGIN) {
        return None;
    }
    let asked = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut answer = Answer::empty(StatusCode::NO_CONTENT);
    answer.headers.insert(ACCESS_CONTROL_ALLOW_METHODS, asked.clone());
    if let Some(asked) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    answer.headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    Some(answer)
}

/// Lets a page read an answer. An answer that names an origin itself, for instance a recorded one,
/// stays unchanged. A value that is not an origin, for instance a generated one, is replaced.
pub(in crate::mock) fn allow_origin(origin: &HeaderValue, headers: &mut HeaderMap) {
    if headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).is_some_and(is_origin) {
        return;
    }
    // With credentials, browsers do not accept wildcards, so every name is listed.
    let exposed: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
    if let Ok(exposed) = HeaderValue::from_str(&exposed.join(", ")) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    // A clone would keep the buffer of the connection as long as the answer is kept.
    let Ok(origin) = HeaderValue::from_bytes(origin.as_bytes()) else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// True for a value that browsers accept in `access-control-allow-origin`: `*`, `null`, or scheme,
/// host and port.
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
        let answer = preflight(&Method::OPTIONS, &headers).unwrap();
        assert_eq!(answer.headers[ACCESS_CONTROL_ALLOW_METHODS], "PUT");
    }

    #[test]
    fn an_answer_that_names_an_origin_keeps_it() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        allow_origin(&HeaderValue::from_static("http://page"), &mut headers);
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn an_invented_text_is_no_origin() {
        let page = HeaderValue::from_static("http://page");
        for invented in ["sint vitae", "", "http://", "http://a/b", "page"] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static(invented));
            allow_origin(&page, &mut headers);
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], page, "{invented}");
        }
        for named in ["null", "https://other.example:8443"] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static(named));
            allow_origin(&page, &mut headers);
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], named);
        }
    }
}
