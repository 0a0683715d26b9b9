//! Replaces secrets by keyed pseudonyms before a record leaves memory (CLI.md section 4).
//!
//! The same secret becomes the same pseudonym under one user's key, so that a replay still matches, and nobody
//! without the key can test a guess. Everything that is no secret stays as it is, byte for byte.

mod form;
mod headers;
mod json;
mod key;
mod multipart;
mod names;
mod text;
mod traces;

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde::de::IgnoredAny;
use sha2::Sha256;

pub use key::{KeyError, default_key_path, load_or_create_key};
pub use names::{RedactError, is_secret_name};

use super::model::{Body, Exchange, Pairs, header};
use names::{Names, Pointer};

/// What every pseudonym begins with.
const MARK: &str = "hmt~";
/// Characters of base64url behind the mark: 16 bytes of the HMAC.
const LENGTH: usize = 22;
/// How many names `meta.hmt.redacted` lists; a body can have any number of them.
const LISTED: usize = 64;

/// Replaces secrets.
pub struct Redactor {
    mac: Hmac<Sha256>,
    names: Names,
    pointers: Vec<Pointer>,
}

/// What to treat as secret beyond the built-in names, and what not.
#[derive(Clone, Debug, Default)]
pub struct RedactOptions {
    /// Names or patterns (`*`, `?`) of headers, cookies, query, form and JSON keys.
    pub add: Vec<String>,
    /// JSON pointers into bodies; `*` as a part stands for every key or index.
    pub add_json: Vec<String>,
    /// Names or patterns that are no secrets, whatever else says so.
    pub keep: Vec<String>,
}

/// The names found secret in an exchange.
type Found = BTreeSet<String>;

impl Redactor {
    /// A redactor with the user's key.
    ///
    /// # Errors
    /// A pointer that is none, or patterns too large to compile.
    pub fn new(key: &[u8; 32], options: &RedactOptions) -> Result<Redactor, RedactError> {
        let mac = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        Ok(Redactor {
            mac,
            names: Names::new(&options.add, &options.keep)?,
            pointers: options
                .add_json
                .iter()
                .map(|pointer| Pointer::parse(pointer))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The pseudonym of a secret: `hmt~` and 22 characters. Nothing stays nothing, and a pseudonym itself.
    pub fn pseudonym(&self, secret: &str) -> String {
        if secret.is_empty() || is_pseudonym(secret) {
            return secret.to_owned();
        }
        self.pseudonym_of_bytes(secret.as_bytes())
    }

    fn pseudonym_of_bytes(&self, secret: &[u8]) -> String {
        let mut mac = self.mac.clone();
        mac.update(secret);
        let digest = mac.finalize().into_bytes();
        format!("{MARK}{}", URL_SAFE_NO_PAD.encode(&digest[..16]))
    }

    /// Replaces the secrets of an exchange and lists their names in [`super::Meta::redacted`].
    pub fn apply(&self, exchange: &mut Exchange<'_>) {
        let mut found = Found::new();
        let request = &mut exchange.request;
        self.headers(&mut request.headers, &mut found);
        for (name, value) in &mut request.query {
            if self.names.is_secret(name.as_bytes()) {
                let hidden = self.hide(name, value);
                replace(value, hidden, name, &mut found);
            }
        }
        request.hide_in_wire_query();
        self.body(&mut request.body, &request.headers, &mut found);
        if let Some(response) = &mut exchange.response {
            self.headers(&mut response.headers, &mut found);
            self.body(&mut response.body, &response.headers, &mut found);
        }
        self.headers(&mut exchange.meta.request_trailers, &mut found);
        self.headers(&mut exchange.meta.trailers, &mut found);
        if !found.is_empty() {
            found.extend(exchange.meta.redacted.drain(..).map(Cow::into_owned));
            exchange.meta.redacted = found.into_iter().take(LISTED).map(Cow::Owned).collect();
        }
    }

    /// The value with its secret replaced; a scheme in front of it (`Bearer `) stays.
    fn hide(&self, name: &str, value: &str) -> String {
        // `access-control-allow-credentials: true` has the name of a secret, and is none.
        if matches!(value, "true" | "false") {
            return value.to_owned();
        }
        match headers::scheme(name, value) {
            Some(length) => {
                format!("{}{}", &value[..length], self.pseudonym(&value[length..]))
            }
            None => self.pseudonym(value),
        }
    }

    fn body(&self, body: &mut Body<'_>, headers: &Pairs<'_>, found: &mut Found) {
        let media_type = header(headers, "content-type").unwrap_or_default();
        let is_text = matches!(body, Body::Text(_));
        if let Some(hidden) = self.bytes(body.as_bytes(), media_type, is_text, found) {
            *body = Body::from_bytes(hidden);
        }
    }

    /// The body with its secrets replaced; `None` where it has none.
    fn bytes(
        &self,
        bytes: &[u8],
        media_type: &str,
        is_text: bool,
        found: &mut Found,
    ) -> Option<Vec<u8>> {
        if bytes.is_empty() {
            return None;
        }
        let media_type = media_type.trim();
        let is = |name: &str| {
            media_type.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        if is("multipart/form-data") {
            return self.multipart(bytes, media_type, found);
        }
        let untyped = media_type.is_empty() || is("text/plain");
        if is("application/x-www-form-urlencoded") || untyped && form::looks_like_form(bytes) {
            let text = String::from_utf8_lossy(bytes);
            return self.query_string(&text, found).map(String::into_bytes);
        }
        let json = media_type.as_bytes().windows(4).any(|part| part.eq_ignore_ascii_case(b"json"));
        if !is_text && !json && !is("text/") && !untyped {
            return None;
        }
        if self.pointers.is_empty() && !self.names.may_occur(bytes) {
            return None;
        }
        match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => self.json(bytes, found),
            // Cut short, but right as far as it goes.
            Err(error) if error.is_eof() => self.json(bytes, found),
            Err(_) => self.text(bytes, found),
        }
    }
}

/// Puts the replacement in and notes the name, unless nothing changes.
fn replace(value: &mut Cow<'_, str>, hidden: String, name: &str, found: &mut Found) {
    if hidden != *value {
        *value = Cow::Owned(hidden);
        note(name, found);
    }
}

fn note(name: &str, found: &mut Found) {
    if found.len() < LISTED {
        found.insert(name.to_ascii_lowercase());
    }
}

/// True of what [`Redactor::pseudonym`] makes.
pub fn is_pseudonym(text: &str) -> bool {
    text.strip_prefix(MARK).is_some_and(|rest| {
        rest.len() == LENGTH
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    })
}

#[cfg(test)]
mod tests;
