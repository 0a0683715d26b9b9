//! The exchange: one HTTP request and its response, if any.
//!
//! One type serves reading and writing. Strings are [`Cow`]s, so that a reader can borrow from the
//! parsed line, while a recorder builds `Exchange<'static>`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::pairs::{BytePairs, Pairs};
use super::query::{parse_query, wire_path};
use super::text::BodyText;

/// One recorded request and its response: a line of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exchange<'a> {
    /// The request.
    pub request: Request<'a>,
    /// The response; `None` if there was none ([`Meta::error`] has the reason).
    pub response: Option<Response<'a>>,
    /// Further information from the recorder.
    pub meta: Meta<'a>,
}

/// The request of an exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request<'a> {
    /// The method, one of the nine that the format has names for.
    pub method: Method,
    /// `http` or `https`.
    pub protocol: Protocol,
    /// Lower-case `host[:port]`; empty if unknown.
    pub host: Cow<'a, str>,
    /// The path as on the wire: percent-encoded, without query, beginning with `/`.
    pub pathname: Cow<'a, str>,
    /// The query, percent-decoded, in wire order if known.
    pub query: Pairs<'a>,
    /// The query as on the wire, without `?`; empty for a bare `?`, `None` if unknown or absent. If
    /// the two differ, for instance because a secret was replaced, [`Self::query`] counts.
    pub wire_query: Option<Cow<'a, str>>,
    /// Headers as recorded.
    pub headers: Pairs<'a>,
    /// The decoded body.
    pub body: Body<'a>,
    /// The RFC 3339 time when the request began.
    pub timestamp: Option<Cow<'a, str>>,
}

impl Request<'_> {
    /// Applies replacements in [`Self::query`] to [`Self::wire_query`] too.
    pub(crate) fn hide_in_wire_query(&mut self) {
        if let Some(wire) = &self.wire_query
            && parse_query(wire) != self.query
        {
            let hidden = wire_path("", &self.query, Some(wire));
            self.wire_query = Some(Cow::Owned(hidden[1..].to_owned()));
        }
    }
}

/// The response of an exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response<'a> {
    /// The status code, 100 to 999.
    pub status: u16,
    /// Headers as recorded.
    pub headers: Pairs<'a>,
    /// The decoded body.
    pub body: Body<'a>,
    /// The RFC 3339 time when the response was complete.
    pub timestamp: Option<Cow<'a, str>>,
}

/// A body with its Content-Encoding decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Body<'a> {
    /// No body, or an empty one: the format does not distinguish them.
    #[default]
    Empty,
    /// Valid UTF-8; never empty.
    Text(BodyText<'a>),
    /// Anything else; never empty. Stored as base64 under `meta.hmt`.
    Binary(Cow<'a, [u8]>),
}

impl<'a> Body<'a> {
    /// The body's bytes; none for an empty body.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Body::Empty => &[],
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
        }
    }

    /// The literal between the quotes, for a text that was read with escapes.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self {
            Body::Text(text) => text.literal(),
            Body::Empty | Body::Binary(_) => None,
        }
    }

    /// True if the body has more than this many bytes.
    pub(crate) fn is_longer_than(&self, bytes: usize) -> bool {
        // An escape is never shorter than its character.
        self.literal().is_none_or(|literal| literal.len() > bytes) && self.as_bytes().len() > bytes
    }

    /// The body as text, if it is valid UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Body::Empty => Some(""),
            Body::Text(text) => Some(text),
            Body::Binary(_) => None,
        }
    }

    /// True if the body has no bytes.
    pub fn is_empty(&self) -> bool {
        matches!(self, Body::Empty)
    }

    /// Classifies borrowed bytes: empty, text or binary.
    pub fn lent(bytes: &'a [u8]) -> Body<'a> {
        if bytes.is_empty() {
            return Body::Empty;
        }
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => Body::Text(text.into()),
            Err(_) => Body::Binary(Cow::Borrowed(bytes)),
        }
    }

    /// Classifies bytes: empty, text or binary.
    pub fn from_bytes(bytes: Vec<u8>) -> Body<'static> {
        if bytes.is_empty() {
            return Body::Empty;
        }
        match String::from_utf8(bytes) {
            Ok(text) => Body::Text(text.into()),
            Err(error) => Body::Binary(Cow::Owned(error.into_bytes())),
        }
    }
}

/// The content of `meta.hmt` (hmt-exchange(5)), without the base64 bodies, which are in
/// [`Body::Binary`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta<'a> {
    /// Random id of the recorder's run.
    pub run: Option<Cow<'a, str>>,
    /// Number of the exchange within the run.
    pub seq: Option<u64>,
    /// Id of the client's connection.
    pub connection: Option<u64>,
    /// Milliseconds from the request's first byte to the response's last.
    pub duration_ms: Option<f64>,
    /// The request body's full size in bytes, if the record is truncated.
    pub truncated_request: Option<u64>,
    /// The response body's full size in bytes, if the record is truncated.
    pub truncated_response: Option<u64>,
    /// The side that cut the exchange short.
    pub incomplete: Option<Side>,
    /// Why there is no response.
    pub error: Option<Cow<'a, str>>,
    /// For each chunk of a streamed response: milliseconds since its first byte, and size in bytes.
    pub chunks: Vec<(f64, u64)>,
    /// The method as on the wire, if the format has no name for it. [`Request::method`] is then
    /// `post`.
    pub method: Option<Cow<'a, str>>,
    /// The reason phrase, if it is not the standard one of the status. May be empty.
    pub reason: Option<Cow<'a, str>>,
    /// The bytes of request header values that are not UTF-8. [`Request::headers`] has the same
    /// values decoded as ISO 8859-1.
    pub request_header_bytes: BytePairs<'a>,
    /// The same for the response.
    pub response_header_bytes: BytePairs<'a>,
    /// Trailers of the request.
    pub request_trailers: Pairs<'a>,
    /// Trailers of the response.
    pub trailers: Pairs<'a>,
    /// Violations of the spec that the recorder checked against.
    pub violations: Vec<Cow<'a, str>>,
    /// Names whose values were replaced.
    pub redacted: Vec<Cow<'a, str>>,
    /// The mock's scope when it served this exchange.
    pub scope: Option<Cow<'a, str>>,
}

/// A side of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Client,
    /// The upstream.
    Upstream,
}

/// The methods that an http-types line can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Method {
    #[default]
    Get,
    Put,
    Post,
    Patch,
    Delete,
    Options,
    Trace,
    Head,
    Connect,
}

impl Method {
    /// All nine, in the order of the http-types schema.
    pub const ALL: [Method; 9] = [
        Method::Get,
        Method::Put,
        Method::Post,
        Method::Patch,
        Method::Delete,
        Method::Options,
        Method::Trace,
        Method::Head,
        Method::Connect,
    ];

    /// Lower case, as in lines and specs.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "get",
            Method::Put => "put",
            Method::Post => "post",
            Method::Patch => "patch",
            Method::Delete => "delete",
            Method::Options => "options",
            Method::Trace => "trace",
            Method::Head => "head",
            Method::Connect => "connect",
        }
    }
}

/// A method that the format has no name for.
#[derive(Debug, thiserror::Error)]
#[error("method {}must be get, put, post, patch, delete, options, trace, head or connect", quoted(.0))]
pub struct UnknownMethod(pub String);

/// A possible method in quotes. Anything else may be a secret in the wrong place.
fn quoted(method: &str) -> String {
    let is_word =
        method.len() <= 20 && method.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    if is_word { format!("{method:?} ") } else { String::new() }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Method::ALL
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownMethod(text.to_owned()))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The scheme of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Unencrypted.
    #[default]
    Http,
    /// Over TLS.
    Https,
}

impl Protocol {
    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Http => "http",
            Protocol::Https => "https",
        }
    }
}

/// The first value of a header; `name` in lower case.
pub fn header<'h>(headers: &'h Pairs<'_>, name: &str) -> Option<&'h str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
}
