//! The headers that are forwarded to the upstream and to the client.

use http::Uri;
use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE, VIA,
};

use super::target_form::TargetForm;
use crate::net::{SCHEME_HEADERS, Target, copy_end_to_end, is_hop_by_hop, named_by_connection};

/// The data that the headers of an upstream request depend on, besides the client's headers.
#[derive(Clone, Copy)]
pub(super) struct UpstreamRequest<'a> {
    pub(super) target: &'a Target,
    /// `None` without a body, `Some(None)` with a body of unknown length.
    pub(super) length: Option<Option<u64>>,
    /// The protocol that the client asks to switch to.
    pub(super) upgrade: Option<&'a HeaderValue>,
    pub(super) form: &'a TargetForm,
    pub(super) via: Option<&'a HeaderValue>,
}

/// The headers for the upstream, in the client's order.
pub(super) fn upstream_headers(
    headers: &HeaderMap,
    upstream_request: &UpstreamRequest<'_>,
) -> HeaderMap {
    let UpstreamRequest { target, length, upgrade, form, via } = upstream_request;
    let mut out = HeaderMap::with_capacity(headers.len() + 2);
    let http2 = **form == TargetForm::Http2;
    let set_host = |out: &mut HeaderMap| {
        // A valid host is a valid header value.
        if !http2 && let Ok(host) = HeaderValue::from_str(&target.host) {
            out.insert(HOST, host);
        }
    };
    let set_framing = |out: &mut HeaderMap| match length {
        Some(Some(length)) => {
            out.insert(CONTENT_LENGTH, (*length).into());
        }
        Some(None) if !http2 => {
            out.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        _ => (),
    };
    if !headers.contains_key(HOST) {
        set_host(&mut out);
    }
    let named = named_by_connection(headers);
    for (name, value) in headers {
        if *name == HOST {
            set_host(&mut out);
        } else if *name == TRANSFER_ENCODING || (*name == CONTENT_LENGTH && length.is_some()) {
            set_framing(&mut out);
        } else if *name == TE {
            if value.as_bytes().eq_ignore_ascii_case(b"trailers") {
                out.insert(TE, HeaderValue::from_static("trailers"));
            }
        } else if let (CONNECTION | UPGRADE, Some(protocol)) = (name.clone(), upgrade) {
            let upgrade = HeaderValue::from_static("upgrade");
            let value = if *name == CONNECTION { upgrade } else { (*protocol).clone() };
            out.insert(name.clone(), value);
        } else if !is_hop_by_hop(name)
            && !named.contains(name)
            && !SCHEME_HEADERS.contains(&name.as_str())
        {
            out.append(name.clone(), value.clone());
        }
    }
    if !out.contains_key(CONTENT_LENGTH) && !out.contains_key(TRANSFER_ENCODING) {
        set_framing(&mut out);
    }
    if let TargetForm::Absolute(Some(authorization)) = form {
        out.insert(PROXY_AUTHORIZATION, authorization.clone());
    }
    if let Some(via) = via {
        out.append(VIA, (*via).clone());
    }
    out
}

/// The request target in this form.
pub(super) fn request_uri(path: &Uri, target: &Target, form: &TargetForm) -> Uri {
    if *form == TargetForm::Origin {
        return path.clone();
    }
    let scheme = target.protocol.as_str();
    let url = format!("{scheme}://{}{}", target.host, target.path_and_query);
    // A valid host and an already parsed path make a valid URL.
    url.parse().unwrap_or_else(|_| path.clone())
}

/// Joins cookies that HTTP/2 lets a client split for better compression; most applications expect
/// one field (RFC 9113 section 8.2.3).
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if crumbs.next().is_none() || crumbs.next().is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    // Joining valid values gives a valid value.
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(b"; ".as_slice())) {
        headers.insert(COOKIE, joined);
    }
}

/// The headers for the client; hyper frames the body again.
pub(super) fn client_headers(headers: &HeaderMap, keeps_length: bool) -> HeaderMap {
    let mut out = HeaderMap::with_capacity(headers.len());
    copy_end_to_end(headers, &mut out, |name| *name == CONTENT_LENGTH && !keeps_length);
    out
}

/// True if exactly one length is announced, and equals this one.
pub(super) fn announces(headers: &HeaderMap, length: u64) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (lengths.next(), lengths.next()) {
        (Some(one), None) => one.to_str().is_ok_and(|one| one.parse() == Ok(length)),
        _ => false,
    }
}

/// The headers for a complete body of `length` bytes. Usually they are reused as received.
pub(super) fn complete_client_headers(
    headers: HeaderMap,
    keeps_length: bool,
    length: usize,
) -> HeaderMap {
    let goes_on = |name: &HeaderName| !is_hop_by_hop(name);
    let fits =
        keeps_length || !headers.contains_key(CONTENT_LENGTH) || announces(&headers, length as u64);
    if fits && headers.keys().all(goes_on) {
        return headers;
    }
    client_headers(&headers, keeps_length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_place_or_copied_the_same_headers_go_on() {
        let map = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            let pairs = pairs.iter().map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            pairs.collect()
        };
        let plain = map(&[("set-cookie", "a=1"), ("content-length", "3"), ("set-cookie", "b=2")]);
        assert_eq!(complete_client_headers(plain.clone(), false, 3), plain);
        for (keeps_length, length) in [(false, 2), (true, 2)] {
            let whole = complete_client_headers(plain.clone(), keeps_length, length);
            assert_eq!(whole, client_headers(&plain, keeps_length));
            assert_eq!(whole.contains_key(CONTENT_LENGTH), keeps_length);
        }
        let hop_by_hop = map(&[
            ("date", "today"),
            ("connection", "keep-alive, x-private"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("content-length", "3"),
        ]);
        assert_eq!(complete_client_headers(hop_by_hop, false, 3), map(&[("date", "today")]));
        let twice = map(&[("content-length", "3"), ("content-length", "3")]);
        assert!(complete_client_headers(twice, false, 3).is_empty());
    }

    #[test]
    fn crumbs_are_one_cookie() {
        let mut headers = HeaderMap::new();
        join_cookies(&mut headers);
        assert!(headers.is_empty());
        for crumb in ["a=1", "b=2", "c=3"] {
            headers.append(COOKIE, HeaderValue::from_static(crumb));
        }
        join_cookies(&mut headers);
        assert_eq!(headers.get_all(COOKIE).iter().count(), 1);
        assert_eq!(headers[COOKIE], "a=1; b=2; c=3");
    }
}
