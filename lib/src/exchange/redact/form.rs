//! Secrets in query strings and form bodies.

use std::borrow::Cow;

use percent_encoding::utf8_percent_encode;

use super::super::pairs::Pairs;
use super::super::query::QUERY;
use super::names::{NameKind, Rule};
use super::table::{OAUTH_MARKS, OAUTH_SECRETS};
use super::{Found, Redactor};

/// Minimum length of an authorization code: `code=200` next to a `state` is not an OAuth message.
const CODE: usize = 8;

/// True for the fields of an OAuth 2.0 message.
fn is_oauth<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>) -> bool {
    let (mut state, mut code) = (false, false);
    for (name, value) in fields {
        if OAUTH_MARKS.contains(&name) {
            return true;
        }
        state |= name == "state";
        code |= name == "code" && value.len() >= CODE;
    }
    state && code
}

impl Redactor {
    /// Decoded pairs of a query, with the secret values replaced.
    pub(super) fn pairs(&self, pairs: &mut Pairs<'_>, found: &mut Found) {
        if pairs.is_empty() {
            return;
        }
        let oauth = is_oauth(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
        for (name, value) in pairs {
            found.at(&format!(".{name}"));
            if let Some(hidden) = self.field(name, value, NameKind::Query, oauth, found, 0) {
                *value = Cow::Owned(hidden);
            }
        }
    }

    /// The replaced value of a field; `None` if it stays.
    fn field(
        &self,
        name: &str,
        value: &str,
        kind: NameKind,
        oauth: bool,
        found: &mut Found,
        depth: usize,
    ) -> Option<String> {
        if value.is_empty() {
            return None;
        }
        let of_oauth = || {
            let is = oauth && OAUTH_SECRETS.contains(&name) && !self.names.is_kept(name.as_bytes());
            is.then_some(Rule::PLAIN)
        };
        match self.names.rule(name.as_bytes(), kind).or_else(of_oauth) {
            Some(rule) => {
                let hidden = self.hide(name, rule, value)?;
                found.note(name);
                Some(hidden)
            }
            None if self.names.is_kept(name.as_bytes()) => None,
            None => self.inside(value, found, depth + 1),
        }
    }

    /// `name=value&…` with the secret values replaced; `None` if there are none.
    pub(super) fn query_string(
        &self,
        text: &str,
        kind: NameKind,
        found: &mut Found,
        depth: usize,
    ) -> Option<String> {
        let fields: Vec<(Cow<'_, str>, Cow<'_, str>)> =
            form_urlencoded::parse(text.as_bytes()).collect();
        let oauth = is_oauth(fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
        let mut changed = false;
        let pairs: Vec<Cow<'_, str>> = text
            .split('&')
            .map(|pair| {
                let Some((name, _)) = pair.split_once('=') else { return Cow::Borrowed(pair) };
                let Some((decoded, value)) = form_urlencoded::parse(pair.as_bytes()).next() else {
                    return Cow::Borrowed(pair);
                };
                if depth == 0 && found.part.ends_with(".body") {
                    found.at(&format!("#/{}", decoded.replace('~', "~0").replace('/', "~1")));
                }
                match self.field(&decoded, &value, kind, oauth, found, depth) {
                    Some(hidden) => {
                        changed = true;
                        Cow::Owned(format!("{name}={}", utf8_percent_encode(&hidden, QUERY)))
                    }
                    None => Cow::Borrowed(pair),
                }
            })
            .collect();
        changed.then(|| pairs.join("&"))
    }
}

/// True for a body that can be read as a form without a declared type.
pub(super) fn looks_like_form(bytes: &[u8]) -> bool {
    !matches!(bytes.first(), Some(b'{' | b'[' | b'<' | b'"' | b'-'))
        && bytes.contains(&b'=')
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'"')
}
