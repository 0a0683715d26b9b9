//! The values of a request, and their places.

use std::borrow::Cow;
use std::ops::Range;

use http::HeaderName;
use percent_encoding::percent_decode_str;

use super::name::{IdName, entity_of_path, id_name, singular};
use super::origin::around;
use super::walk::{Scalar, walk};
use crate::exchange::is_secret_name;

/// Longer bodies that are neither JSON nor a form are not searched.
const MAX_TEXT: usize = 1 << 20;
/// Minimum length of a word within a text that is looked up.
const MIN_WORD: usize = 6;

/// A request before it is sent.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Draft {
    /// Path and query.
    pub(in super::super) target: String,
    pub(in super::super) headers: Vec<(HeaderName, Vec<u8>)>,
    /// Decoded.
    pub(in super::super) body: Vec<u8>,
}

/// A text of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Carrier {
    Target,
    Header(usize),
    Body,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Encoding {
    /// As it is.
    Raw,
    /// Percent-encoded, as a segment of a path.
    Segment,
    /// Percent-encoded, as a value of a query or form.
    Form,
    /// A JSON string with its quotes.
    JsonText,
    /// A JSON number, or a string if the new value is not a number.
    JsonNumber,
    /// Within a JSON string.
    JsonInner,
}

/// A value of a request.
pub(super) struct Spot<'v> {
    pub(super) carrier: Carrier,
    pub(super) range: Range<usize>,
    pub(super) encoding: Encoding,
    pub(super) value: Cow<'v, str>,
    pub(super) kind: SpotKind<'v>,
}

/// The information that the place of a value provides.
#[derive(Default)]
pub(super) struct SpotKind<'v> {
    pub(super) id: Option<IdName>,
    /// The name; empty for segments and words.
    pub(super) name: Cow<'v, str>,
    /// True if the name is that of a credential.
    pub(super) secret: bool,
    pub(super) cookie: bool,
    /// A word within a longer text, which counts only if it is distinctive.
    pub(super) word: bool,
    /// The place, as `meta.hmt.redacted` lists it.
    pub(super) listed: String,
}

/// Headers without values from a response.
const PLAIN_HEADERS: [&str; 18] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "dnt",
    "host",
    "origin",
    "pragma",
    "priority",
    "sec-ch-ua",
    "te",
    "upgrade-insecure-requests",
    "user-agent",
];

/// Calls `visit` for each value. If it returns false, it is also called for each word in the value.
pub(super) fn spots(draft: &Draft, visit: &mut dyn FnMut(Spot<'_>) -> bool) {
    in_target(&draft.target, visit);
    for (at, (name, value)) in draft.headers.iter().enumerate() {
        let name = name.as_str();
        if PLAIN_HEADERS.contains(&name) || name.starts_with("sec-") {
            continue;
        }
        let Ok(text) = std::str::from_utf8(value) else { continue };
        in_header(Carrier::Header(at), name, text, visit);
    }
    let Ok(text) = std::str::from_utf8(&draft.body) else { return };
    if text.is_empty() {
        return;
    }
    let path = draft.target.split('?').next().unwrap_or_default();
    if in_json(text, entity_of_path(path), visit) {
        return;
    }
    let declared = draft.headers.iter().find(|(name, _)| name == "content-type");
    let is_form = declared.is_some_and(|(_, value)| {
        value.to_ascii_lowercase().starts_with(b"application/x-www-form")
    });
    if is_form {
        pairs(Carrier::Body, text, 0, "request.body#/", visit);
    } else if text.len() <= MAX_TEXT {
        words(Carrier::Body, text, 0, Encoding::Raw, visit);
    }
}

fn in_target(target: &str, visit: &mut dyn FnMut(Spot<'_>) -> bool) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut start = 0;
    let mut before = "";
    for segment in path.split('/') {
        if !segment.is_empty() {
            let value = percent_decode_str(segment).decode_utf8_lossy();
            let entity = singular(before).into_owned();
            let id = (!entity.is_empty()).then_some(IdName { entity, class: "" });
            visit(Spot {
                carrier: Carrier::Target,
                range: start..start + segment.len(),
                encoding: Encoding::Segment,
                value,
                kind: SpotKind { id, ..SpotKind::default() },
            });
        }
        start += segment.len() + 1;
        before = segment;
    }
    if !query.is_empty() {
        pairs(Carrier::Target, query, path.len() + 1, "request.query.", visit);
    }
}

/// The values of a query or form that begins at `offset`.
fn pairs(
    carrier: Carrier,
    text: &str,
    offset: usize,
    place: &str,
    visit: &mut dyn FnMut(Spot<'_>) -> bool,
) {
    let mut start = offset;
    for piece in text.split('&') {
        if let Some((name, value)) = piece.split_once('=') {
            let from = start + name.len() + 1;
            let decode = |text: &str| -> String {
                percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
            };
            let name = decode(name);
            visit(Spot {
                carrier,
                range: from..from + value.len(),
                encoding: Encoding::Form,
                value: decode(value).into(),
                kind: SpotKind {
                    id: id_name(&name, ""),
                    secret: is_secret_name(&name),
                    listed: format!("{place}{name}"),
                    name: name.into(),
                    ..SpotKind::default()
                },
            });
        }
        start += piece.len() + 1;
    }
}

fn in_header(carrier: Carrier, name: &str, text: &str, visit: &mut dyn FnMut(Spot<'_>) -> bool) {
    let spot = |range: Range<usize>, kind| Spot {
        carrier,
        value: Cow::Borrowed(&text[range.clone()]),
        range,
        encoding: Encoding::Raw,
        kind,
    };
    if name == "cookie" {
        let mut start = 0;
        for pair in text.split(';') {
            if let Some((cookie, value)) = pair.split_once('=') {
                let trimmed = value.trim();
                let from = start + cookie.len() + 1 + (value.len() - value.trim_start().len());
                let kind = SpotKind {
                    name: cookie.trim().into(),
                    secret: true,
                    cookie: true,
                    ..SpotKind::default()
                };
                visit(spot(from..from + trimmed.len(), kind));
            }
            start += pair.len() + 1;
        }
        return;
    }
    let is_credential = matches!(name, "authorization" | "proxy-authorization");
    let from = match text.split_once(' ') {
        Some((scheme, _)) if is_credential => scheme.len() + 1,
        _ => 0,
    };
    let kind = SpotKind {
        id: id_name(name, ""),
        name: name.into(),
        secret: is_credential || is_secret_name(name),
        listed: format!("request.header.{name}"),
        ..SpotKind::default()
    };
    if !visit(spot(from..text.len(), kind)) {
        words(carrier, text, 0, Encoding::Raw, visit);
    }
}

/// The values of a JSON body; false if it is not JSON.
fn in_json(text: &str, about: &str, visit: &mut dyn FnMut(Spot<'_>) -> bool) -> bool {
    walk(text, |leaf| {
        let (value, encoding) = match &leaf.scalar {
            Scalar::Text(text) => (text.as_ref(), Encoding::JsonText),
            Scalar::Number(number) => (*number, Encoding::JsonNumber),
            Scalar::Word => return true,
        };
        let name = leaf.names.last().map_or("", |name| name.as_ref());
        let taken = visit(Spot {
            carrier: Carrier::Body,
            range: leaf.range.clone(),
            encoding,
            value: value.into(),
            kind: SpotKind {
                id: id_name(name, around(leaf.names, about)),
                name: name.into(),
                secret: is_secret_name(name),
                listed: format!("request.body#{}", leaf.pointer),
                ..SpotKind::default()
            },
        });
        // Without escapes, the positions of words in the text are those in the literal.
        if !taken && matches!(&leaf.scalar, Scalar::Text(Cow::Borrowed(_))) {
            words(Carrier::Body, value, leaf.range.start + 1, Encoding::JsonInner, visit);
        }
        true
    })
}

/// The words of a text that begins at `offset`, without the text itself.
fn words(
    carrier: Carrier,
    text: &str,
    offset: usize,
    encoding: Encoding,
    visit: &mut dyn FnMut(Spot<'_>) -> bool,
) {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !part(bytes[at]) {
            at += 1;
            continue;
        }
        let length = bytes[at..].iter().take_while(|byte| part(**byte)).count();
        if length >= MIN_WORD && length < bytes.len() {
            visit(Spot {
                carrier,
                range: offset + at..offset + at + length,
                encoding,
                value: Cow::Borrowed(&text[at..at + length]),
                kind: SpotKind { word: true, ..SpotKind::default() },
            });
        }
        at += length;
    }
}
