//! Converts a captured body to its recorded form.

use std::borrow::Cow;

use super::copy::BodyCopy;
use crate::exchange::{
    Body, DecodeError, DecodeLimits, Pairs, Syntax, body_text, decode_body, decode_start, header,
    media_type,
};

/// The recorded form of a body: its Content-Encoding is decoded, and a truncated text ends at a
/// whole character.
///
/// A body that cannot be decoded may hold secrets that cannot be found. It is left out unless
/// `keep` says that secrets are kept.
pub(super) fn recorded_body<'a>(copy: &'a BodyCopy, headers: &Pairs<'_>, keep: bool) -> Body<'a> {
    let bytes = copy.bytes();
    if bytes.is_empty() {
        return Body::Empty;
    }
    let encoding = content_encoding(headers);
    let cut = copy.truncated().is_some();
    let decode = if cut { decode_start } else { decode_body };
    let decoded = decode(bytes, encoding.as_deref(), DecodeLimits::default());
    if decoded.problem.is_some() && !keep {
        return Body::Empty;
    }
    match decoded.bytes {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Body::Text(text.into()),
            Err(error) if cut && error.error_len().is_none() && error.valid_up_to() > 0 => {
                Body::Text(String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into())
            }
            Err(_) => Body::Binary(Cow::Borrowed(bytes)),
        },
        Cow::Owned(mut bytes) => {
            if cut
                && let Err(error) = std::str::from_utf8(&bytes)
                && error.error_len().is_none()
            {
                bytes.truncate(error.valid_up_to());
            }
            Body::from_bytes(bytes)
        }
    }
}

/// The full size of a body that its record holds only in part or not at all.
pub(super) fn missing(copy: &BodyCopy, recorded: &Body<'_>) -> Option<u64> {
    let left_out = recorded.is_empty() && !copy.bytes().is_empty();
    copy.truncated().or_else(|| left_out.then_some(copy.bytes().len() as u64))
}

/// Decodes the Content-Encoding that a body in another recorder's capture still has. A body that
/// cannot be decoded may hold secrets that cannot be found, so it is left out and its size is
/// returned. `cut` is true if the capture holds only the beginning of the body.
pub(super) fn undo_encoding(body: &mut Body<'_>, headers: &Pairs<'_>, cut: bool) -> Option<u64> {
    let Body::Binary(bytes) = &*body else { return None };
    let encoding = content_encoding(headers)?;
    let decode = if cut { decode_start } else { decode_body };
    let decoded = decode(bytes, Some(&encoding), DecodeLimits::default());
    let opened = match (decoded.problem, decoded.bytes) {
        (None, Cow::Borrowed(_)) => return None,
        (None, Cow::Owned(bytes)) => Some(Body::from_bytes(bytes)),
        // Already decoded.
        (Some(DecodeError::Corrupt(..)), _) if !looks_encoded(body, headers) => return None,
        (Some(_), _) => None,
    };
    let size = body.as_bytes().len() as u64;
    let is_left_out = opened.is_none();
    *body = opened.unwrap_or(Body::Empty);
    is_left_out.then_some(size)
}

/// True for the signatures of gzip (RFC 1952) and Zstandard (RFC 8878), and for binary data in a
/// body whose type is text.
fn looks_encoded(body: &Body<'_>, headers: &Pairs<'_>) -> bool {
    let bytes = body.as_bytes();
    if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x28\xb5\x2f\xfd") {
        return true;
    }
    let content_type = header(headers, "content-type");
    let is_text = content_type
        .and_then(media_type)
        .is_some_and(|media| !matches!(Syntax::of(&media), Syntax::Binary | Syntax::Multipart));
    let is_control = |byte: &u8| *byte < b' ' && !byte.is_ascii_whitespace();
    is_text && bytes.iter().any(is_control) && body_text(body, content_type).is_none()
}

/// All values of the header, joined to one list.
fn content_encoding<'h>(headers: &'h Pairs<'_>) -> Option<Cow<'h, str>> {
    let mut values = headers.iter().filter(|(name, _)| name == "content-encoding");
    let first = values.next()?.1.as_ref();
    Some(
        values.fold(Cow::Borrowed(first), |list, (_, value)| Cow::Owned(format!("{list},{value}"))),
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn encodings_of_other_recorders_are_undone_or_left_out() {
        let gzip = {
            use std::io::Write as _;
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            encoder.write_all(b"{\"a\":1}").unwrap();
            encoder.finish().unwrap()
        };
        let json = "application/json";
        for (coding, media, bytes, expected, size) in [
            ("gzip", json, &gzip[..], &b"{\"a\":1}"[..], None),
            ("gzip", json, &gzip[..12], b"", Some(12)),
            ("gzip", "image/png", b"\x89PNG\x00", b"\x89PNG\x00", None),
            ("gzip", "text/html", b"caf\xe9", b"caf\xe9", None),
            ("br", json, b"\xff\xff\x01\xff", b"", Some(4)),
            ("rot13", json, b"\xff", b"", Some(1)),
            ("identity", json, b"\xff\x01", b"\xff\x01", None),
        ] {
            let headers = vec![
                ("content-encoding".into(), coding.into()),
                ("content-type".into(), media.into()),
            ];
            let mut body = Body::Binary(Cow::Borrowed(bytes));
            assert_eq!(undo_encoding(&mut body, &headers, false), size, "{coding} {media}");
            assert_eq!(body.as_bytes(), expected, "{coding} {media}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_left_out() {
        let mut copy = BodyCopy::new(100);
        copy.push(&Bytes::from_static(b"\x1f\x8bno gzip"));
        for (coding, keep, bytes, size) in [
            ("gzip", false, &b""[..], Some(9)),
            ("gzip", true, b"\x1f\x8bno gzip", None),
            ("rot13", false, b"", Some(9)),
            ("identity", false, b"\x1f\x8bno gzip", None),
        ] {
            let headers = vec![("content-encoding".into(), coding.into())];
            let body = recorded_body(&copy, &headers, keep);
            assert_eq!((body.as_bytes(), missing(&copy, &body)), (bytes, size), "{coding}");
        }
    }
}
