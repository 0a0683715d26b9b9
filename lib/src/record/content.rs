//! A body as a record holds it.

use std::borrow::Cow;

use super::copy::BodyCopy;
use crate::exchange::{Body, DecodeLimits, Pairs, decode_body, decode_start};

/// The body as a record holds it: its Content-Encoding undone, and where it is cut, at a character.
pub(super) fn recorded_body<'a>(copy: &'a BodyCopy, headers: &Pairs<'_>) -> Body<'a> {
    let bytes = copy.bytes();
    if bytes.is_empty() {
        return Body::Empty;
    }
    let encoding = content_encoding(headers);
    let cut = copy.truncated().is_some();
    let decode = if cut { decode_start } else { decode_body };
    // What cannot be decoded is kept as it came: a record that is odd beats one that is lost.
    match decode(bytes, encoding.as_deref(), DecodeLimits::default()).bytes {
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

/// All values of the header as the one list that they are.
fn content_encoding<'h>(headers: &'h Pairs<'_>) -> Option<Cow<'h, str>> {
    let mut values = headers.iter().filter(|(name, _)| name == "content-encoding");
    let first = values.next()?.1.as_ref();
    Some(
        values.fold(Cow::Borrowed(first), |list, (_, value)| Cow::Owned(format!("{list},{value}"))),
    )
}
