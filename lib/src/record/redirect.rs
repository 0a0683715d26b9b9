//! Redirects and cookies of an upstream, which lead back through the recorder.
//!
//! A client that follows `Location: http://upstream/next` would leave the recorder, and a cookie with
//! `Domain=upstream` would be thrown away. Both are changed for the client; the record keeps them as they came.

use http::header::{HOST, HeaderMap, HeaderValue, LOCATION, SET_COOKIE};
use http::{Uri, Version};

use super::route::Lead;
use crate::net::Target;

/// How an upstream is reached through the recorder.
#[derive(Debug)]
pub(super) struct Redirects {
    upstream: Target,
    /// Scheme and host of the recorder, as the client has them; empty where it sent none.
    here: String,
    /// What stands before the upstream's paths here: `/http://upstream` in path routing.
    prefix: String,
    /// What stands before the paths of requests there: that of `--target`.
    base: String,
    lead: Lead,
}

impl Redirects {
    /// For the answer of `target` to a request for `asked` with these headers; `None` where nothing is to be changed.
    pub(super) fn of(
        answer: &HeaderMap,
        (lead, base): (Lead, &str),
        (asked, version): (&Uri, Version),
        request: &HeaderMap,
        target: &Target,
    ) -> Option<Redirects> {
        let concerned = answer.contains_key(LOCATION) || answer.contains_key(SET_COOKIE);
        if lead == Lead::Away || !concerned {
            return None;
        }
        let authority = match asked.authority() {
            Some(authority) if version >= Version::HTTP_2 => Some(authority.as_str()),
            _ => request.get(HOST).and_then(|host| host.to_str().ok()),
        };
        // As the client spelled it, since its cookies must match that.
        let prefix = match lead {
            Lead::Path => {
                let path = asked.path();
                let host = path.find("://").map_or(0, |at| at + 3);
                let end = path[host..].find('/').map_or(path.len(), |at| host + at);
                path[..end].to_owned()
            }
            Lead::Fixed | Lead::Away => String::new(),
        };
        Some(Redirects {
            upstream: target.clone(),
            here: authority.map(|host| format!("http://{host}")).unwrap_or_default(),
            prefix,
            base: base.trim_end_matches('/').to_owned(),
            lead,
        })
    }

    /// Changes the headers of an answer.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in headers.iter_mut() {
            let changed = match *name {
                LOCATION => self.location(&text(value)),
                SET_COOKIE => self.cookie(&text(value)),
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

    /// Another value for `Location`; `None` where it stays.
    fn location(&self, location: &str) -> Option<String> {
        if location.starts_with('/') && !location.starts_with("//") {
            return self.path_here(location);
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
            let path = match self.lead {
                Lead::Fixed if self.base.is_empty() => rooted,
                _ => self.path_here(&rooted)?,
            };
            return Some(format!("{}{path}", self.here));
        }
        // The same host by the other scheme, as servers lead to https.
        let same_host = found.hostname() == self.upstream.hostname();
        (self.lead == Lead::Path && same_host).then(|| format!("{}/{url}", self.here))
    }

    /// Where a path of the upstream is here; `None` where it is the same, or nowhere.
    fn path_here(&self, path: &str) -> Option<String> {
        match self.lead {
            Lead::Path => Some(format!("{}{path}", self.prefix)),
            Lead::Fixed if !self.base.is_empty() => {
                let rest = path.strip_prefix(&self.base)?;
                match rest.chars().next() {
                    None | Some('?' | '#') => Some(format!("/{rest}")),
                    Some('/') => Some(rest.to_owned()),
                    Some(_) => None,
                }
            }
            Lead::Fixed | Lead::Away => None,
        }
    }

    /// Another value for `Set-Cookie`; `None` where it stays.
    fn cookie(&self, cookie: &str) -> Option<String> {
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
                if let Some(path) = self.path_here(value) {
                    changed = true;
                    pieces.push(format!(" {name}={path}"));
                    continue;
                }
            }
            pieces.push(piece.to_owned());
        }
        if !has_path && self.lead == Lead::Path {
            changed = true;
            pieces.push(format!(" Path={}{}", self.prefix, self.default_path()));
        }
        changed.then(|| pieces.join(";"))
    }

    /// The path of a cookie that names none (RFC 6265 section 5.1.4).
    fn default_path(&self) -> &str {
        match self.upstream.path().rfind('/') {
            None | Some(0) => "/",
            Some(end) => &self.upstream.path()[..end],
        }
    }

    /// True where a cookie's `Domain` covers the upstream.
    fn is_of_upstream(&self, domain: &str) -> bool {
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        let host = self.upstream.hostname();
        host.strip_suffix(domain.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// Each byte as a character, so that all of them come back the same.
fn text(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirects(asked: &str, target: &str, lead: Lead, base: &str) -> Redirects {
        let mut answer = HeaderMap::new();
        answer.insert(LOCATION, HeaderValue::from_static("/"));
        let mut request = HeaderMap::new();
        request.insert(HOST, HeaderValue::from_static("here:8000"));
        let uri = (&asked.parse().expect("a path"), Version::HTTP_11);
        let target = Target::from_url(target).expect("a URL");
        Redirects::of(&answer, (lead, base), uri, &request, &target).expect("there is a location")
    }

    #[test]
    fn locations_lead_back_by_path() {
        let redirects =
            redirects("/http://Up.test:81/a/b", "http://up.test:81/a/b", Lead::Path, "");
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
            assert_eq!(redirects.location(location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn locations_lead_back_to_a_fixed_target() {
        let plain = redirects("/a", "http://up.test/a", Lead::Fixed, "/");
        assert_eq!(plain.location("/x"), None);
        assert_eq!(plain.location("http://up.test/x").as_deref(), Some("http://here:8000/x"));
        assert_eq!(plain.location("http://up.test?x").as_deref(), Some("http://here:8000/?x"));
        assert_eq!(plain.location("https://up.test/x"), None);
        let based = redirects("/a", "http://up.test/api/a", Lead::Fixed, "/api/");
        for (location, expected) in [
            ("/api/x", Some("/x")),
            ("/api?x", Some("/?x")),
            ("/apix", None),
            ("http://up.test/api/x", Some("http://here:8000/x")),
            ("http://up.test/other", None),
        ] {
            assert_eq!(based.location(location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn cookies_are_those_of_one_upstream() {
        let by_path = redirects("/http://a.up.test/b/c", "http://a.up.test/b/c", Lead::Path, "");
        for (cookie, expected) in [
            ("s=1", "s=1; Path=/http://a.up.test/b"),
            ("s=1; Path=/; HttpOnly", "s=1; Path=/http://a.up.test/; HttpOnly"),
            ("s=1;path=/x;Domain=.UP.test", "s=1; path=/http://a.up.test/x"),
            ("s=1; Domain=p.test; Path=", "s=1; Domain=p.test; Path=; Path=/http://a.up.test/b"),
        ] {
            assert_eq!(by_path.cookie(cookie).as_deref(), Some(expected), "{cookie}");
        }
        let fixed = redirects("/a", "http://up.test/api/a", Lead::Fixed, "/api");
        for (cookie, expected) in [
            ("s=1; Domain=up.test; Path=/api/x", Some("s=1; Path=/x")),
            ("s=1; Path=/api", Some("s=1; Path=/")),
            ("s=1; Path=/", None),
            ("domain=up.test", None),
        ] {
            assert_eq!(fixed.cookie(cookie).as_deref(), expected, "{cookie}");
        }
    }

    #[test]
    fn bytes_beyond_text_stay() {
        let redirects = redirects("/http://up.test/", "http://up.test/", Lead::Path, "");
        let mut headers = HeaderMap::new();
        headers.insert(SET_COOKIE, HeaderValue::from_bytes(b"s=\xe9; Path=/").expect("a value"));
        redirects.apply(&mut headers);
        assert_eq!(headers[SET_COOKIE].as_bytes(), b"s=\xe9; Path=/http://up.test/");
    }
}
