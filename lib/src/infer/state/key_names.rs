//! Names that hold credentials.

use crate::exchange::is_secret_name;

/// Endings of header names that hold a key or token, in lower case.
pub(super) fn names_a_key(name: &str) -> bool {
    // A cheap test that rules out most headers.
    let end = name.as_bytes().last_chunk::<3>();
    if !end.is_some_and(|end| {
        matches!(end, b"key" | b"ken" | b"uth" | b"ion" | b"ret" | b"-id" | b"ord")
    }) {
        return false;
    }
    const ENDS: [&str; 10] = [
        "-key",
        "_key",
        "apikey",
        "token",
        "-auth",
        "authorization",
        "secret",
        "session",
        "session-id",
        "password",
    ];
    // `x-next-page-token` is not a credential.
    let other_token = name.ends_with("token") && !is_secret_name(name);
    !other_token && ENDS.iter().any(|end| name.ends_with(end)) && !is_no_credential(name)
}

/// Names of query parameters that hold a key or token, regardless of case and separators.
pub(super) fn is_key_of_query(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "accesstoken",
        "apikey",
        "apitoken",
        "appkey",
        "authtoken",
        "clientsecret",
        "key",
        "subscriptionkey",
        "token",
    ];
    // A cheap test: most names end differently, or are too long.
    let may_be = matches!(name.as_bytes().last(), Some(b'N' | b'n' | b'T' | b't' | b'Y' | b'y'));
    may_be
        && name.len() <= 20
        && NAMES.iter().any(|known| {
            name.bytes()
                .filter(|b| !matches!(b, b'-' | b'_'))
                .map(|b| b.to_ascii_lowercase())
                .eq(known.bytes())
        })
}

/// Names of session cookies.
pub(super) fn names_a_session(name: &str) -> bool {
    const ENDS: [&str; 8] =
        ["session", "sessionid", "session_id", "sessid", "sid", "auth", "token", "jwt"];
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let ends = |end: &&str| {
        let start = name.len().checked_sub(end.len());
        start.and_then(|at| name.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    let of_forms = |part: &str| {
        name.as_bytes().windows(part.len()).any(|found| found.eq_ignore_ascii_case(part.as_bytes()))
    };
    name.bytes().all(plain) && ENDS.iter().any(ends) && !of_forms("csrf") && !of_forms("xsrf")
}

/// Parts of names of tokens that identify no user or client: those of tools, bot checks and
/// protection against forged requests are not credentials, nor are device ids and idempotency keys.
const NO_CREDENTIALS: &[&str] = &[
    "captcha",
    "client-token",
    "csrf",
    "device",
    "idempotency",
    "postman",
    "proxy-",
    "security-token",
    "turnstile",
    "verificationtoken",
    "websocket",
    "xsrf",
];

/// True for the name of a token that is not a credential.
pub(super) fn is_no_credential(name: &str) -> bool {
    NO_CREDENTIALS.iter().any(|part| name.contains(part))
}
