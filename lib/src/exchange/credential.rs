//! Finds the credential of a request: `Authorization`, an API key, or a session cookie.

use super::model::Request;

/// Last words of header names that hold credentials, and exceptions. Exceptions are not credentials
/// of a user: `csrf` and the like, keys of a protocol (`sec-websocket-key`), of an idempotent
/// request, and of tools and bot checks.
const HEADER_ENDS: [&str; 8] =
    ["key", "token", "auth", "authorization", "secret", "session", "sessionid", "password"];
const NO_CREDENTIALS: [&str; 12] = [
    "csrf",
    "xsrf",
    "idempotency",
    "idempotent",
    "websocket",
    "proxy",
    "recaptcha",
    "postman",
    "device",
    "client",
    "surrogate",
    "cache",
];

/// Names of query parameters that hold a key or a token, in lower case and without separators.
const QUERY_NAMES: [&str; 14] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "appkey",
    "authtoken",
    "clientsecret",
    "jwt",
    "key",
    "sessionid",
    "sessiontoken",
    "sig",
    "subscriptionkey",
    "token",
];

/// Last parts of cookie names that hold a session or a token, in lower case and without separators.
const COOKIE_ENDS: [&str; 8] =
    ["session", "sessionid", "sessid", "sid", "auth", "token", "jwt", "sess"];

/// The first credential of a request, for messages: `the header authorization`, `the query
/// parameter api_key`, `the cookie sid`.
pub fn credential(request: &Request<'_>) -> Option<String> {
    for (name, value) in &request.headers {
        if name == "cookie" {
            let session = value.split(';').filter_map(|pair| pair.split_once('=')).find_map(
                |(cookie, value)| {
                    let cookie = cookie.trim();
                    (!value.trim().is_empty() && is_session_cookie(cookie)).then_some(cookie)
                },
            );
            if let Some(cookie) = session {
                return Some(format!("the cookie {cookie}"));
            }
        } else if !value.is_empty() && is_credential_header(name) {
            return Some(format!("the header {name}"));
        }
    }
    let is_key = |name: &str| QUERY_NAMES.contains(&bare(name).as_str());
    let (name, _) = request.query.iter().find(|(name, value)| !value.is_empty() && is_key(name))?;
    Some(format!("the query parameter {name}"))
}

/// True for a lower-case header name that holds a credential.
pub fn is_credential_header(name: &str) -> bool {
    // A cheap test that rules out most headers.
    let last = name.as_bytes().last();
    if !matches!(last, Some(b'y' | b'n' | b'h' | b't' | b'd')) {
        return false;
    }
    let mut words = name.split(['-', '_', '.']);
    let holds =
        words.next_back().is_some_and(|last| HEADER_ENDS.iter().any(|end| last.ends_with(end)));
    (holds || name.ends_with("session-id"))
        && !name.split(['-', '_', '.']).any(|word| NO_CREDENTIALS.contains(&word))
        && !name.ends_with("security-token")
}

/// True for the name of a cookie that holds a session or a token.
pub fn is_session_cookie(name: &str) -> bool {
    let bare = bare(name);
    !["csrf", "xsrf"].iter().any(|other| bare.contains(other))
        && COOKIE_ENDS.iter().any(|end| bare.ends_with(end))
}

/// In lower case, without separators.
fn bare(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '-' | '_' | '.'));
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(headers: &[(&'static str, &'static str)], query: &'static str) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let query = super::super::parse_query(query);
        credential(&Request { headers: headers.collect(), query, ..Request::default() })
    }

    #[test]
    fn credentials_are_known_by_name() {
        for header in
            ["authorization", "x-api-key", "x-auth-token", "apikey", "ocp-apim-subscription-key"]
        {
            assert_eq!(found(&[(header, "x")], ""), Some(format!("the header {header}")));
        }
        for cookie in
            ["session=1", "a=b; PHPSESSID=1", "connect.sid=x", "access_token=1", "JSESSIONID=1"]
        {
            assert!(found(&[("cookie", cookie)], "").is_some(), "{cookie}");
        }
        for query in ["api_key=1", "q=1&access_token=2", "key=x"] {
            assert!(found(&[], query).is_some(), "{query}");
        }
    }

    #[test]
    fn other_names_are_no_credentials() {
        for header in [
            "accept",
            "x-csrf-token",
            "idempotency-key",
            "sec-websocket-key",
            "host",
            "user-agent",
            "postman-token",
            "x-request-id",
            "content-length",
        ] {
            assert_eq!(found(&[(header, "x")], ""), None, "{header}");
        }
        assert_eq!(found(&[("authorization", "")], "api_key="), None);
        assert_eq!(
            found(&[("cookie", "theme=dark; csrf_token=1")], "q=key&page_token_hint=1"),
            None
        );
    }
}
