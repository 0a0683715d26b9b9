//! Secrets in query strings and form bodies.

use std::borrow::Cow;

use percent_encoding::utf8_percent_encode;

use super::super::key::QUERY;
use super::{Found, Redactor, note};

impl Redactor {
    /// `name=value&…` with the secret values replaced; `None` where there are none.
    pub(super) fn query_string(&self, text: &str, found: &mut Found) -> Option<String> {
        let mut changed = false;
        let pairs: Vec<Cow<'_, str>> = text
            .split('&')
            .map(|pair| {
                let Some((name, _)) = pair.split_once('=') else { return Cow::Borrowed(pair) };
                let Some((decoded, value)) = form_urlencoded::parse(pair.as_bytes()).next() else {
                    return Cow::Borrowed(pair);
                };
                if !self.names.is_secret(decoded.as_bytes()) {
                    return Cow::Borrowed(pair);
                }
                let hidden = self.hide(&decoded, &value);
                if hidden == value {
                    return Cow::Borrowed(pair);
                }
                changed = true;
                note(&decoded, found);
                Cow::Owned(format!("{name}={}", utf8_percent_encode(&hidden, QUERY)))
            })
            .collect();
        changed.then(|| pairs.join("&"))
    }
}

/// True of a body that can be read as a form though nothing says that it is one.
pub(super) fn looks_like_form(bytes: &[u8]) -> bool {
    !matches!(bytes.first(), Some(b'{' | b'[' | b'<' | b'"'))
        && bytes.contains(&b'=')
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'"')
}
