//! The host and path of a request to a server that replaces other servers.

use http::Version;
use http::request::Parts;

use crate::exchange::Protocol;

use super::target::{Target, TargetError, host_header};

/// Where a request can name its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboundRouting {
    /// In the path or in an absolute target. Otherwise the request names no host.
    Plain,
    /// As `Plain`, otherwise in the `Host` header.
    Header,
}

/// The host and path of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Host and path. If the request does not name a host, the host is that of the `Host` header,
    /// or missing.
    pub target: Target,
    /// True if the request names its host.
    pub named: bool,
}

impl Inbound {
    /// Reads the target of a request: from `/http://host/path`, an absolute target (`curl -x`), the
    /// `Host` header under [`InboundRouting::Header`], or else the path alone.
    ///
    /// A client that reaches this server through a name in `/etc/hosts` sends this server's port in
    /// `Host`. The port is removed if `knows` accepts the host only without it.
    ///
    /// # Errors
    /// An invalid host or scheme.
    pub fn of(
        parts: &Parts,
        routing: InboundRouting,
        own_port: u16,
        knows: impl Fn(&str) -> bool,
    ) -> Result<Inbound, TargetError> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        // In HTTP/2 every target is a URL, whose authority is what `Host` is in HTTP/1 (RFC 9113
        // section 8.3.1).
        let absolute = Target::absolute(&parts.uri).filter(|_| parts.version < Version::HTTP_2);
        let named = absolute.or_else(|| Target::in_path(path));
        if let Some(target) = named {
            return Ok(Inbound { target: target?, named: true });
        }
        if routing == InboundRouting::Header {
            let mut target = Target::in_headers(parts, Protocol::Http)?;
            if let Some(bare) = target.host.strip_suffix(&format!(":{own_port}"))
                && !knows(&target.host)
                && knows(bare)
            {
                target.host = bare.to_owned();
            }
            return Ok(Inbound { target, named: true });
        }
        let host = host_header(parts)?.unwrap_or_default();
        let target = Target { protocol: Protocol::Http, host, path_and_query: path.to_owned() };
        Ok(Inbound { target, named: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str, host: &str, routing: InboundRouting) -> Option<(String, String, bool)> {
        let request = http::Request::get(uri).header("host", host).body(()).expect("a request");
        let knows = |host: &str| host == "a.test";
        let inbound = Inbound::of(&request.into_parts().0, routing, 8000, knows).ok()?;
        Some((inbound.target.host, inbound.target.path_and_query, inbound.named))
    }

    #[test]
    fn urls_of_http_2_name_no_other_host() {
        let request = http::Request::get("https://b.test/x").version(Version::HTTP_2);
        let parts = request.body(()).expect("a request").into_parts().0;
        let inbound =
            Inbound::of(&parts, InboundRouting::Plain, 8000, |_| false).expect("a target");
        assert!(!inbound.named);
        assert_eq!((inbound.target.host.as_str(), inbound.target.path()), ("b.test", "/x"));
        let inbound =
            Inbound::of(&parts, InboundRouting::Header, 8000, |_| false).expect("a target");
        assert!(inbound.named);
    }

    #[test]
    fn the_path_names_the_host_then_the_header_where_asked() {
        use InboundRouting::{Header, Plain};
        for (uri, host, routing, expected) in [
            ("/http://b.test/x?y", "here:8000", Plain, ("b.test", "/x?y", true)),
            ("/https://b.test", "here:8000", Header, ("b.test", "/", true)),
            ("http://b.test/x", "here:8000", Plain, ("b.test", "/x", true)),
            ("/x", "a.test", Header, ("a.test", "/x", true)),
            ("/x", "a.test:8000", Header, ("a.test", "/x", true)),
            ("/x", "b.test:8000", Header, ("b.test:8000", "/x", true)),
            ("/x", "a.test", Plain, ("a.test", "/x", false)),
        ] {
            let (host_found, path, named) = expected;
            let expected = Some((host_found.to_owned(), path.to_owned(), named));
            assert_eq!(of(uri, host, routing), expected, "{uri} {host} {routing:?}");
        }
        assert_eq!(of("/x", "../etc", Plain), None);
        assert_eq!(of("/http://../x", "a.test", Plain), None);
    }
}
