//! Forwards requests to another server.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::uri::InvalidUri;
use http::{HeaderMap, Request, Uri};
use http_body_util::Full;

use super::headers::copy_end_to_end;

/// A request for `url` with the method and the end-to-end headers of another one.
///
/// # Errors
/// `url` is not valid.
pub fn forwarded_request(
    parts: &Parts,
    url: &str,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, InvalidUri> {
    let mut request = Request::new(Full::new(body));
    *request.uri_mut() = url.parse::<Uri>()?;
    *request.method_mut() = parts.method.clone();
    *request.headers_mut() = forwarded_headers(&parts.headers);
    request.headers_mut().remove(HOST);
    Ok(request)
}

/// The end-to-end headers of a message, without the length of the body, which is framed again.
pub fn forwarded_headers(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len());
    copy_end_to_end(headers, &mut kept, |name| *name == CONTENT_LENGTH);
    kept
}
