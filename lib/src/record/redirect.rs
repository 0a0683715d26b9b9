//! Rewrites redirects and cookies of an upstream so that they point to the recorder.
//!
//! A client that follows `Location: http://upstream/next` would bypass the recorder, and it would
//! reject a cookie with `Domain=upstream`. Both are changed for the client, while the record keeps
//! the originals.

use http::header::{HOST, HeaderMap, HeaderValue, LOCATION, SET_COOKIE};
use http::{Uri, Version};

use super::route::ReachedBy;
use crate::net::Target;

/// Rewrites the headers of responses from one upstream.
#[derive(Debug)]
pub(super) struct RedirectRewriter {
    upstream: Target,
    /// Scheme and host of the recorder, as the client knows them; empty if the client sent no host.
    recorder_origin: String,
    /// The prefix of the upstream's paths on the recorder: `/http://upstream` in path routing.
    prefix: String,
    /// The prefix of request paths on the upstream: the path of `--target`.
    base: String,
    reached_by: ReachedBy,
}

impl RedirectRewriter {
    /// For the response of `target` to a request for `requested` with these headers; `None` if
    /// nothing needs to be changed.
    pub(super) fn of(
        answer: &HeaderMap,
        (reached_by, base): (ReachedBy, &str),
        (requested, version): (&Uri, Version),
        request: &HeaderMap,
        target: &Target,
    ) -> Option<RedirectRewriter> {
        let rewritable = answer.contains_key(LOCATION) || answer.contains_key(SET_COOKIE);
        if reached_by == ReachedBy::OwnName || !rewritable {
            return None;
        }
        let authority = match requested.authority() {
            Some(authority) if version >= Version::HTTP_2 => Some(authority.as_str()),
            _ => request.get(HOST).and_then(|host| host.to_str().ok()),
        };
        // In the client's own spelling, because the paths of cookies must match it.
        let prefix = match reached_by {
            ReachedBy::Path => {
                let path = requested.path();
                let host = path.find("://").map_or(0, |at| at + 3);
                let end = path[host..].find('/').map_or(path.len(), |at| host + at);
                path[..end].to_owned()
            }
            ReachedBy::Fixed | ReachedBy::OwnName => String::new(),
        };
        Some(RedirectRewriter {
            upstream: target.clone(),
            recorder_origin: authority.map(|host| format!("http://{host}")).unwrap_or_default(),
            prefix,
            base: base.trim_end_matches('/').to_owned(),
            reached_by,
        })
    }

    /// Rewrites the headers of a response.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in headers.iter_mut() {
            let changed = match *name {
                LOCATION => self.rewritten_location(&text(value)),
                SET_COOKIE => self.rewritten_cookie(&text(value)),
                _ => None,
            };
            if let Some(changed) = changed {
                let bytes: Vec<u8> = changed.chars().map(|char| char as u8).collect();
                if let Ok(changed) = HeaderValue::from_bytes(&bytes) {
                    *value = changed;
                }
            }
        }
    }

    /// The new value of `Location`; `None` if it stays.
    fn rewritten_location(&self, location: &str) -> Option<String> {
        if location.starts_with('/') && !location.starts_with("//") {
            return self.recorder_path(location);
        }
        let url = match location.strip_prefix("//") {
            Some(_) => format!("{}:{location}", self.upstream.protocol.as_str()),
            None => location.to_owned(),
        };
        let found = Target::from_url(&url).ok()?;
        let after_scheme = url.find("://")? + 3;
        let rest = url[after_scheme..].find(['/', '?', '#']).map(|at| after_scheme + at);
        let rest = &url[rest.unwrap_or(url.len())..];
        if found.same_origin(&self.upstream) {
            let rooted = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
            let path = match self.reached_by {
                ReachedBy::Fixed if self.base.is_empty() => rooted,
                _ => self.recorder_path(&rooted)?,
            };
            return Some(format!("{}{path}", self.recorder_origin));
        }
        // The same host with the other scheme: servers redirect to https.
        let same_host = found.hostname() == self.upstream.hostname();
        (self.reached_by == ReachedBy::Path && same_host)
            .then(|| format!("{}/{url}", self.recorder_origin))
    }

    /// The recorder's path for a path of the upstream; `None` if it is the same, or if there is
    /// none.
    fn recorder_path(&self, path: &str) -> Option<String> {
        match self.reached_by {
            ReachedBy::Path => Some(format!("{}{path}", self.prefix)),
            ReachedBy::Fixed if !self.base.is_empty() => {
                let rest = path.strip_prefix(&self.base)?;
                match rest.chars().next() {
                    None | Some('?' | '#') => Some(format!("/{rest}")),
                    Some('/') => Some(rest.to_owned()),
                    Some(_) => None,
                }
            }
            ReachedBy::Fixed | ReachedBy::OwnName => None,
        }
    }

    /// The new value of `Set-Cookie`; `None` if it stays.
    fn rewritten_cookie(&self, cookie: &str) -> Option<String> {
        let mut changed = false;
        let mut has_path = false;
        let mut pieces = Vec::new();
        for (index, piece) in cookie.split(';').enumerate() {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let (name, value) = (name.trim(), value.trim());
            if index > 0 && name.eq_ignore_ascii_case("domain") && self.is_of_upstream(value) {
                changed = true;
                continue;
            }
            if index > 0 && name.eq_ignore_ascii_case("path") && value.starts_with('/') {
                has_path = true;
                if let Some(path) = self.recorder_path(value) {
                    changed = true;
                    pieces.push(format!(" {name}={path}"));
                    continue;
                }
            }
            pieces.push(piece.to_owned());
        }
        if !has_path && self.reached_by == ReachedBy::Path {
            changed = true;
            pieces.push(format!(" Path={}{}", self.prefix, self.default_path()));
        }
        changed.then(|| pieces.join(";"))
    }

    /// The default path of a cookie (RFC 6265 section 5.1.4).
    fn default_path(&self) -> &str {
        match self.upstream.path().rfind('/') {
            None | Some(0) => "/",
            Some(end) => &self.upstream.path()[..end],
        }
    }

    /// True if a cookie's `Domain` matches the upstream.
    fn is_of_upstream(&self, domain: &str) -> bool {
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        let host = self.upstream.hostname();
        host.strip_suffix(domain.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// Maps each byte to a character, so that the value can be converted back without loss.
fn text(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects(
        requested: &str,
        target: &str,
        reached_by: ReachedBy,
        base: &str,
    ) -> RedirectRewriter {
        let mut answer = HeaderMap::new();
        answer.insert(LOCATION, HeaderValue::from_static("/"));
        let mut request = HeaderMap::new();
        request.insert(HOST, HeaderValue::from_static("here:8000"));
        let uri = (&requested.parse().expect("a path"), Version::HTTP_11);
        let target = Target::from_url(target).expect("a URL");
        RedirectRewriter::of(&answer, (reached_by, base), uri, &request, &target)
            .expect("there is a location")
    }

    #[test]
    fn locations_lead_back_by_path() {
        let redirects =
            redirects("/http://Up.test:81/a/b", "http://up.test:81/a/b", ReachedBy::Path, "");
        for (location, expected) in [
            ("/x?y#z", Some("/http://Up.test:81/x?y#z")),
            ("http://up.test:81/x", Some("http://here:8000/http://Up.test:81/x")),
            ("HTTP://UP.test:81", Some("http://here:8000/http://Up.test:81/")),
            ("//up.test:81/x", Some("http://here:8000/http://Up.test:81/x")),
            ("https://up.test/x", Some("http://here:8000/https://up.test/x")),
            ("http://other.test/x", None),
            ("c?d", None),
            ("", None),
            ("mailto:a@up.test", None),
        ] {
            assert_eq!(redirects.rewritten_location(location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn locations_lead_back_to_a_fixed_target() {
        let plain = redirects("/a", "http://up.test/a", ReachedBy::Fixed, "/");
        assert_eq!(plain.rewritten_location("/x"), None);
        assert_eq!(
            plain.rewritten_location("http://up.test/x").as_deref(),
            Some("http://here:8000/x")
        );
        assert_eq!(
            plain.rewritten_location("http://up.test?x").as_deref(),
            Some("http://here:8000/?x")
        );
        assert_eq!(plain.rewritten_location("https://up.test/x"), None);
        let based = redirects("/a", "http://up.test/api/a", ReachedBy::Fixed, "/api/");
        for (location, expected) in [
            ("/api/x", Some("/x")),
            ("/api?x", Some("/?x")),
            ("/apix", None),
            ("http://up.test/api/x", Some("http://here:8000/x")),
            ("http://up.test/other", None),
        ] {
            assert_eq!(based.rewritten_location(location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn cookies_are_those_of_one_upstream() {
        let by_path =
            redirects("/http://a.up.test/b/c", "http://a.up.test/b/c", ReachedBy::Path, "");
        for (cookie, expected) in [
            ("s=1", "s=1; Path=/http://a.up.test/b"),
            ("s=1; Path=/; HttpOnly", "s=1; Path=/http://a.up.test/; HttpOnly"),
            ("s=1;path=/x;Domain=.UP.test", "s=1; path=/http://a.up.test/x"),
            ("s=1; Domain=p.test; Path=", "s=1; Domain=p.test; Path=; Path=/http://a.up.test/b"),
        ] {
            assert_eq!(by_path.rewritten_cookie(cookie).as_deref(), Some(expected), "{cookie}");
        }
        let fixed = redirects("/a", "http://up.test/api/a", ReachedBy::Fixed, "/api");
        for (cookie, expected) in [
            ("s=1; Domain=up.test; Path=/api/x", Some("s=1; Path=/x")),
            ("s=1; Path=/api", Some("s=1; Path=/")),
            ("s=1; Path=/", None),
            ("domain=up.test", None),
        ] {
            assert_eq!(fixed.rewritten_cookie(cookie).as_deref(), expected, "{cookie}");
        }
    }

    #[test]
    fn bytes_beyond_text_stay() {
        let redirects = redirects("/http://up.test/", "http://up.test/", ReachedBy::Path, "");
        let mut headers = HeaderMap::new();
        headers.insert(SET_COOKIE, HeaderValue::from_bytes(b"s=\xe9; Path=/").expect("a value"));
        redirects.apply(&mut headers);
        assert_eq!(headers[SET_COOKIE].as_bytes(), b"s=\xe9; Path=/http://up.test/");
    }
}
