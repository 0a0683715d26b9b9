//! The head of an HTTP request as an exchange holds it.

use std::borrow::Cow;

use http::header::{HOST, HeaderMap};
use http::request::Parts;

use super::headers::recorded_headers;
use super::target::{SCHEME_HEADERS, Target};
use crate::exchange::{Body, Pairs, Request, UnknownMethod, parse_query};

/// The request as the target would see it: its host and path, the end-to-end headers that the client
/// sent but for ours, and `body`, whose Content-Encoding is already undone. Without a timestamp.
///
/// # Errors
/// A method that a record cannot hold.
pub fn request_to_exchange(
    parts: &Parts,
    target: &Target,
    body: Body<'static>,
) -> Result<Request<'static>, UnknownMethod> {
    let own = |pairs: Pairs<'_>| -> Pairs<'static> {
        pairs
            .into_iter()
            .map(|(name, value)| (name.into_owned().into(), value.into_owned().into()))
            .collect()
    };
    Ok(Request {
        method: parts.method.as_str().parse()?,
        protocol: target.protocol,
        host: target.host.clone().into(),
        pathname: target.path().to_owned().into(),
        query: own(parse_query(target.query())),
        headers: own(request_headers(&parts.headers, &target.host)),
        body,
        timestamp: None,
    })
}

/// The end-to-end headers of a request to `host`, without those that only told us the target.
pub(crate) fn request_headers<'a>(headers: &'a HeaderMap, host: &'a str) -> Pairs<'a> {
    let mut recorded = recorded_headers(headers);
    recorded.retain(|(name, _)| name != HOST.as_str() && !SCHEME_HEADERS.contains(&name.as_ref()));
    recorded.insert(0, (Cow::Borrowed(HOST.as_str()), Cow::Borrowed(host)));
    recorded
}
