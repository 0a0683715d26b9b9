//! The values in a response, and their places.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

use super::name::{IdName, entity_of_path, id_name, is_wrapper, singular};
use super::value::{Strength, strength};
use super::walk::{Leaf, Scalar, walk};
use crate::exchange::{Body, Pairs, body_text, header, is_secret_name, parse_query};
use crate::net::latin1;

/// Larger bodies are not searched.
pub(super) const MAX_BODY: usize = 4 << 20;
/// Longer texts are not examined as URLs.
const MAX_URL: usize = 2048;

/// A received response, with its body decoded.
#[derive(Clone, Debug)]
pub(in super::super) struct Answered {
    pub(in super::super) headers: HeaderMap,
    pub(in super::super) body: Bytes,
}

/// Where a response has a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum ValuePlace {
    /// A scalar of the JSON body.
    Json(Box<str>, Part),
    /// The value of a header, by its number among those of the same name.
    Header(HeaderName, usize, Part),
    /// The value of a cookie that is set.
    Cookie(Box<str>),
    /// The value of an input of an HTML form, or the content of a meta element.
    Input(Box<str>),
}

/// The part of a text that is the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Part {
    Whole,
    /// A segment of the path of a URL: the segment before it, and its number from the end.
    Segment(Box<str>, usize),
    /// A parameter of the query of a URL.
    Query(Box<str>),
}

/// A value of a recorded response.
pub(super) struct Given<'v> {
    pub(super) value: Cow<'v, str>,
    pub(super) place: ValuePlace,
    pub(super) strength: Strength,
    pub(super) id: Option<IdName>,
    /// The name at the place, in lower case.
    pub(super) name: String,
    /// The value is a credential by its name.
    pub(super) secret: bool,
    /// True if the client must return it unchanged under the same name.
    pub(super) echoed: bool,
}

/// Headers without values that a client sends back.
const PLAIN_HEADERS: [&str; 24] = [
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "expires",
    "keep-alive",
    "server",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "via",
    "x-powered-by",
];

/// Calls `visit` for each value of a recorded response that a later request may use. `path` is that
/// of the request.
pub(super) fn origins<'r>(
    headers: &'r Pairs<'_>,
    body: Option<&'r str>,
    path: &str,
    visit: &mut dyn FnMut(Given<'_>),
) {
    for (at, (name, value)) in headers.iter().enumerate() {
        if PLAIN_HEADERS.contains(&name.as_ref()) {
            continue;
        }
        if name == "set-cookie" {
            if let Some((cookie, value)) = cookie(value) {
                visit(Given {
                    value: value.into(),
                    place: ValuePlace::Cookie(cookie.into()),
                    strength: strength(value),
                    id: None,
                    name: cookie.to_lowercase(),
                    secret: true,
                    echoed: true,
                });
            }
            continue;
        }
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        let number = headers[..at].iter().filter(|(own, _)| own == name).count();
        if matches!(name.as_ref(), "location" | "content-location") {
            let place = |part| ValuePlace::Header(header.clone(), number, part);
            url_parts(value, true, &place, visit);
            continue;
        }
        let place = |part| ValuePlace::Header(header.clone(), number, part);
        plain(value, name, || id_name(name, ""), place, visit);
    }
    let Some(text) = body.filter(|text| text.len() <= MAX_BODY) else { return };
    if looks_like_markup(text) {
        inputs(text, |name, value| {
            visit(Given {
                strength: strength(&value),
                value,
                place: ValuePlace::Input(name.as_ref().into()),
                id: None,
                name: name.to_lowercase(),
                secret: is_secret_name(&name),
                echoed: true,
            });
        });
        return;
    }
    let about = entity_of_path(path);
    walk(text, |leaf| {
        of_leaf(&leaf, about, visit);
        true
    });
}

fn of_leaf(leaf: &Leaf<'_, '_>, about: &str, visit: &mut dyn FnMut(Given<'_>)) {
    let (value, is_text) = match &leaf.scalar {
        Scalar::Text(text) => (text.as_ref(), true),
        Scalar::Number(number) => (*number, false),
        Scalar::Word => return,
    };
    if is_text && is_url(value) {
        let place = |part| ValuePlace::Json(leaf.pointer.into(), part);
        url_parts(value, false, &place, visit);
        return;
    }
    let name = leaf.names.last().map_or("", |name| name.as_ref());
    let id = || id_name(name, around(leaf.names, about));
    plain(value, name, id, |part| ValuePlace::Json(leaf.pointer.into(), part), visit);
}

/// The thing that an innermost name belongs to: the nearest property around it that is not a
/// wrapper, or the collection of the message.
pub(super) fn around<'n>(names: &'n [Cow<'_, str>], about: &'n str) -> &'n str {
    let outer = names.split_last().map_or(&[][..], |(_, outer)| outer);
    outer.last().filter(|name| !is_wrapper(name)).map_or(about, |name| name.as_ref())
}

/// A value that is not a URL.
fn plain(
    value: &str,
    name: &str,
    id: impl FnOnce() -> Option<IdName>,
    place: impl FnOnce(Part) -> ValuePlace,
    visit: &mut dyn FnMut(Given<'_>),
) {
    let strength = strength(value);
    if strength == Strength::Never {
        return;
    }
    let id = id();
    let secret = strength == Strength::Weak && id.is_none() && is_secret_name(name);
    if strength == Strength::Strong || id.is_some() || secret || is_short_code(value) {
        visit(Given {
            value: value.into(),
            place: place(Part::Whole),
            strength,
            id,
            name: name.to_lowercase(),
            secret: secret || is_secret_name(name),
            echoed: false,
        });
    }
}

/// A weak value, such as `A1B2`, that counts if the names are equal.
fn is_short_code(value: &str) -> bool {
    value.len() >= 4
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn is_url(text: &str) -> bool {
    (text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://"))
        && text.len() <= MAX_URL
        && !text.contains(' ')
}

/// Path and query of a URL, or of a reference to the same server.
fn path_and_query(url: &str) -> (&str, &str) {
    let url = url.split('#').next().unwrap_or_default();
    let target = match url.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find(['/', '?']).map_or("", |at| &rest[at..])
        }
        _ => url,
    };
    target.split_once('?').unwrap_or((target, ""))
}

fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

/// The values in a URL. In one that the client follows (`followed`), every parameter counts.
fn url_parts(
    url: &str,
    followed: bool,
    place: &dyn Fn(Part) -> ValuePlace,
    visit: &mut dyn FnMut(Given<'_>),
) {
    let (path, query) = path_and_query(url);
    let segments: Vec<&str> = path.split('/').collect();
    for (at, segment) in segments.iter().enumerate().skip(1) {
        let value = decoded(segment);
        let before = segments[at - 1];
        let strength = strength(&value);
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        if strength == Strength::Strong || strength == Strength::Weak && digits {
            visit(Given {
                value,
                place: place(Part::Segment(before.into(), segments.len() - at)),
                strength,
                id: Some(IdName { entity: singular(before).into_owned(), class: "id" }),
                name: String::new(),
                secret: false,
                echoed: false,
            });
        }
    }
    for (name, value) in parse_query(query) {
        let strength = strength(&value);
        if strength == Strength::Strong || followed && !value.is_empty() {
            let id = id_name(&name, "");
            visit(Given {
                place: place(Part::Query(name.as_ref().into())),
                strength,
                id,
                secret: is_secret_name(&name),
                name: name.to_lowercase(),
                value,
                echoed: followed,
            });
        }
    }
}

/// Name and value of a `Set-Cookie`.
fn cookie(header: &str) -> Option<(&str, &str)> {
    let (name, value) = header.split(';').next()?.split_once('=')?;
    Some((name.trim(), value.trim())).filter(|(name, value)| !name.is_empty() && !value.is_empty())
}

fn looks_like_markup(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

/// Names and values of `<input>`, and names and contents of `<meta>`.
fn inputs<'t>(html: &'t str, mut visit: impl FnMut(Cow<'t, str>, Cow<'t, str>)) {
    let mut rest = html;
    while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        rest = &rest[at + 1..];
        let is = |tag: &str| {
            rest.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
                && rest[tag.len()..].starts_with(|c: char| c.is_ascii_whitespace())
        };
        let value_name = if is("input") {
            "value"
        } else if is("meta") {
            "content"
        } else {
            continue;
        };
        let (mut name, mut value) = (None, None);
        let tag = tag_end(rest);
        for (attribute, text) in attributes(&rest[..tag]) {
            if attribute.eq_ignore_ascii_case("name") {
                name = Some(text);
            } else if attribute.eq_ignore_ascii_case(value_name) {
                value = Some(text);
            }
        }
        if let (Some(name), Some(value)) = (name, value)
            && !name.is_empty()
            && !value.is_empty()
        {
            visit(unescaped(name), unescaped(value));
        }
        rest = &rest[tag..];
    }
}

/// The end of a tag; a `>` in quotes does not end it.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => (),
        }
    }
    text.len()
}

fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag.find(|c: char| c.is_ascii_whitespace()).map_or("", |at| &tag[at..]);
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/'));
            let end = end.unwrap_or(rest.len()).max(1);
            let name = rest.get(..end)?;
            rest = rest[end..].trim_start();
            let Some(after) = rest.strip_prefix('=') else { continue };
            let after = after.trim_start();
            let (value, left) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    after[1..].split_once(quote).unwrap_or((&after[1..], ""))
                }
                _ => {
                    let end = after.find(|c: char| c.is_ascii_whitespace());
                    after.split_at(end.unwrap_or(after.len()))
                }
            };
            rest = left;
            return Some((name, value));
        }
    })
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let entities =
        [("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">")];
    let text = entities.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    // Last, so that nothing is unescaped twice.
    Cow::Owned(text.replace("&#43;", "+").replace("&#x2B;", "+").replace("&amp;", "&"))
}

impl ValuePlace {
    /// The value at the same place of a new response.
    pub(in super::super) fn find(&self, answer: &Answered) -> Option<String> {
        let found = match self {
            ValuePlace::Cookie(name) => {
                let all = answer.headers.get_all("set-cookie").iter();
                let pairs = all.filter_map(|header| {
                    let text = latin1(header.as_bytes());
                    cookie(&text).map(|(name, value)| (name.to_owned(), value.to_owned()))
                });
                pairs.rev().find(|(own, _)| own == name.as_ref()).map(|(_, value)| value)
            }
            ValuePlace::Header(name, number, part) => {
                let value = answer.headers.get_all(name).iter().nth(*number)?;
                part.of(&latin1(value.as_bytes()))
            }
            ValuePlace::Json(pointer, part) => {
                let mut found = None;
                walk(&answer.text()?, |leaf| {
                    if leaf.pointer != pointer.as_ref() {
                        return true;
                    }
                    found = match &leaf.scalar {
                        Scalar::Text(text) => part.of(text),
                        Scalar::Number(number) => part.of(number),
                        Scalar::Word => None,
                    };
                    false
                });
                found
            }
            ValuePlace::Input(name) => {
                let mut found = None;
                let text = answer.text()?;
                inputs(&text, |own, value| {
                    if own == name.as_ref() && found.is_none() {
                        found = Some(value.into_owned());
                    }
                });
                found
            }
        };
        found.filter(|value| !value.is_empty())
    }
}

impl Part {
    fn of(&self, text: &str) -> Option<String> {
        let (path, query) = path_and_query(text);
        match self {
            Part::Whole => Some(text.to_owned()),
            Part::Query(name) => {
                let mut pairs = parse_query(query).into_iter();
                pairs.find(|(own, _)| own == name.as_ref()).map(|(_, value)| value.into_owned())
            }
            Part::Segment(before, from_end) => {
                let segments: Vec<&str> = path.split('/').collect();
                let follows = |at: usize| at > 0 && segments[at - 1] == before.as_ref();
                let same = segments.len().checked_sub(*from_end);
                let at = same
                    .filter(|at| follows(*at))
                    .or_else(|| (1..segments.len()).find(|at| follows(*at)))
                    .or(same)?;
                segments.get(at).map(|segment| decoded(segment).into_owned())
            }
        }
    }
}

impl Answered {
    /// The body as text, in its charset.
    fn text(&self) -> Option<String> {
        let content_type = self.headers.get("content-type").and_then(|value| value.to_str().ok());
        let body = Body::lent(&self.body);
        body_text(&body, content_type).map(Cow::into_owned)
    }
}

/// The body of a recorded message as text, in its charset.
pub(super) fn text_of<'b>(headers: &Pairs<'_>, body: &'b Body<'_>) -> Option<Cow<'b, str>> {
    if body.is_empty() || body.as_bytes().len() > MAX_BODY {
        return None;
    }
    body_text(body, header(headers, "content-type"))
}
