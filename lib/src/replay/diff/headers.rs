//! Headers that do not affect the meaning of a response, and how other headers are compared.

/// Headers that differ from response to response, or that depend on other headers and the body.
pub(super) const IGNORED: [&str; 54] = [
    // Times, sizes, and validators: the body itself is compared (RFC 9110; RFC 9111).
    "age",
    "content-encoding",
    "content-length",
    "date",
    "etag",
    "expires",
    "last-modified",
    "retry-after",
    "trailer", // Digests of the body (RFC 9530).
    "content-digest",
    "content-md5",
    "digest",
    "repr-digest",
    // The connection (RFC 9110, 7.6.1).
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade", // The server, and what is between it and the client.
    "alt-svc",
    "cf-cache-status",
    "cf-ray",
    "nel",
    "report-to",
    "reporting-endpoints",
    "server",
    "server-timing",
    "via",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-amz-id-2",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-cache",
    "x-cache-hits",
    "x-response-time",
    "x-runtime",
    "x-served-by",
    "x-timer",
    "x-varnish",
    // The identity of the request (W3C Trace Context, and the names of frameworks).
    "request-id",
    "traceparent",
    "tracestate",
    "x-amzn-trace-id",
    "x-correlation-id",
    "x-request-id",
    "x-trace-id", // The rest of a quota.
    "ratelimit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-used",
];

/// True for headers whose value is a list without order, or is compared without case.
pub(super) fn is_list(name: &str) -> bool {
    matches!(name, "allow" | "vary" | "content-type" | "cache-control")
        || name.starts_with("access-control-")
}

/// True for headers whose value is a URL.
pub(super) fn is_location(name: &str) -> bool {
    matches!(name, "location" | "content-location")
}

/// True for lists with the same members, or the same parameters.
pub(super) fn same_list(old: &str, new: &str) -> bool {
    let members = |text: &str| -> Vec<String> {
        let parts = text.split([',', ';']);
        let mut members: Vec<String> =
            parts.map(|part| part.trim().replace('"', "").to_ascii_lowercase()).collect();
        members.retain(|member| !member.is_empty());
        members.sort_unstable();
        members
    };
    members(old) == members(new)
}

/// A `Set-Cookie` without its value and expiry, because sessions differ each time.
pub(super) fn cookie_without_value(header: &str) -> String {
    let mut parts = header.split(';');
    let pair = parts.next().unwrap_or_default();
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let mut attributes: Vec<String> = parts
        .map(|part| part.trim().to_ascii_lowercase())
        .filter(|part| !part.starts_with("expires=") && !part.starts_with("max-age="))
        .filter(|part| !part.is_empty())
        .collect();
    attributes.sort_unstable();
    let value = if value.trim().is_empty() { "" } else { "…" };
    format!("{}={value}; {}", name.trim(), attributes.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_count() {
        assert!(same_list("Accept, Origin", "origin,accept"));
        assert!(same_list("application/json;charset=UTF-8", "application/json; charset=\"utf-8\""));
        assert!(!same_list("text/html", "application/json"));
        let cookie = cookie_without_value;
        assert_eq!(cookie("a=1; Path=/; HttpOnly"), cookie("a=22; httponly; Path=/; Max-Age=9"));
        assert_ne!(cookie("a=1; Path=/"), cookie("a=1; Path=/x"));
        assert_ne!(cookie("a=1"), cookie("a="));
    }
}
