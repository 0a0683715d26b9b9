//! Headers that are not part of an API: those of the transport, browsers, proxies, CDNs, tracing,
//! caching and client frameworks. They are neither parameters nor described in responses.
//!
//! One table serves requests and responses. It determines the state, so a change increments the
//! version of the configuration.

mod table;

use super::key_names::names_a_key;
use crate::exchange::is_secret_name;
use table::{AppliesTo, CHECKS, KEPT, TABLE};

/// True for a request header that is not a parameter.
pub(super) fn is_request_plumbing(name: &str) -> bool {
    is_listed(name, AppliesTo::Request)
        // Credentials are described by a security scheme, not by a parameter.
        || is_secret_name(name)
        || names_a_key(name)
        || CHECKS.iter().any(|part| name.contains(part))
}

/// True for a response header that does not belong to the API.
pub(super) fn is_response_plumbing(name: &str) -> bool {
    is_listed(name, AppliesTo::Response)
}

/// True for a header of the API's own: one that a spec describes.
pub fn is_own_header(name: &str, of_request: bool) -> bool {
    !(if of_request { is_request_plumbing(name) } else { is_response_plumbing(name) })
}

fn is_listed(name: &str, side: AppliesTo) -> bool {
    !KEPT.contains(&name)
        && TABLE.iter().any(|(of, names)| {
            (*of == side || *of == AppliesTo::Both)
                && names.iter().any(|pattern| matches(pattern, name))
        })
}

fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) => name.starts_with(start),
        (_, Some(end)) => name.ends_with(end),
        _ => pattern == name,
    }
}

/// RFC 9110, section 7.6.1, and headers of older proxies.
pub(crate) fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::state::key_names::is_no_credential;

    #[test]
    fn headers_of_an_api_are_described() {
        for name in ["x-tenant-id", "idempotency-key", "x-account", "x-api-version", "prefer"] {
            assert!(!is_request_plumbing(name), "{name}");
        }
        for name in [
            "link",
            "location",
            "retry-after",
            "x-total-count",
            "x-ratelimit-limit",
            "ratelimit-policy",
            "deprecation",
            "sunset",
            "content-disposition",
            "x-github-media-type",
            "x-next-page",
            "warnings",
        ] {
            assert!(!is_response_plumbing(name), "{name}");
        }
    }

    #[test]
    fn headers_of_everything_else_are_not() {
        for name in
            ["sec-ch-ua", "x-b3-traceid", "postman-token", "x-csrf-token", "x-recaptcha-token"]
        {
            assert!(is_request_plumbing(name), "{name}");
        }
        for name in ["cf-ray", "x-amzn-requestid", "etag", "x-powered-by", "content-range"] {
            assert!(is_response_plumbing(name), "{name}");
        }
        assert!(is_no_credential("x-recaptcha-token") && !is_no_credential("x-auth-token"));
    }

    #[test]
    fn patterns_are_in_lower_case_and_end_or_begin_with_a_star() {
        for pattern in TABLE.iter().flat_map(|(_, names)| names.iter()) {
            let inner = pattern.trim_start_matches('*').trim_end_matches('*');
            assert!(pattern.len() <= inner.len() + 1, "{pattern}");
            assert!(!inner.contains('*') && inner == inner.to_ascii_lowercase(), "{pattern}");
        }
    }
}
