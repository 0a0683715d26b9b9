//! Secrets in headers: whole values, cookies, and URLs.

use std::borrow::Cow;

use super::super::model::Pairs;
use super::{Found, Redactor, note, replace};

/// Headers whose value is a URL.
const URLS: &[&str] = &["location", "content-location", "referer"];

impl Redactor {
    pub(super) fn headers(&self, headers: &mut Pairs<'_>, found: &mut Found) {
        for (name, value) in headers {
            let secret = self.names.is_secret(name.as_bytes());
            let hidden = match name.as_ref() {
                "cookie" => self.cookies(value, secret),
                "set-cookie" => self.cookie(value, secret),
                _ if secret => self.hide(name, value),
                url if URLS.contains(&url) => {
                    // The names noted are those within the URL.
                    if let Some(hidden) = self.url(value, found) {
                        *value = Cow::Owned(hidden);
                    }
                    continue;
                }
                _ => continue,
            };
            replace(value, hidden, name, found);
        }
    }

    fn cookies(&self, header: &str, secret: bool) -> String {
        header.split(';').map(|pair| self.cookie(pair, secret)).collect::<Vec<_>>().join(";")
    }

    /// `name=value` and, in `set-cookie`, the attributes behind it, which stay.
    fn cookie(&self, cookie: &str, secret: bool) -> String {
        let end = cookie.find(';').unwrap_or(cookie.len());
        let Some(equals) = cookie[..end].find('=') else {
            return cookie.to_owned();
        };
        let name = cookie[..equals].trim();
        let is_secret =
            self.names.is_secret(name.as_bytes()) || secret && !self.names.is_kept(name.as_bytes());
        if !is_secret {
            return cookie.to_owned();
        }
        // Quotes belong to the notation, so that the secret has one pseudonym with and without them.
        let around = |c: char| matches!(c, ' ' | '\t' | '"');
        let value = cookie[equals + 1..end].trim_end_matches(around);
        let bare = value.trim_start_matches(around);
        let start = equals + 1 + value.len() - bare.len();
        let behind = &cookie[start + bare.len()..];
        format!("{}{}{behind}", &cookie[..start], self.pseudonym(bare))
    }

    /// The URL with its user-info and its secret query and fragment values replaced.
    pub(super) fn url(&self, url: &str, found: &mut Found) -> Option<String> {
        let mut hidden = url.to_owned();
        if let Some(scheme) = url.find("//").filter(|at| *at == 0 || url[..*at].ends_with(':')) {
            let start = scheme + 2;
            let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
            if let Some(at) = url[start..end].rfind('@') {
                hidden.replace_range(start..start + at, &self.pseudonym(&url[start..start + at]));
                note("user-info", found);
            }
        }
        for (mark, stop) in [('?', Some('#')), ('#', None)] {
            let Some(start) = hidden.find(mark).map(|at| at + 1) else { continue };
            let rest = &hidden[start..];
            let end = stop.and_then(|stop| rest.find(stop)).unwrap_or(rest.len());
            // Single-page applications put a path and a query into the fragment.
            let skip = if mark == '#' { rest[..end].find('?').map_or(0, |at| at + 1) } else { 0 };
            if let Some(query) = self.query_string(&rest[skip..end], found) {
                hidden.replace_range(start + skip..start + end, &query);
            }
        }
        (hidden != url).then_some(hidden)
    }
}

/// The length of an authentication scheme and the blanks behind it, where the value of that name has one.
pub(super) fn scheme(name: &str, value: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    let start = value.find([' ', '\t']).filter(|at| *at > 0)?;
    let scheme = &value[..start];
    let known = if name.contains("authorization") {
        scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    } else {
        name.contains("token")
            && ["bearer", "basic", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
    };
    let secret = value[start..].find(|c: char| !matches!(c, ' ' | '\t'))?;
    known.then_some(start + secret)
}
