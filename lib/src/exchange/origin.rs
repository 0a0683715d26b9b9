//! The origin of a request. With the path and its sorted query, it identifies requests: the builder
//! writes both into `x-hmt-replay`, and the mock looks requests up by them.

use super::model::Request;

/// `protocol://host`, or an empty string if the request has no host.
pub fn origin(request: &Request<'_>) -> String {
    let mut origin = String::new();
    push_origin(request, &mut origin);
    origin
}

/// Appends the result of [`origin`].
pub(crate) fn push_origin(request: &Request<'_>, origin: &mut String) {
    if !request.host.is_empty() {
        origin.push_str(request.protocol.as_str());
        origin.push_str("://");
        origin.push_str(without_default_port(request.protocol.as_str(), &request.host));
    }
}

/// A host without its scheme's default port (RFC 3986, section 6.2.3; RFC 9110, section 4.2).
fn without_default_port<'h>(scheme: &str, host: &'h str) -> &'h str {
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return host,
    };
    // `::80` may be the end of an IPv6 address without brackets.
    host.strip_suffix(port).filter(|name| !name.is_empty() && !name.ends_with(':')).unwrap_or(host)
}
