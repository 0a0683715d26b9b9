//! A body as a record holds it.

use std::borrow::Cow;

use super::copy::BodyCopy;
use crate::exchange::{Body, DecodeLimits, Pairs, decode_body, decode_start};

/// The body as a record holds it: its Content-Encoding undone, and where it is cut, at a character.
///
/// A body that cannot be decoded may hold secrets that nobody can see. It is left out, unless `keep` says that secrets stay.
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

/// The full size of a body that its record does not hold whole: cut short, or left out.
pub(super) fn missing(copy: &BodyCopy, recorded: &Body<'_>) -> Option<u64> {
    let left_out = recorded.is_empty() && !copy.bytes().is_empty();
    copy.truncated().or_else(|| left_out.then_some(copy.bytes().len() as u64))
}

/// All values of the header as the one list that they are.
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
