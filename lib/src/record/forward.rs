//! Which headers go on, to the upstream and to the client.

use http::header::{
    CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, VIA,
};

use crate::net::{SCHEME_HEADERS, Target, is_hop_by_hop, named_by_connection};

/// The headers for the upstream. `length` is the body's: none, or some, known or not.
pub(super) fn request_headers(
    headers: &HeaderMap,
    target: &Target,
    length: Option<Option<u64>>,
    via: &HeaderValue,
) -> HeaderMap {
    let mut out = HeaderMap::with_capacity(headers.len() + 3);
    // A valid host is a valid header value.
    if let Ok(host) = HeaderValue::from_str(&target.host) {
        out.insert(HOST, host);
    }
    let ours = |name: &HeaderName| {
        *name == HOST
            || SCHEME_HEADERS.contains(&name.as_str())
            || (*name == CONTENT_LENGTH && length.is_some())
    };
    copy_end_to_end(headers, &mut out, ours);
    if headers.get_all(TE).iter().any(|te| te.as_bytes().eq_ignore_ascii_case(b"trailers")) {
        out.insert(TE, HeaderValue::from_static("trailers"));
    }
    match length {
        Some(Some(length)) => {
            out.insert(CONTENT_LENGTH, length.into());
        }
        Some(None) => {
            out.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        None => (),
    }
    out.append(VIA, via.clone());
    out
}

/// The headers for the client; hyper frames the body anew.
pub(super) fn response_headers(headers: &HeaderMap, keeps_length: bool) -> HeaderMap {
    let mut out = HeaderMap::with_capacity(headers.len());
    copy_end_to_end(headers, &mut out, |name| *name == CONTENT_LENGTH && !keeps_length);
    out
}

fn copy_end_to_end(from: &HeaderMap, to: &mut HeaderMap, but: impl Fn(&HeaderName) -> bool) {
    let named = named_by_connection(from);
    for (name, value) in from {
        if !is_hop_by_hop(name) && !named.contains(name) && !but(name) {
            to.append(name.clone(), value.clone());
        }
    }
}
