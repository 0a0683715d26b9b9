//! What a request to a server that plays other servers is meant for.

use http::Version;
use http::request::Parts;

use crate::exchange::Protocol;

use super::target::{Target, TargetError, host_header};

/// Where the host that is meant may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// In the path or in an absolute target; else no host is meant.
    Plain,
    /// There, else in the `Host` header.
    Header,
}

/// What a request is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Host and path; where no host is meant, the host is what the `Host` header says, or empty.
    pub target: Target,
    /// True where the request names the host that it means.
    pub named: bool,
}

impl Inbound {
    /// Reads what a request is meant for: `/http://host/path`, an absolute target (`curl -x`), the `Host` header
    /// under [`Routing::Header`], else the path alone.
    ///
    /// A client that was led here by a name in `/etc/hosts` sends our own port in `Host`. It is taken off where
    /// only then `knows` tells that there is such a host.
    ///
    /// # Errors
    /// A wrong host or scheme.
    pub fn of(
        parts: &Parts,
        routing: Routing,
        own_port: u16,
        knows: impl Fn(&str) -> bool,
    ) -> Result<Inbound, TargetError> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        // Over HTTP/2 every target is a URL, of which the host is what `Host` says elsewhere (RFC 9113 section 8.3.1).
        let absolute = Target::absolute(&parts.uri).filter(|_| parts.version < Version::HTTP_2);
        let named = absolute.or_else(|| Target::in_path(path));
        if let Some(target) = named {
            return Ok(Inbound { target: target?, named: true });
        }
        if routing == Routing::Header {
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

    fn of(uri: &str, host: &str, routing: Routing) -> Option<(String, String, bool)> {
        let request = http::Request::get(uri).header("host", host).body(()).expect("a request");
        let knows = |host: &str| host == "a.test";
        let inbound = Inbound::of(&request.into_parts().0, routing, 8000, knows).ok()?;
        Some((inbound.target.host, inbound.target.path_and_query, inbound.named))
    }

    #[test]
    fn urls_of_http_2_name_no_other_host() {
        let request = http::Request::get("https://b.test/x").version(Version::HTTP_2);
        let parts = request.body(()).expect("a request").into_parts().0;
        let inbound = Inbound::of(&parts, Routing::Plain, 8000, |_| false).expect("a target");
        assert!(!inbound.named);
        assert_eq!((inbound.target.host.as_str(), inbound.target.path()), ("b.test", "/x"));
        let inbound = Inbound::of(&parts, Routing::Header, 8000, |_| false).expect("a target");
        assert!(inbound.named);
    }

    #[test]
    fn the_path_names_the_host_then_the_header_where_asked() {
        use Routing::{Header, Plain};
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
