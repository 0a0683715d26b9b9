//! Compares request bodies: as JSON values, as forms, part by part, or otherwise byte by byte.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::exchange::{FormPart, Request, body_text, form_parts};

use super::json::JsonValue;
use super::pointer::Pointer;

/// The decoded name and value of a form field.
pub(super) type FormPair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// A request body in the form in which it is compared.
///
/// The kind depends only on the bytes. `content-type` provides the boundary of a multipart body,
/// and even that is taken from the body if the header is missing. So both sides of a comparison
/// have the same kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Comparable<'a> {
    Empty,
    Json(JsonValue<'a>),
    /// Sorted by name; the values of one name keep their order.
    Form(Vec<FormPair<'a>>),
    Parts(Vec<MultipartPart<'a>>),
    Bytes(&'a [u8]),
}

/// A part of a multipart body, without the boundary.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MultipartPart<'a> {
    pub(super) name: Option<String>,
    pub(super) file_name: Option<String>,
    /// In lower case.
    pub(super) media: Option<String>,
    pub(super) content: Box<Comparable<'a>>,
}

impl<'a> Comparable<'a> {
    /// `content_type` is the value of the header, if there is one.
    pub(super) fn of(body: &'a [u8], content_type: Option<&str>) -> Self {
        if body.is_empty() {
            return Comparable::Empty;
        }
        if let Some(value) = JsonValue::parse(body) {
            return Comparable::Json(value);
        }
        if let Some(parts) = parts(body, content_type) {
            return Comparable::Parts(parts);
        }
        if looks_like_form(body) {
            let mut pairs: Vec<FormPair<'a>> = form_pairs(body).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            return Comparable::Form(pairs);
        }
        Comparable::Bytes(body)
    }

    /// Appends bytes that are equal for equal bodies and different for different ones. JSON values
    /// at `ignored` are left out.
    pub(super) fn write_key(&self, ignored: &[&Pointer], out: &mut Vec<u8>) {
        match self {
            Comparable::Empty => {}
            Comparable::Json(value) => {
                out.push(b'j');
                value.write_canonical(ignored, out);
            }
            Comparable::Form(pairs) => {
                out.push(b'f');
                for (name, value) in pairs {
                    write_bytes(name, out);
                    write_bytes(value, out);
                }
            }
            Comparable::Parts(parts) => {
                out.push(b'm');
                for part in parts {
                    for text in [&part.name, &part.file_name, &part.media] {
                        out.push(u8::from(text.is_some()));
                        write_bytes(text.as_deref().unwrap_or_default().as_bytes(), out);
                    }
                    let mut content = Vec::new();
                    part.content.write_key(ignored, &mut content);
                    write_bytes(&content, out);
                }
            }
            Comparable::Bytes(bytes) => {
                out.push(b'b');
                out.extend_from_slice(bytes);
            }
        }
    }

    /// The kind of body, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Comparable::Empty => "no body",
            Comparable::Json(_) => "JSON",
            Comparable::Form(_) => "a form",
            Comparable::Parts(_) => "multipart",
            Comparable::Bytes(_) => "text or bytes",
        }
    }
}

/// The body of a request, converted to UTF-8 if its type or a byte order mark says that it is text
/// in another encoding.
pub(super) fn readable<'r>(request: &'r Request<'_>) -> Cow<'r, [u8]> {
    let content_type = content_type(request);
    let is_multipart = content_type.is_some_and(|kind| kind.trim_start().starts_with("multipart/"));
    match body_text(&request.body, content_type) {
        Some(Cow::Owned(text)) if !is_multipart => Cow::Owned(text.into_bytes()),
        _ => Cow::Borrowed(request.body.as_bytes()),
    }
}

/// The value of `content-type`.
pub(super) fn content_type<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    crate::exchange::header(&request.headers, "content-type")
}

/// Prefixed with the length, so that concatenations stay distinct.
fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(bytes.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(bytes);
}

/// True for `name=value` pairs in the characters that a form encoder leaves as they are, and a few
/// that other encoders leave too.
fn looks_like_form(body: &[u8]) -> bool {
    body.contains(&b'=')
        && body.iter().all(|byte| {
            !byte.is_ascii() || byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(byte)
        })
}

/// Splits and decodes a form without loss: invalid UTF-8 is kept.
fn form_pairs(body: &[u8]) -> impl Iterator<Item = FormPair<'_>> {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let at = memchr::memchr(b'=', pair);
        let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
        (decode(name), decode(value))
    })
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return percent_decode(text).into();
    }
    let blanks: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let decoded: Cow<'_, [u8]> = percent_decode(&blanks).into();
    Cow::Owned(decoded.into_owned())
}

/// The parts of a multipart body; `None` if it is not multipart or is malformed.
fn parts<'a>(body: &'a [u8], content_type: Option<&str>) -> Option<Vec<MultipartPart<'a>>> {
    let is_multipart = |text: &&str| {
        text.trim_start().get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"))
    };
    let declared = content_type.filter(is_multipart);
    let found = declared.and_then(|text| form_parts(body, text).ok());
    let found = found.or_else(|| form_parts(body, &boundary_of(body)?).ok())?;
    if found.is_empty() || found.iter().any(|part| part.fault.is_some()) {
        return None;
    }
    Some(found.into_iter().map(|part| read_part(body, part)).collect())
}

fn read_part(body: &[u8], part: FormPart) -> MultipartPart<'_> {
    let content = &body[part.content];
    let media = part.media;
    let is_json = media.as_deref().is_some_and(|media| media.contains("json"));
    let content = match (is_json, content.is_empty()) {
        (_, true) => Comparable::Empty,
        (true, _) => Comparable::of(content, None),
        (false, _) => Comparable::Bytes(content),
    };
    MultipartPart { name: part.name, file_name: part.file_name, media, content: Box::new(content) }
}

/// A content type with the boundary from the first line of the body (RFC 2046, 5.1.1: 1 to 70
/// characters).
fn boundary_of(body: &[u8]) -> Option<String> {
    let rest = body.strip_prefix(b"--")?;
    let end = memchr::memchr(b'\n', rest.get(..80.min(rest.len()))?)?;
    let boundary = std::str::from_utf8(rest[..end].trim_ascii_end()).ok()?;
    let legal = |c: char| c.is_ascii_graphic() && c != '"' || c == ' ';
    let is_boundary = (1..=70).contains(&boundary.len()) && boundary.chars().all(legal);
    is_boundary.then(|| format!("multipart/form-data; boundary=\"{boundary}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(body: &[u8], content_type: Option<&str>) -> Vec<u8> {
        let mut out = Vec::new();
        Comparable::of(body, content_type).write_key(&[], &mut out);
        out
    }

    fn key(body: &str) -> Vec<u8> {
        key_of(body.as_bytes(), None)
    }

    #[test]
    fn equal_as_json_and_as_form() {
        assert_eq!(key(r#"{"a": 1, "b": [true]}"#), key(r#"{"b":[true],"a":1.0}"#));
        assert_ne!(key(r#"{"a":1}"#), key(r#"{"a":"1"}"#));
        assert_ne!(key("[1,2]"), key("[2,1]"));
        assert_eq!(key("b=2&a=x%20y"), key("a=x+y&b=2"));
        assert_ne!(key("a=1&a=1"), key("a=1"));
        assert_ne!(key("a b"), key("a+b"));
    }

    #[test]
    fn text_is_compared_whatever_its_encoding() {
        let request = |body: &'static [u8], kind: &'static str| Request {
            body: crate::exchange::Body::lent(body),
            headers: vec![("content-type".into(), kind.into())],
            ..Request::default()
        };
        let utf16 = b"\xff\xfe{\0\"\0a\0\"\0:\x001\0}\0";
        assert_eq!(readable(&request(utf16, "application/json")).as_ref(), br#"{"a":1}"#);
        let latin = request(b"caf\xe9", "text/plain; charset=iso-8859-1");
        assert_eq!(readable(&latin).as_ref(), "caf\u{e9}".as_bytes());
        assert_eq!(readable(&request(b"\xe9", "image/png")).as_ref(), b"\xe9");
    }

    #[test]
    fn of_a_form_the_order_of_one_name_counts() {
        assert_eq!(key("a=1&b=3&a=2"), key("b=3&a=1&a=2"));
        assert_ne!(key("a=1&a=2"), key("a=2&a=1"));
        assert_ne!(key("a=%E9"), key("a=%E8"));
        assert_ne!(key("a=1&b"), key("a=1"));
        assert_ne!(key("a=1%26b=2"), key("a=1&b=2"));
    }

    fn multipart(boundary: &str, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut body = String::new();
        for (head, content) in fields {
            body += &format!(
                "--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n"
            );
        }
        format!("{body}--{boundary}--\r\n").into_bytes()
    }

    #[test]
    fn multipart_bodies_are_equal_whatever_their_boundary() {
        let typed = |boundary: &str| format!("multipart/form-data; boundary={boundary}");
        let fields = [("name=\"a\"", "1"), ("name=\"f\"; filename=\"x.bin\"", "--data--")];
        let one = key_of(&multipart("one", &fields), Some(&typed("one")));
        assert_eq!(one, key_of(&multipart("two", &fields), Some(&typed("two"))));
        assert_eq!(one, key_of(&multipart("----three", &fields), None), "without a type");
        for other in [
            [fields[1], fields[0]],
            [fields[0], ("name=\"f\"; filename=\"y.bin\"", "--data--")],
            [fields[0], ("name=\"f\"", "--data--")],
            [fields[0], ("name=\"f\"; filename=\"x.bin\"\r\nContent-Type: text/plain", "--data--")],
            [fields[0], ("name=\"f\"; filename=\"x.bin\"", "data")],
            [("name=\"b\"", "1"), fields[1]],
        ] {
            assert_ne!(one, key_of(&multipart("one", &other), Some(&typed("one"))), "{other:?}");
        }
    }

    #[test]
    fn json_within_a_part_is_compared_as_a_value() {
        let field = "name=\"j\"\r\nContent-Type: application/json";
        let one = multipart("x", &[(field, r#"{"a":1,"b":2}"#)]);
        let other = multipart("y", &[(field, r#"{ "b": 2.0, "a": 1 }"#)]);
        assert_eq!(key_of(&one, None), key_of(&other, None));
    }

    #[test]
    fn a_broken_multipart_body_is_bytes() {
        let body = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1";
        assert_eq!(
            Comparable::of(body, Some("multipart/form-data; boundary=x")),
            Comparable::Bytes(body)
        );
        assert_eq!(
            Comparable::of(b"-- comment\nSELECT 1", None),
            Comparable::Bytes(b"-- comment\nSELECT 1")
        );
    }
}
