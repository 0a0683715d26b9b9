//! Converts the head of an HTTP request to an exchange.

use std::borrow::Cow;

use http::header::{HOST, HeaderMap};
use http::request::Parts;

use super::headers::end_to_end;
use super::target::{SCHEME_HEADERS, Target};
use crate::exchange::{Body, Method, Pairs, Request, UnknownMethod, parse_query};

/// The request as its target would receive it: host and path, the client's end-to-end headers
/// without the routing headers, and `body`, whose Content-Encoding is already decoded. It has no
/// timestamp.
///
/// # Errors
/// A method that cannot be recorded.
pub fn request_to_exchange<'a>(
    parts: &'a Parts,
    target: &'a Target,
    body: Body<'a>,
) -> Result<Request<'a>, UnknownMethod> {
    let method = parts.method.as_str().parse()?;
    Ok(Request { method, ..request_of_any_method(parts, target, body) })
}

/// Like [`request_to_exchange`], but accepts every method. The method of the result has no meaning;
/// the caller takes it from `parts`.
pub fn request_of_any_method<'a>(
    parts: &'a Parts,
    target: &'a Target,
    body: Body<'a>,
) -> Request<'a> {
    let (path, query) = target.parts();
    Request {
        method: Method::default(),
        protocol: target.protocol,
        host: Cow::Borrowed(&target.host),
        pathname: Cow::Borrowed(path),
        query: query.map_or_else(Vec::new, parse_query),
        wire_query: query.map(Cow::Borrowed),
        headers: recorded_request_headers(&parts.headers, &target.host),
        body,
        timestamp: None,
    }
}

/// The end-to-end headers of a request to `host`, without the routing headers.
pub(crate) fn recorded_request_headers<'a>(headers: &'a HeaderMap, host: &'a str) -> Pairs<'a> {
    let mut recorded = Pairs::with_capacity(headers.len() + 1);
    recorded.push((Cow::Borrowed(HOST.as_str()), Cow::Borrowed(host)));
    recorded.extend(
        end_to_end(headers)
            .filter(|(name, _)| name != HOST.as_str() && !SCHEME_HEADERS.contains(&name.as_ref())),
    );
    recorded
}
