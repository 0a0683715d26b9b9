//! Replaces secrets with keyed pseudonyms before a record leaves memory.
//!
//! The same secret becomes the same pseudonym under one user's key, so that a replay still matches,
//! and nobody without the key can test a guess. All other bytes stay unchanged.
//!
//! * [`table`]: the names of secrets and the published formats of keys; [`names`] and [`words`]
//!   match names, and [`shapes`] matches texts.
//! * [`traces`]: the fast search that rules out most bodies, with the words that [`scan`] finds.
//! * [`document`] determines the kind of a text; [`json`], [`form`], [`markup`], [`multipart`],
//!   [`message`], [`csv`] and [`text`] read each kind.
//! * [`found`]: what was replaced, for the record and for people.

mod csv;
mod document;
mod edits;
mod form;
mod found;
mod headers;
mod json;
mod key;
mod markup;
mod message;
mod mode;
mod multipart;
mod names;
mod pair;
mod pseudonym;
mod scan;
mod shapes;
mod shown;
mod table;
mod text;
mod traces;
mod words;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use parking_lot::Mutex;
use regex::bytes::Regex;
use sha2::Sha256;

pub use found::Replaced;
pub use key::{KeyError, default_key_path, load_or_create_key, random_key};
pub use names::{RedactError, is_secret_name};
pub use pseudonym::{has_pseudonym, is_pseudonym};
pub use shown::shown_text;

use super::model::{Body, Exchange, header};
use super::pairs::{BytePairs, Pairs};
use found::Found;
use names::{NameMatcher, Rule, SecretPointer};
use pseudonym::MARK;

/// Replaces secrets.
pub struct Redactor {
    mac: Hmac<Sha256>,
    names: NameMatcher,
    pointers: Vec<SecretPointer>,
    values: Vec<Regex>,
    replaced: Mutex<Replaced>,
}

/// What to treat as a secret in addition to the table, and what to keep.
#[derive(Clone, Debug, Default)]
pub struct RedactOptions {
    /// Names or patterns (`*`, `?`) of headers, cookies, query, form and JSON keys.
    pub add: Vec<String>,
    /// JSON pointers into bodies; `*` as a segment matches every key or index.
    pub add_json: Vec<String>,
    /// Regular expressions for values. The first group is the secret, or the whole match without a
    /// group.
    pub add_value: Vec<String>,
    /// Names or patterns that are never secret.
    pub keep: Vec<String>,
}

impl Redactor {
    /// A redactor with the user's key.
    ///
    /// # Errors
    /// An invalid pointer or regular expression, or patterns that are too large to compile.
    pub fn new(key: &[u8; 32], options: &RedactOptions) -> Result<Redactor, RedactError> {
        let mac = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        let value = |text: &String| {
            Regex::new(text).map_err(|error| {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                RedactError::Value(text.clone(), why.to_owned())
            })
        };
        Ok(Redactor {
            mac,
            names: NameMatcher::new(&options.add, &options.keep)?,
            pointers: options
                .add_json
                .iter()
                .map(|pointer| SecretPointer::parse(pointer))
                .collect::<Result<_, _>>()?,
            values: options.add_value.iter().map(value).collect::<Result<_, _>>()?,
            replaced: Mutex::default(),
        })
    }

    /// The pseudonym of a secret: `hmt~` and 22 characters. An empty text and a pseudonym stay
    /// unchanged.
    pub fn pseudonym(&self, secret: &str) -> String {
        if secret.is_empty() || is_pseudonym(secret) {
            return secret.to_owned();
        }
        self.pseudonym_of_bytes(secret.as_bytes())
    }

    fn pseudonym_of_bytes(&self, secret: &[u8]) -> String {
        format!("{MARK}{}", URL_SAFE_NO_PAD.encode(&self.digest(secret)[..16]))
    }

    fn digest(&self, secret: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(secret);
        mac.finalize().into_bytes().into()
    }

    /// Another integer with the same number of digits, always the same for the same input. `None`
    /// for other numbers.
    pub fn integer(&self, number: &str) -> Option<String> {
        let (sign, digits) = match number.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", number),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut input = number.as_bytes().to_vec();
        loop {
            let mut made = String::with_capacity(number.len());
            made.push_str(sign);
            let mut block = self.digest(&input);
            for index in 0..digits.len() {
                if index > 0 && index % block.len() == 0 {
                    block = self.digest(&block);
                }
                let byte = block[index % block.len()];
                // An integer with several digits has no leading zero.
                let digit = if index == 0 && digits.len() > 1 { 1 + byte % 9 } else { byte % 10 };
                made.push(char::from(b'0' + digit));
            }
            if made != number {
                return Some(made);
            }
            input.push(b'+');
        }
    }

    /// Replaces the secrets of an exchange and lists their locations in [`super::Meta::redacted`].
    pub fn apply(&self, exchange: &mut Exchange<'_>) {
        let mut found = Found::new(&exchange.meta.redacted);
        let request = &mut exchange.request;
        found.part = "request.header";
        self.headers(&mut request.headers, &mut found);
        if let Some(path) = self.path(&request.pathname, &mut found) {
            request.pathname = Cow::Owned(path);
        }
        found.part = "request.query";
        self.pairs(&mut request.query, &mut found);
        request.hide_in_wire_query();
        found.part = "request.body";
        self.body(&mut request.body, &request.headers, &mut found);
        if let Some(response) = &mut exchange.response {
            found.part = "response.header";
            self.headers(&mut response.headers, &mut found);
            found.part = "response.body";
            self.body(&mut response.body, &response.headers, &mut found);
        }
        let meta = &mut exchange.meta;
        forget_hidden(&mut meta.request_header_bytes, &request.headers);
        if let Some(response) = &exchange.response {
            forget_hidden(&mut meta.response_header_bytes, &response.headers);
        }
        found.part = "request.trailer";
        self.headers(&mut meta.request_trailers, &mut found);
        found.part = "response.trailer";
        self.headers(&mut meta.trailers, &mut found);
        if found.is_empty() {
            return;
        }
        self.replaced.lock().add(&found);
        exchange.meta.redacted = found.into_places().into_iter().map(Cow::Owned).collect();
    }

    /// The secrets replaced so far, by part and name.
    pub fn replaced(&self) -> Replaced {
        self.replaced.lock().clone()
    }

    /// The replaced value of a secret name; `None` if it stays. A scheme before it (`Bearer `) and
    /// the names of cookies stay.
    fn hide(&self, name: &str, rule: Rule, value: &str) -> Option<String> {
        if name.eq_ignore_ascii_case("cookie") {
            return Some(self.cookies(value)).filter(|hidden| hidden != value);
        }
        if name.eq_ignore_ascii_case("set-cookie") {
            return Some(self.cookie(value)).filter(|hidden| hidden != value);
        }
        // `access-control-allow-credentials: true` has a secret name but no secret.
        if value.trim().is_empty()
            || matches!(value, "true" | "false" | "null")
            || rule.counts && is_count(value)
        {
            return None;
        }
        let hidden = match shapes::scheme(name, value) {
            Some(length) => format!("{}{}", &value[..length], self.pseudonym(&value[length..])),
            None => self.pseudonym(value),
        };
        (hidden != value).then_some(hidden)
    }

    fn body(&self, body: &mut Body<'_>, headers: &Pairs<'_>, found: &mut Found) {
        if body.is_empty() {
            return;
        }
        let media_type = header(headers, "content-type").unwrap_or_default();
        found.at("");
        if let Some(hidden) = self.document(body.as_bytes(), media_type, found, 0) {
            *body = Body::from_bytes(hidden);
        }
    }
}

/// Removes the bytes of header values whose text was replaced.
fn forget_hidden(bytes: &mut BytePairs<'_>, headers: &Pairs<'_>) {
    bytes.retain(|(name, value)| {
        let text: String = value.iter().map(|byte| char::from(*byte)).collect();
        headers.iter().any(|(known, value)| known == name && *value == text)
    });
}

/// True for a number such as `12`, `1,234` or `0.5`.
fn is_count(value: &str) -> bool {
    let value = value.trim();
    value.len() <= 20
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'_' | b'-' | b'+'))
}

#[cfg(test)]
mod places;
#[cfg(test)]
mod tests;
