//! Tells hop-by-hop headers from end-to-end headers.

use std::borrow::Cow;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};

use crate::exchange::{BytePairs, Pairs};

/// True for a hop-by-hop header (RFC 9110 section 7.6.1), which is neither forwarded nor recorded.
/// `trailer` is not one of them: it announces fields that are passed on.
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "transfer-encoding"
            | "te"
            | "upgrade"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "keep-alive"
            | "proxy-connection"
    )
}

/// The headers that `Connection` makes hop-by-hop, in addition to those that always are.
pub fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    if !headers.contains_key(CONNECTION) {
        return Vec::new();
    }
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|token| HeaderName::from_bytes(token.trim().as_bytes()).ok())
        // `Connection` must not remove the headers that frame and address the message.
        .filter(|name| *name != "close" && *name != CONTENT_LENGTH && *name != "host")
        .collect()
}

/// Copies the end-to-end headers, except those for which `is_excluded` is true.
pub fn copy_end_to_end(
    from: &HeaderMap,
    to: &mut HeaderMap,
    is_excluded: impl Fn(&HeaderName) -> bool,
) {
    let named = named_by_connection(from);
    for (name, value) in from {
        if !is_hop_by_hop(name) && !named.contains(name) && !is_excluded(name) {
            to.append(name.clone(), value.clone());
        }
    }
}

/// True when `Transfer-Encoding` is absent or exactly `chunked`. The next hop might frame anything
/// else differently, which allows request smuggling.
pub fn framing_is_sound(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        _ => false,
    }
}

/// The end-to-end headers of a message as they are recorded, in wire order by name.
pub fn recorded_headers(headers: &HeaderMap) -> Pairs<'_> {
    let mut recorded = Pairs::with_capacity(headers.len());
    recorded.extend(end_to_end(headers));
    recorded
}

/// The same as an iterator.
pub(crate) fn end_to_end(
    headers: &HeaderMap,
) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let named = named_by_connection(headers);
    headers
        .iter()
        .filter(move |(name, _)| !is_hop_by_hop(name) && !named.contains(name))
        .map(|(name, value)| (Cow::Borrowed(name.as_str()), header_text(value)))
}

/// A header value as text: UTF-8 if valid, otherwise ISO 8859-1, as HTTP/1.1 once defined.
pub(crate) fn header_text(value: &HeaderValue) -> Cow<'_, str> {
    latin1(value.as_bytes())
}

/// Bytes as text: UTF-8 if valid, otherwise ISO 8859-1.
pub(crate) fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

/// The header values that are not UTF-8, of those headers that `recorded` still has.
pub(crate) fn bytes_beyond_text<'a>(headers: &'a HeaderMap, recorded: &Pairs<'_>) -> BytePairs<'a> {
    let beyond = headers.iter().filter(|(_, value)| {
        !value.as_bytes().is_ascii() && std::str::from_utf8(value.as_bytes()).is_err()
    });
    let kept = beyond.filter(|(name, value)| {
        let text = header_text(value);
        recorded.iter().any(|(known, value)| known == name.as_str() && *value == text)
    });
    kept.map(|(name, value)| (Cow::Borrowed(name.as_str()), Cow::Borrowed(value.as_bytes())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_connection_keeps_its_own() {
        let headers = headers(&[
            ("accept", "*/*"),
            ("connection", "keep-alive, X-Private"),
            ("x-private", "1"),
            ("te", "trailers"),
            ("proxy-authorization", "Basic eDp5"),
        ]);
        let recorded = recorded_headers(&headers);
        assert_eq!(recorded, vec![(Cow::from("accept"), Cow::from("*/*"))]);
    }

    #[test]
    fn only_plain_chunked_is_sound() {
        assert!(framing_is_sound(&headers(&[])));
        assert!(framing_is_sound(&headers(&[("transfer-encoding", "Chunked")])));
        for coding in ["gzip, chunked", "identity", "chunked, chunked", "xchunked"] {
            assert!(!framing_is_sound(&headers(&[("transfer-encoding", coding)])), "{coding}");
        }
        let twice = headers(&[("transfer-encoding", "chunked")]);
        let mut twice = twice;
        twice.append(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        assert!(!framing_is_sound(&twice));
    }
}
