//! Restricts the admin port to programs on this machine, excluding web pages of other origins; or,
//! with `--admin-token`, to clients that send the token.

use http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, StatusCode, Version};

use subtle::ConstantTimeEq as _;

use super::super::answer::Answer;

/// The names of the loopback interface. A page whose domain resolves to loopback still sends the
/// name of the domain.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// With `--admin-token`, a 401 if the token is missing; otherwise a 403 for a foreign `Host` or
/// `Origin`.
pub(super) fn refuse(parts: &Parts, port: u16, token: Option<&str>) -> Option<Answer> {
    if let Some(token) = token {
        // No page of another origin knows the token, and a browser adds none by itself.
        return (!has_token(parts, token)).then(unauthorized);
    }
    let text = |name| parts.headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()));
    let ours = |authority: &str| {
        LOOPBACK.iter().any(|name| authority.eq_ignore_ascii_case(&format!("{name}:{port}")))
    };
    let hosts = parts.headers.get_all(HOST).iter().count();
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    // Requests of HTTP/2 have an authority, and seldom a Host header.
    let is_named = match text(HOST) {
        Some(host) => hosts == 1 && ours(&host),
        None => parts.version >= Version::HTTP_2 && authority.is_some(),
    };
    if !is_named || !authority.is_none_or(ours) {
        let detail = format!(
            "the Host header of requests to the admin port must be 127.0.0.1:{port} or localhost:{port}"
        );
        return Some(Answer::problem(StatusCode::FORBIDDEN, "foreign Host", &detail));
    }
    let foreign = |origin: &str| !origin.strip_prefix("http://").is_some_and(ours);
    if parts.headers.get_all(ORIGIN).iter().any(|o| foreign(&String::from_utf8_lossy(o.as_bytes())))
    {
        let detail = "web pages of other origins cannot use the admin port";
        return Some(Answer::problem(StatusCode::FORBIDDEN, "foreign Origin", detail));
    }
    None
}

fn has_token(parts: &Parts, token: &str) -> bool {
    let given = parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let Some((scheme, given)) = given.split_at_checked("Bearer ".len()) else { return false };
    scheme.eq_ignore_ascii_case(b"bearer ") && given.ct_eq(token.as_bytes()).into()
}

fn unauthorized() -> Answer {
    let detail = "send the token of --admin-token: Authorization: Bearer TOKEN";
    let mut answer = Answer::problem(StatusCode::UNAUTHORIZED, "no admin token", detail);
    answer.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(headers: &[(&str, &str)]) -> bool {
        let mut request = http::Request::get("/admin/health");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        refuse(&request.body(()).unwrap().into_parts().0, 8888, None).is_some()
    }

    #[test]
    fn a_token_stands_for_the_rest() {
        let status = |authorization: &str| {
            let request = http::Request::get("/").header("host", "mock.test");
            let request = request.header("authorization", authorization).body(()).unwrap();
            refuse(&request.into_parts().0, 8888, Some("s3cret")).map(|answer| answer.status)
        };
        assert_eq!(status("Bearer s3cret"), None);
        assert_eq!(status("bearer s3cret"), None);
        for wrong in ["", "s3cret", "Bearer s3cre", "Bearer s3creT", "Basic s3cret", "Bearer"] {
            assert_eq!(status(wrong), Some(StatusCode::UNAUTHORIZED), "{wrong:?}");
        }
    }

    #[test]
    fn http_2_names_the_host_in_its_authority() {
        let refused = |uri: &str, version| {
            let request = http::Request::get(uri).version(version).body(()).unwrap();
            refuse(&request.into_parts().0, 8888, None).is_some()
        };
        assert!(!refused("http://127.0.0.1:8888/admin/health", Version::HTTP_2));
        assert!(!refused("http://localhost:8888/admin/health", Version::HTTP_2));
        assert!(refused("http://evil.test:8888/admin/health", Version::HTTP_2));
        assert!(refused("/admin/health", Version::HTTP_2));
        assert!(refused("http://127.0.0.1:8888/admin/health", Version::HTTP_11));
    }

    #[test]
    fn loopback_names_and_the_own_origin_only() {
        assert!(!refused(&[("host", "127.0.0.1:8888")]));
        assert!(!refused(&[("host", "Localhost:8888"), ("origin", "http://localhost:8888")]));
        assert!(!refused(&[("host", "[::1]:8888")]));
        for headers in [
            &[][..],
            &[("host", "evil.test:8888")],
            &[("host", "localhost")],
            &[("host", "localhost:8888"), ("host", "evil.test")],
            &[("host", "localhost:8888"), ("origin", "http://evil.test")],
            &[("host", "localhost:8888"), ("origin", "null")],
            &[("host", "localhost:8888"), ("origin", "https://localhost:8888")],
        ] {
            assert!(refused(headers), "{headers:?}");
        }
    }
}
