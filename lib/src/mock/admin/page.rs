//! The page at `/` of the admin port. It is a part of the executable, loads nothing from elsewhere,
//! and uses the other endpoints.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, LOCATION};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::super::answer::Answer;

const INDEX: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The scheme and the port of the mock, as in `http:8000`.
const PLACE_OF_MOCK: &str = "@MOCK@";

const POLICY: HeaderName = HeaderName::from_static("content-security-policy");
const NO_SNIFF: HeaderName = HeaderName::from_static("x-content-type-options");
const REFERRER: HeaderName = HeaderName::from_static("referrer-policy");

/// A file of the page; `None` if there is no such file.
pub(super) fn file(parts: &Parts, is_tls: bool, port: u16) -> Option<Answer> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return None;
    }
    // The ready line ends in `/admin`.
    if matches!(parts.uri.path(), "/admin" | "/admin/") {
        let mut answer = Answer::empty(StatusCode::FOUND);
        answer.headers.insert(LOCATION, HeaderValue::from_static("/"));
        return Some(answer);
    }
    let scheme = if is_tls { "https" } else { "http" };
    let (text, kind) = match parts.uri.path() {
        "/" => (
            Bytes::from(INDEX.replace(PLACE_OF_MOCK, &format!("{scheme}:{port}"))),
            "text/html; charset=utf-8",
        ),
        "/page.css" => (Bytes::from_static(STYLE.as_bytes()), "text/css; charset=utf-8"),
        "/page.js" => (Bytes::from_static(SCRIPT.as_bytes()), "text/javascript; charset=utf-8"),
        _ => return None,
    };
    let mut answer = Answer::empty(StatusCode::OK);
    answer.body = text;
    let headers = &mut answer.headers;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(NO_SNIFF, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER, HeaderValue::from_static("no-referrer"));
    if let Ok(policy) = HeaderValue::from_str(&policy(parts, scheme, port)) {
        headers.insert(POLICY, policy);
    }
    Some(answer)
}

/// The policy allows only files of this page, and requests to this port and to the mock.
fn policy(parts: &Parts, scheme: &str, port: u16) -> String {
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).or(authority);
    let host = host.unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-[]:".contains(&byte);
    let mock = if !name.is_empty() && name.bytes().all(is_name) {
        format!(" {scheme}://{name}:{port}")
    } else {
        String::new()
    };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'{mock}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, host: &str) -> Option<Answer> {
        let request = http::Request::get(path).header("host", host).body(()).unwrap();
        file(&request.into_parts().0, false, 8000)
    }

    #[test]
    fn the_policy_names_only_this_port_and_the_mock() {
        let policy = |host: &str| {
            let answer = get("/", host).unwrap();
            answer.headers[POLICY].to_str().unwrap().to_owned()
        };
        assert!(policy("localhost:8888").contains("connect-src 'self' http://localhost:8000;"));
        assert!(policy("[::1]:8888").contains("connect-src 'self' http://[::1]:8000;"));
        assert!(policy("a; script-src *:8888").contains("connect-src 'self';"));
        assert!(get("/other", "localhost:8888").is_none());
    }

    #[test]
    fn the_page_has_no_inline_code_and_no_address_of_others() {
        for text in [INDEX, STYLE, SCRIPT] {
            for forbidden in ["https://", "http://", "innerHTML", " onclick=", " style=", "eval("] {
                assert!(!text.contains(forbidden), "{forbidden}");
            }
        }
    }
}
