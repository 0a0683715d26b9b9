//! Secrets in headers, cookies, paths and URLs.

use std::borrow::Cow;

use super::super::pairs::Pairs;
use super::names::NameKind;
use super::shapes::shape_at;
use super::traces;
use super::{Found, Redactor};

/// Headers whose value is one URL.
const URLS: &[&str] = &["location", "content-location", "referer"];
/// Headers whose syntax has no space for a secret, and which most messages have.
const HARMLESS: &[&str] = &[
    "accept-encoding",
    "accept-ranges",
    "age",
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "expires",
    "last-modified",
    "transfer-encoding",
];
/// A shorter value can hold neither a known shape nor a query.
const SHORT: usize = 6;

/// Minimum length of the value of a cookie without a name; a shorter one is a flag.
const NAMELESS: usize = 8;
/// Minimum length of a token in a subprotocol of a WebSocket.
const TOKEN: usize = 12;
/// The subprotocol in which clients of Kubernetes send a token.
const KUBERNETES: &str = "base64url.bearer.authorization.k8s.io.";

impl Redactor {
    pub(super) fn headers(&self, headers: &mut Pairs<'_>, found: &mut Found) {
        for (name, value) in headers {
            if let Some(hidden) = self.header(name, value, found) {
                *value = Cow::Owned(hidden);
            }
        }
    }

    /// The value of a header with its secrets replaced; `None` if there are none.
    pub(super) fn header(&self, name: &str, value: &str, found: &mut Found) -> Option<String> {
        if HARMLESS.contains(&name) && !self.names.are_added() && self.values.is_empty() {
            return None;
        }
        let rule = self.names.rule(name.as_bytes(), NameKind::Other);
        if rule.is_none() && (value.len() < SHORT || self.names.is_kept(name.as_bytes())) {
            return None;
        }
        match rule {
            Some(rule) => {
                let hidden = self.hide(name, rule, value)?;
                found.at(&format!(".{name}"));
                found.note(name);
                Some(hidden)
            }
            None if name.eq_ignore_ascii_case("sec-websocket-protocol") => {
                found.at(&format!(".{name}"));
                let hidden = self.subprotocols(value, found);
                let rest = hidden.as_deref().unwrap_or(value);
                self.inside(rest, found, 0).or(hidden)
            }
            None if URLS.iter().any(|url| name.eq_ignore_ascii_case(url)) => {
                found.at(&format!(".{name}"));
                self.url(value, found, 0)
            }
            None => {
                if traces::candidates(value.as_bytes(), &self.names).is_empty()
                    && self.values.is_empty()
                {
                    return None;
                }
                found.at(&format!(".{name}"));
                self.inside(value, found, 0)
            }
        }
    }

    /// The subprotocols of a WebSocket. Browsers cannot send other headers with its request, so
    /// clients put credentials there: `Bearer.TOKEN`, or `access_token, TOKEN`.
    fn subprotocols(&self, value: &str, found: &mut Found) -> Option<String> {
        let is_name = |name: &str| self.names.rule(name.as_bytes(), NameKind::Other).is_some();
        let is_token = |text: &str| {
            text.len() >= TOKEN && text.bytes().any(|byte| byte.is_ascii_digit() || byte == b'_')
                || text.len() >= 2 * TOKEN
        };
        let mut is_named = false;
        let mut changed = false;
        let parts: Vec<Cow<'_, str>> = value
            .split(',')
            .map(|part| {
                let bare = part.trim();
                let start = part.len() - part.trim_start().len();
                let secret = match bare.strip_prefix(KUBERNETES) {
                    Some(token) => Some(token),
                    None if is_named && is_token(bare) => Some(bare),
                    None => bare
                        .split_once('.')
                        .filter(|(name, token)| is_name(name) && is_token(token))
                        .map(|(_, token)| token),
                };
                is_named = is_name(bare);
                let Some(secret) = secret.filter(|secret| !super::is_pseudonym(secret)) else {
                    return Cow::Borrowed(part);
                };
                changed = true;
                found.note("bearer");
                let end = start + bare.len();
                let before = &part[..end - secret.len()];
                Cow::Owned(format!("{before}{}{}", self.pseudonym(secret), &part[end..]))
            })
            .collect();
        changed.then(|| parts.join(","))
    }

    /// Replaces all cookies of the header.
    pub(super) fn cookies(&self, header: &str) -> String {
        header.split(';').map(|pair| self.cookie(pair)).collect::<Vec<_>>().join(";")
    }

    /// Redacts `name=value`. In `set-cookie`, the attributes after it stay.
    pub(super) fn cookie(&self, cookie: &str) -> String {
        let end = cookie.find(';').unwrap_or(cookie.len());
        let Some(equals) = cookie[..end].find('=') else {
            // A cookie without a name (RFC 6265bis, 5.7).
            let text = &cookie[..end];
            let bare = text.trim();
            if bare.len() < NAMELESS {
                return cookie.to_owned();
            }
            let start = text.len() - text.trim_start().len();
            let behind = &cookie[start + bare.len()..];
            return format!("{}{}{behind}", &cookie[..start], self.pseudonym(bare));
        };
        let name = cookie[..equals].trim();
        if self.names.is_kept(name.as_bytes()) {
            return cookie.to_owned();
        }
        // Quotes are part of the notation, so a secret has the same pseudonym with and without
        // them.
        let around = |c: char| matches!(c, ' ' | '\t' | '"');
        let value = cookie[equals + 1..end].trim_end_matches(around);
        let bare = value.trim_start_matches(around);
        let start = equals + 1 + value.len() - bare.len();
        let behind = &cookie[start + bare.len()..];
        format!("{}{}{behind}", &cookie[..start], self.pseudonym(bare))
    }

    /// The URL with replaced password, path tokens, and secret query and fragment values.
    pub(super) fn url(&self, url: &str, found: &mut Found, depth: usize) -> Option<String> {
        let end = url.find(['?', '#']).unwrap_or(url.len());
        let mut hidden = match self.shapes(&url[..end], found) {
            Some(mut start) => {
                start.push_str(&url[end..]);
                start
            }
            None => url.to_owned(),
        };
        for (mark, stop) in [('?', Some('#')), ('#', None)] {
            let Some(start) = hidden.find(mark).map(|at| at + 1) else { continue };
            let rest = &hidden[start..];
            let end = stop.and_then(|stop| rest.find(stop)).unwrap_or(rest.len());
            // Single-page applications put a path and a query into the fragment.
            let skip = if mark == '#' { rest[..end].find('?').map_or(0, |at| at + 1) } else { 0 };
            if let Some(query) = self.query_string(&rest[skip..end], NameKind::Query, found, depth)
            {
                hidden.replace_range(start + skip..start + end, &query);
            }
        }
        if let Some(bytes) = self.by_value(hidden.as_bytes(), found) {
            hidden = String::from_utf8_lossy(&bytes).into_owned();
        }
        (hidden != url).then_some(hidden)
    }

    /// A path with its tokens and its parameters (`;jsessionid=…`) replaced.
    pub(super) fn path(&self, path: &str, found: &mut Found) -> Option<String> {
        found.part = "request.path";
        found.at("");
        let shaped = self.shapes(path, found);
        let text = shaped.as_deref().unwrap_or(path);
        let parameters = self.path_parameters(text, found);
        let text = parameters.as_deref().unwrap_or(text);
        let by_value = self
            .by_value(text.as_bytes(), found)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        by_value.or(parameters).or(shaped)
    }

    /// `/a;jsessionid=1` with the secret values replaced.
    fn path_parameters(&self, path: &str, found: &mut Found) -> Option<String> {
        memchr::memchr(b';', path.as_bytes())?;
        let mut changed = false;
        let parts: Vec<Cow<'_, str>> = path
            .split_inclusive([';', '/'])
            .map(|part| {
                let bare = part.trim_end_matches([';', '/']);
                let Some((name, value)) = bare.split_once('=') else { return Cow::Borrowed(part) };
                let Some(rule) = self.names.rule(name.as_bytes(), NameKind::Other) else {
                    return Cow::Borrowed(part);
                };
                let Some(hidden) = self.hide(name, rule, value) else { return Cow::Borrowed(part) };
                changed = true;
                found.note(name);
                Cow::Owned(format!("{name}={hidden}{}", &part[bare.len()..]))
            })
            .collect();
        changed.then(|| parts.concat())
    }

    /// A text without syntax, in which only shapes are searched.
    fn shapes(&self, text: &str, found: &mut Found) -> Option<String> {
        if text.len() < 16 && memchr::memchr(b'@', text.as_bytes()).is_none() {
            return None;
        }
        let candidates = traces::candidates(text.as_bytes(), &self.names);
        let mut out = String::new();
        let mut copied = 0;
        for at in candidates.places {
            let Some(shape) = self.shape(text.as_bytes(), at) else { continue };
            if shape.secret.start < copied || !text.is_char_boundary(shape.secret.end) {
                continue;
            }
            out.push_str(&text[copied..shape.secret.start]);
            out.push_str(&self.pseudonym(&text[shape.secret.clone()]));
            copied = shape.secret.end;
            found.note(shape.kind);
        }
        (copied > 0).then(|| out + &text[copied..])
    }

    /// The shape at a candidate position, which may also be the password before an `@`.
    pub(super) fn shape(&self, text: &[u8], at: usize) -> Option<super::shapes::SecretShape> {
        shape_at(text, at).or_else(|| {
            let sign = at + memchr::memchr(b'@', text.get(at..text.len().min(at + 512))?)?;
            // The last `@` before the host ends the password.
            let end = text[sign..]
                .iter()
                .position(|byte| {
                    matches!(byte, b'/' | b'?' | b'#' | b'"') || byte.is_ascii_whitespace()
                })
                .map_or(text.len(), |length| sign + length);
            let sign = sign + memchr::memrchr(b'@', &text[sign..end]).unwrap_or(0);
            shape_at(text, sign).filter(|shape| shape.secret.start == at)
        })
    }
}
