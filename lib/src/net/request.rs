//! The head of an HTTP request as an exchange holds it.

use std::borrow::Cow;

use http::header::{HOST, HeaderMap};
use http::request::Parts;

use super::headers::end_to_end;
use super::target::{SCHEME_HEADERS, Target};
use crate::exchange::{Body, Method, Pairs, Request, UnknownMethod, parse_query};

/// The request as the target would see it: its host and path, the end-to-end headers that the client
/// sent but for ours, and `body`, whose Content-Encoding is already undone. Without a timestamp.
///
/// # Errors
/// A method that a record cannot hold.
pub fn request_to_exchange<'a>(
    parts: &'a Parts,
    target: &'a Target,
    body: Body<'a>,
) -> Result<Request<'a>, UnknownMethod> {
    let method = parts.method.as_str().parse()?;
    Ok(Request { method, ..request_of_any_method(parts, target, body) })
}

/// Like [`request_to_exchange`], for those who look at `parts` for the method: that of the request is of no meaning.
pub fn request_of_any_method<'a>(
    parts: &'a Parts,
    target: &'a Target,
    body: Body<'a>,
) -> Request<'a> {
    Request {
        method: Method::default(),
        protocol: target.protocol,
        host: Cow::Borrowed(&target.host),
        pathname: Cow::Borrowed(target.path()),
        query: parse_query(target.query()),
        wire_query: target.wire_query().map(Cow::Borrowed),
        headers: request_headers(&parts.headers, &target.host),
        body,
        timestamp: None,
    }
}

/// The end-to-end headers of a request to `host`, without those that only told us the target.
pub(crate) fn request_headers<'a>(headers: &'a HeaderMap, host: &'a str) -> Pairs<'a> {
    let mut recorded = Pairs::with_capacity(headers.len() + 1);
    recorded.push((Cow::Borrowed(HOST.as_str()), Cow::Borrowed(host)));
    recorded.extend(
        end_to_end(headers)
            .filter(|(name, _)| name != HOST.as_str() && !SCHEME_HEADERS.contains(&name.as_ref())),
    );
    recorded
}
