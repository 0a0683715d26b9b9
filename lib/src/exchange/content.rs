//! Classifies bodies. Redaction, builder, validator and matcher share this rule:
//!
//! 1. The declared media type decides, and its `charset` decodes the bytes. A byte order mark wins
//!    over the charset.
//! 2. Without a declared type, or if the bytes are a JSON object or array under `text/*` or a form
//!    type, the bytes decide.
//! 3. An incompletely recorded body is not classified; callers must check this.
//!
//! The recorder has already decoded a body that is text in its record, so the charset counts only
//! if the text is not valid without it.

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::charset::{declared, encoding_of, wide};
use super::model::Body;
use super::surrogates::without_lone_surrogates;

/// The syntax of the bodies of a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// One JSON text.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Any `multipart/*`.
    Multipart,
    /// JSON Lines, JSON text sequences and event streams.
    Sequence,
    /// XML, except SVG images.
    Xml,
    /// Any other text.
    Text,
    /// Anything else.
    Binary,
}

impl Syntax {
    /// The syntax of a `type/subtype` in lower case, as [`media_type`] returns it.
    pub fn of(media: &str) -> Syntax {
        let (kind, subtype) = media.split_once('/').unwrap_or((media, ""));
        if is_json_subtype(subtype) {
            return Syntax::Json;
        }
        match (kind, subtype) {
            ("multipart", _) => Syntax::Multipart,
            ("application", "x-www-form-urlencoded") => Syntax::Form,
            (_, "event-stream" | "json-seq" | "ndjson" | "x-ndjson" | "jsonl" | "x-jsonl")
            | (_, "jsonlines" | "x-jsonlines") => Syntax::Sequence,
            _ if has_suffix(subtype, &["+json-seq", "+ndjson", "+jsonl"]) => Syntax::Sequence,
            (_, "svg+xml") => Syntax::Text,
            (_, "xml" | "xml-dtd" | "xml-external-parsed-entity") => Syntax::Xml,
            _ if subtype.ends_with("+xml") => Syntax::Xml,
            ("text", _) => Syntax::Text,
            (_, "javascript" | "x-javascript" | "ecmascript" | "yaml" | "x-yaml" | "vnd.yaml")
            | (_, "graphql" | "toml" | "jwt" | "jose") => Syntax::Text,
            _ if subtype.ends_with("+yaml") => Syntax::Text,
            _ => Syntax::Binary,
        }
    }

    /// True if a JSON object or array under this type is read as JSON.
    pub fn yields_to_json(self, media: &str) -> bool {
        match self {
            Syntax::Form | Syntax::Multipart => true,
            Syntax::Text | Syntax::Xml => media.starts_with("text/"),
            Syntax::Json | Syntax::Sequence | Syntax::Binary => false,
        }
    }
}

fn has_suffix(subtype: &str, suffixes: &[&str]) -> bool {
    suffixes.iter().any(|suffix| subtype.ends_with(suffix))
}

/// The subtypes of JSON: RFC 8259, RFC 6839, their predecessors, and the types of AWS protocols.
fn is_json_subtype(subtype: &str) -> bool {
    matches!(subtype, "json" | "x-json" | "json-rpc" | "jsonrequest")
        || subtype.ends_with("+json")
        || subtype.starts_with("x-amz-json-")
}

/// True if bodies with this Content-Type are JSON.
pub fn is_json(content_type: &str) -> bool {
    media_type(content_type).is_some_and(|media| Syntax::of(&media) == Syntax::Json)
}

/// `type/subtype` of a Content-Type, in lower case; `None` if the header has no type.
pub fn media_type(content_type: &str) -> Option<Cow<'_, str>> {
    let end = memchr::memchr(b';', content_type.as_bytes()).unwrap_or(content_type.len());
    let named = content_type[..end].trim();
    memchr::memchr(b'/', named.as_bytes())?;
    let has_upper = named.bytes().any(|byte| byte.is_ascii_uppercase());
    Some(if has_upper { named.to_ascii_lowercase().into() } else { named.into() })
}

/// The text of a body, without its byte order mark; `None` if the bytes are invalid in the declared
/// charset, or in UTF-8 without one.
pub fn body_text<'b>(body: &'b Body<'_>, content_type: Option<&str>) -> Option<Cow<'b, str>> {
    match body {
        Body::Empty => Some(Cow::Borrowed("")),
        Body::Text(text) => Some(match wide(text.as_bytes()) {
            Some(encoding) => encoding.decode(text.as_bytes()).0,
            None => match declared_escapes(text, content_type) {
                Some(encoding) => encoding.decode(text.as_bytes()).0,
                None => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
            },
        }),
        Body::Binary(bytes) => {
            let encoding = encoding_of(bytes, content_type.unwrap_or_default())?;
            let (text, _, broken) = encoding.decode(bytes);
            // Bytes that are declared as UTF-8 but invalid are truncated or in another charset.
            (!broken || encoding != UTF_8).then_some(text)
        }
    }
}

/// The charset of an ASCII text that encodes other characters with escape sequences, as ISO-2022-JP
/// does.
fn declared_escapes(text: &str, content_type: Option<&str>) -> Option<&'static Encoding> {
    memchr::memchr(0x1b, text.as_bytes())?;
    content_type.and_then(declared).filter(|encoding| !encoding.is_ascii_compatible())
}

/// The JSON text of a body that is not plain JSON: decoded by its charset, without byte order mark,
/// and with U+FFFD for each lone surrogate. `None` if there is nothing to repair.
///
/// Callers parse the body directly first, because nearly all bodies are plain and need no copy.
pub fn mended_json<'b>(body: &'b Body<'_>, content_type: Option<&str>) -> Option<Cow<'b, str>> {
    let text = match (body_text(body, content_type), body) {
        (Some(text), _) => text,
        // JSON must be UTF-8. Anything else is usually of the Latin-1 family, in which each byte is
        // a character.
        (None, Body::Binary(bytes)) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        (None, _) => return None,
    };
    let text = match without_lone_surrogates(&text) {
        Some(mended) => Cow::Owned(mended),
        None => text,
    };
    (text.as_bytes() != body.as_bytes()).then_some(text)
}

/// Parses a body as JSON, whatever its type.
///
/// # Errors
/// What the body is instead.
pub fn parse_json<T: DeserializeOwned>(
    body: &Body<'_>,
    content_type: Option<&str>,
) -> Result<T, NotJson> {
    let first = match serde_json::from_slice(body.as_bytes()) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let Some(text) = mended_json(body, content_type) else {
        return Err(NotJson::of(body.as_bytes(), &first));
    };
    serde_json::from_str(&text).map_err(|error| NotJson::of(text.as_bytes(), &error))
}

/// Parses a body as JSON if the rule of this module says so: a declared JSON type, any JSON without
/// a declared type, or an object or array in a text or form. `None` if its type says something
/// else.
pub fn json_by_rule<T: DeserializeOwned>(
    body: &Body<'_>,
    content_type: Option<&str>,
) -> Option<Result<T, NotJson>> {
    let Some(media) = content_type.and_then(media_type) else {
        return parse_json(body, content_type).ok().map(Ok);
    };
    match Syntax::of(&media) {
        Syntax::Json => Some(parse_json(body, content_type)),
        other if other.yields_to_json(&media) && begins_as_container(body) => {
            parse_json(body, content_type).ok().map(Ok)
        }
        _ => None,
    }
}

/// The media type of a body without a declared one: JSON, text or bytes.
pub fn type_of_bytes(body: &Body<'_>) -> &'static str {
    if parse_json::<serde::de::IgnoredAny>(body, None).is_ok() {
        return "application/json";
    }
    match body {
        Body::Binary(_) => "application/octet-stream",
        Body::Empty | Body::Text(_) => "text/plain",
    }
}

/// True if the beginning of a body may be that of a JSON object or array.
pub fn begins_as_container(body: &Body<'_>) -> bool {
    // The escaped literal begins like the text, except for escaped whitespace.
    let bytes = match body.literal() {
        Some(literal) => literal.as_bytes(),
        None => body.as_bytes(),
    };
    match bytes.trim_ascii_start().first() {
        Some(b'{' | b'[') => true,
        Some(b'\\') if body.literal().is_some() => {
            matches!(body.as_bytes().trim_ascii_start().first(), Some(b'{' | b'['))
        }
        // A byte order mark, or UTF-16 without one.
        Some(0 | 0xef | 0xfe | 0xff) => true,
        _ => false,
    }
}

/// The kind of a body that should be JSON but is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotJson {
    /// Whitespace only.
    Blank,
    /// The text ends too early.
    CutShort,
    /// Nested deeper than 128 levels.
    Deep,
    /// A page for browsers.
    Html,
    /// Longer than the limit.
    Long,
    /// `NaN` or `Infinity`.
    NotANumber,
    /// Any other text.
    Other,
    /// Several concatenated values.
    Several,
    /// XML.
    Xml,
}

impl NotJson {
    /// Classifies by the error that the parser reported for these bytes.
    pub fn of(bytes: &[u8], error: &serde_json::Error) -> NotJson {
        let start = bytes.trim_ascii_start();
        let begins = |tag: &[u8]| {
            start.get(..tag.len()).is_some_and(|found| found.eq_ignore_ascii_case(tag))
        };
        if start.is_empty() {
            NotJson::Blank
        } else if begins(b"<!doctype html")
            || begins(b"<html")
            || begins(b"<head")
            || begins(b"<body")
        {
            NotJson::Html
        } else if begins(b"<?xml") {
            NotJson::Xml
        } else if begins(b"<") {
            let has_page = memchr::memmem::find(&start.to_ascii_lowercase(), b"<html").is_some();
            if has_page { NotJson::Html } else { NotJson::Xml }
        } else if error.to_string().starts_with("recursion limit exceeded") {
            NotJson::Deep
        } else if error.is_eof() {
            NotJson::CutShort
        } else if error.to_string().starts_with("trailing characters") {
            NotJson::Several
        } else if names_no_number(bytes) {
            NotJson::NotANumber
        } else {
            NotJson::Other
        }
    }

    /// The name for messages about a single body.
    pub fn name(self) -> &'static str {
        match self {
            NotJson::Html => "an HTML page",
            other => other.each(),
        }
    }

    /// The name after the number 1.
    pub fn each(self) -> &'static str {
        match self {
            NotJson::Html => "HTML page",
            other => other.all(),
        }
    }

    /// The name after a larger number.
    pub fn all(self) -> &'static str {
        match self {
            NotJson::Blank => "blank",
            NotJson::CutShort => "cut short",
            NotJson::Deep => "nested deeper than 128 levels",
            NotJson::Html => "HTML pages",
            NotJson::Long => "too long",
            NotJson::NotANumber => "with NaN or Infinity",
            NotJson::Other => "other text or bytes",
            NotJson::Several => "several values",
            NotJson::Xml => "XML",
        }
    }
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// True if `NaN`, `Infinity` or `-Infinity` is in the position of a value.
fn names_no_number(bytes: &[u8]) -> bool {
    [&b"NaN"[..], b"Infinity"].iter().any(|word| {
        memchr::memmem::find_iter(bytes, word).any(|at| {
            let before = bytes[..at].strip_suffix(b"-").unwrap_or(&bytes[..at]).trim_ascii_end();
            matches!(before.last(), None | Some(b':' | b'[' | b','))
        })
    })
}

#[cfg(test)]
mod tests;
