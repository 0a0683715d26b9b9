//! The target of a request: by path, by header, in absolute form, or fixed.

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, Uri, Version};

use crate::exchange::{HostError, Protocol, valid_host};

/// The headers that name the scheme in header routing; the second is that of the old hmt.
pub(crate) const SCHEME_HEADERS: [&str; 2] = ["x-hmt-scheme", "x-meeshkan-scheme"];

/// The scheme, host and path of the target of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `http` or `https`.
    pub protocol: Protocol,
    /// A valid lower-case `host[:port]`, without the default port of the scheme.
    pub host: String,
    /// The path and query as on the wire, beginning with `/`.
    pub path_and_query: String,
}

/// A request that names no target, or an invalid one.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Under path routing, the path names no target.
    #[error(
        "the path {0:?} names no target; request /http://HOST/PATH or /https://HOST/PATH, or start the recorder with --target URL"
    )]
    NotInPath(String),
    /// The URL is not an HTTP URL.
    #[error("{0:?} is not an http:// or https:// URL")]
    NoUrl(String),
    /// The target's host is malformed.
    #[error("invalid host in the target: {0}")]
    Host(#[from] HostError),
    /// HTTP/1.1 and header routing both require a `Host` header.
    #[error("the request has no Host header")]
    NoHostHeader,
    /// With two `Host` headers, two hops might use different ones.
    #[error("the request has more than one Host header")]
    TwoHostHeaders,
    /// The `Host` header is malformed.
    #[error("invalid Host header: {0}")]
    HostHeader(HostError),
    /// The scheme header names neither http nor https.
    #[error("the header {0} must be http or https")]
    Scheme(&'static str),
}

impl Target {
    /// The target of `http[s]://host[:port][/path][?query]`. User-info is refused, and a fragment
    /// is removed.
    ///
    /// # Errors
    /// Another scheme, or an invalid host.
    pub fn from_url(url: &str) -> Result<Target, TargetError> {
        let no_url = || TargetError::NoUrl(url.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(no_url)?;
        let protocol = protocol(scheme).ok_or_else(no_url)?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (host, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let slash = if tail.starts_with('/') { "" } else { "/" };
        Ok(Target {
            protocol,
            host: without_default_port(valid_host(host)?, protocol),
            path_and_query: format!("{slash}{tail}"),
        })
    }

    /// Path routing: the target of `/http[s]://host[:port]/path?query`; `None` for other paths.
    pub fn in_path(path_and_query: &str) -> Option<Result<Target, TargetError>> {
        let url = path_and_query.strip_prefix('/')?;
        // A cheap test first: most paths do not name a target.
        if !url.get(..4)?.eq_ignore_ascii_case("http") {
            return None;
        }
        let (scheme, _) = url.split_once("://")?;
        protocol(scheme)?;
        Some(Target::from_url(url))
    }

    /// Header routing: the host from `Host` (or from a target in absolute form), the scheme from
    /// `X-HMT-Scheme` or `X-Meeshkan-Scheme`, and otherwise `inbound`.
    ///
    /// # Errors
    /// No host, or an invalid host or scheme.
    pub fn in_headers(parts: &Parts, inbound: Protocol) -> Result<Target, TargetError> {
        if parts.version < Version::HTTP_2
            && let Some(absolute) = Target::absolute(&parts.uri)
        {
            return absolute;
        }
        let host = host_header(parts)?.ok_or(TargetError::NoHostHeader)?;
        let protocol = scheme_header(&parts.headers)?.unwrap_or(inbound);
        Ok(Target {
            protocol,
            host: without_default_port(host, protocol),
            path_and_query: path_and_query(&parts.uri),
        })
    }

    /// The target of a request in absolute form, as clients send it to a proxy; `None` for other
    /// forms.
    pub fn absolute(uri: &Uri) -> Option<Result<Target, TargetError>> {
        uri.scheme()?;
        Some(Target::from_url(&uri.to_string()))
    }

    /// The same host and port with the other scheme.
    pub fn with_protocol(&self, protocol: Protocol) -> Target {
        let mut host = self.host.clone();
        if protocol != self.protocol {
            // The port was implied, or becomes the default port.
            host = format!("{}:{}", self.hostname(), self.port());
        }
        let host = without_default_port(host, protocol);
        Target { protocol, host, path_and_query: self.path_and_query.clone() }
    }

    /// The same origin with this path and query.
    pub fn with_path(&self, path_and_query: impl Into<String>) -> Target {
        let (protocol, host) = (self.protocol, self.host.clone());
        Target { protocol, host, path_and_query: path_and_query.into() }
    }

    /// The same origin, with this target's own path followed by `path_and_query`.
    pub fn join(&self, path_and_query: &str) -> Target {
        let base = self.path_and_query.trim_end_matches('/');
        self.with_path([base, path_and_query].concat())
    }

    /// The host without port; an IPv6 address keeps its brackets.
    pub fn hostname(&self) -> &str {
        match self.host.rfind(':') {
            Some(colon) if !self.host.ends_with(']') => &self.host[..colon],
            _ => &self.host,
        }
    }

    /// The port; without one in the host, the default port of the scheme.
    pub fn port(&self) -> u16 {
        let port = &self.host[self.hostname().len()..];
        match port.strip_prefix(':').and_then(|port| port.parse().ok()) {
            Some(port) => port,
            None => default_port(self.protocol),
        }
    }

    /// True if both have the same scheme, host and port.
    pub fn same_origin(&self, other: &Target) -> bool {
        self.protocol == other.protocol && self.host == other.host
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.parts().0
    }

    /// The query without `?`; empty if there is none.
    pub fn query(&self) -> &str {
        self.wire_query().unwrap_or_default()
    }

    /// The query without `?`; `None` if there is no `?`.
    pub fn wire_query(&self) -> Option<&str> {
        self.parts().1
    }

    /// The path, and the query without `?`.
    pub(super) fn parts(&self) -> (&str, Option<&str>) {
        match memchr::memchr(b'?', self.path_and_query.as_bytes()) {
            Some(at) => (&self.path_and_query[..at], Some(&self.path_and_query[at + 1..])),
            None => (&self.path_and_query, None),
        }
    }
}

/// The only and valid `Host` header in lower case, or `:authority` in HTTP/2; `None` if an HTTP/1.0
/// client sends none.
///
/// # Errors
/// None in HTTP/1.1, more than one, or a malformed one.
pub fn host_header(parts: &Parts) -> Result<Option<String>, TargetError> {
    if parts.version == Version::HTTP_2
        && let Some(authority) = parts.uri.authority()
    {
        return valid_host(authority.as_str()).map(Some).map_err(TargetError::HostHeader);
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else {
        return if parts.version >= Version::HTTP_11 {
            Err(TargetError::NoHostHeader)
        } else {
            Ok(None)
        };
    };
    if hosts.next().is_some() {
        return Err(TargetError::TwoHostHeaders);
    }
    let host = std::str::from_utf8(host.as_bytes()).map_err(|_| HostError::Name);
    host.and_then(valid_host).map(Some).map_err(TargetError::HostHeader)
}

fn scheme_header(headers: &HeaderMap) -> Result<Option<Protocol>, TargetError> {
    for name in SCHEME_HEADERS {
        if let Some(value) = headers.get(name) {
            let protocol = value.to_str().ok().and_then(|value| protocol(value.trim()));
            return protocol.map(Some).ok_or(TargetError::Scheme(name));
        }
    }
    Ok(None)
}

fn path_and_query(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned())
}

fn protocol(scheme: &str) -> Option<Protocol> {
    if scheme.eq_ignore_ascii_case("http") {
        Some(Protocol::Http)
    } else if scheme.eq_ignore_ascii_case("https") {
        Some(Protocol::Https)
    } else {
        None
    }
}

fn default_port(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Http => 80,
        Protocol::Https => 443,
    }
}

/// Removes `:80` from http and `:443` from https hosts, so that an origin has one spelling.
fn without_default_port(mut host: String, protocol: Protocol) -> String {
    let port = match protocol {
        Protocol::Http => ":80",
        Protocol::Https => ":443",
    };
    if host.ends_with(port) {
        host.truncate(host.len() - port.len());
    }
    host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_path(path: &str) -> Option<(Protocol, String, String)> {
        let target = Target::in_path(path)?.ok()?;
        Some((target.protocol, target.host, target.path_and_query))
    }

    #[test]
    fn paths_name_targets() {
        use Protocol::{Http, Https};
        for (path, protocol, host, rest) in [
            ("/http://a.test/x?y=1", Http, "a.test", "/x?y=1"),
            ("/https://A.test:8443/x", Https, "a.test:8443", "/x"),
            ("/http://a.test:80", Http, "a.test", "/"),
            ("/https://a.test:443?q", Https, "a.test", "/?q"),
            ("/http://[::1]:9/x//y", Http, "[::1]:9", "/x//y"),
        ] {
            assert_eq!(in_path(path), Some((protocol, host.to_owned(), rest.to_owned())));
        }
        assert!(Target::in_path("/pets").is_none());
        assert!(Target::in_path("/ftp://a.test/x").is_none());
        for wrong in ["/http://u:p@a.test/", "/http:///x", "/http://a.test:0x1/", "/http://a..%2f/"]
        {
            assert!(Target::in_path(wrong).expect("routed by path").is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_name_targets() {
        let parts = |headers: &[(&str, &str)]| {
            let mut request = http::Request::get("/p?q");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            request.body(()).expect("a request").into_parts().0
        };
        let target = |headers| Target::in_headers(&parts(headers), Protocol::Http);
        let found = target(&[("host", "A.test"), ("X-HMT-Scheme", "https")]).expect("a target");
        assert_eq!((found.protocol, found.host.as_str()), (Protocol::Https, "a.test"));
        assert_eq!(found.path_and_query, "/p?q");
        assert!(matches!(target(&[]), Err(TargetError::NoHostHeader)));
        assert!(matches!(
            target(&[("host", "a"), ("host", "a")]),
            Err(TargetError::TwoHostHeaders)
        ));
        assert!(matches!(target(&[("host", "../../etc/x")]), Err(TargetError::HostHeader(_))));
        assert!(matches!(
            target(&[("host", "a"), ("x-meeshkan-scheme", "gopher")]),
            Err(TargetError::Scheme(_))
        ));
    }

    #[test]
    fn ports_and_joined_paths() {
        let target = Target::from_url("http://[::1]:81/base/").expect("a URL");
        assert_eq!((target.hostname(), target.port()), ("[::1]", 81));
        assert_eq!(target.join("/x?y").path_and_query, "/base/x?y");
        let target = Target::from_url("https://a.test").expect("a URL");
        assert_eq!((target.hostname(), target.port()), ("a.test", 443));
        assert_eq!(target.join("/x").path_and_query, "/x");
        let plain = target.with_protocol(Protocol::Http);
        assert_eq!((plain.host.as_str(), plain.port()), ("a.test:443", 443));
        assert_eq!(plain.with_protocol(Protocol::Https), target);
    }
}
