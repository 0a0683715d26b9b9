//! Converts drafts to requests on the wire, and received messages to responses.

use std::future::poll_fn;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, HOST, HeaderValue, TE};
use http::{HeaderMap, Request, StatusCode, Version};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::time::{Instant, timeout};

use super::options::RequestChange;
use crate::exchange::{DecodeLimits, Side, decode_body, decode_start};
use crate::net::Target;
use crate::replay::carry::Draft;

/// Maximum size of a response body in bytes. Readers of exchanges accept no longer lines.
const MAX_BODY: usize = 48 << 20;
/// Bytes that a request target cannot contain.
const ILLEGAL: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'\\');

/// The body of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct OutBody {
    data: Bytes,
    trailers: Option<HeaderMap>,
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if !self.data.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.data)))));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.trailers {
            Some(_) => SizeHint::default(),
            None => SizeHint::with_exact(self.data.len() as u64),
        }
    }
}

/// A request that is ready, and can be sent again.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub(super) method: http::Method,
    pub(super) target: String,
    /// With `Host`.
    pub(super) headers: HeaderMap,
    /// The body without its Content-Encoding, for the record.
    pub(super) plain: Bytes,
    pub(super) out: OutBody,
    /// HTTP/2 without TLS, as gRPC uses it.
    pub(super) prior_knowledge: bool,
}

/// The request of a draft, with the user's changes.
pub(super) fn ready(
    method: http::Method,
    draft: Draft,
    trailers: HeaderMap,
    host: &HeaderValue,
    changes: &[RequestChange],
) -> Ready {
    let Draft { mut target, headers: drafted, body } = draft;
    let mut headers = HeaderMap::with_capacity(drafted.len() + 1);
    headers.insert(HOST, host.clone());
    for (name, value) in drafted {
        // A carried value may contain bytes that a header cannot contain.
        if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
            headers.append(name, value);
        }
    }
    for change in changes {
        match change {
            RequestChange::Header(name, Some(value)) => {
                headers.insert(name.clone(), value.clone());
            }
            RequestChange::Header(name, None) => {
                headers.remove(name);
            }
            RequestChange::Query(name, value) => target = with_query(&target, name, value),
        }
    }
    let grpc = headers
        .get("content-type")
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if grpc {
        // RFC 9113, section 8.2.2, allows no other value.
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    let plain = Bytes::from(body);
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let data = encoding.map_or_else(|| plain.clone(), |encoding| encoded(&plain, encoding));
    let trailers = Some(trailers).filter(|trailers| !trailers.is_empty());
    Ready { method, target, headers, plain, out: OutBody { data, trailers }, prior_knowledge: grpc }
}

/// The target with this parameter in place of all of its name, or at the end.
fn with_query(target: &str, name: &str, value: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pieces: Vec<String> = Vec::new();
    let mut done = false;
    let pair = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        let own = form_urlencoded::parse(piece.as_bytes()).next();
        if own.is_none_or(|(own, _)| own != name) {
            pieces.push(piece.to_owned());
        } else if !std::mem::replace(&mut done, true) {
            pieces.push(pair.clone());
        }
    }
    if !done {
        pieces.push(pair);
    }
    format!("{path}?{}", pieces.join("&"))
}

/// The body in the Content-Encoding of its header. A body that the recorder could not decode is
/// already encoded.
fn encoded(plain: &Bytes, encoding: &str) -> Bytes {
    if plain.is_empty() {
        return plain.clone();
    }
    let mut body = plain.clone();
    for coding in encoding.split(',') {
        let coded = match coding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => continue,
            "gzip" | "x-gzip" if !body.starts_with(&[0x1f, 0x8b]) => {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(&body).and_then(|()| encoder.finish())
            }
            "deflate" => {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(&body).and_then(|()| encoder.finish())
            }
            "zstd" if !body.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => {
                zstd::encode_all(&body[..], 0)
            }
            "br" => {
                let mut out = Vec::new();
                let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 5, 22);
                let written = encoder.write_all(&body).and_then(|()| encoder.flush());
                drop(encoder);
                written.map(|()| out)
            }
            // The coding is unknown, so the record has the body as it was on the wire.
            _ => return plain.clone(),
        };
        // Writing to memory cannot fail.
        body = coded.unwrap_or_default().into();
    }
    body
}

impl Ready {
    /// The request for a connection; `http2` needs the whole URL.
    ///
    /// # Errors
    /// The target is not valid in HTTP.
    pub(super) fn request(
        &self,
        server: &Target,
        http2: bool,
    ) -> Result<Request<OutBody>, http::Error> {
        let mut request = Request::new(self.out.clone());
        *request.method_mut() = self.method.clone();
        let parse = |target: &str| match http2 {
            false => target.parse::<http::Uri>(),
            true => format!("{}://{}{target}", server.protocol.as_str(), server.host).parse(),
        };
        *request.uri_mut() = match parse(&self.target) {
            Ok(uri) => uri,
            Err(_) => parse(&utf8_percent_encode(&self.target, ILLEGAL).to_string())?,
        };
        request.headers_mut().clone_from(&self.headers);
        if http2 {
            *request.version_mut() = Version::HTTP_2;
            if self.headers.get(HOST).is_some_and(|host| host == server.host.as_str()) {
                // `:authority` has it.
                request.headers_mut().remove(HOST);
            }
        }
        Ok(request)
    }
}

/// A response.
#[derive(Debug)]
pub(in super::super) struct Received {
    pub(super) status: StatusCode,
    pub(super) reason: Option<String>,
    pub(super) headers: HeaderMap,
    /// Decoded, if it can be.
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
    pub(super) incomplete: Option<Side>,
    /// The full size, if the body is not complete.
    pub(super) truncated: Option<u64>,
    /// The number of its connection.
    pub(super) connection: u64,
    /// The time and size of each piece of an event stream.
    pub(super) chunks: Vec<(f64, u64)>,
}

/// Reads a response to its end. `idle` limits pauses; after `left_after` bytes, the client of the
/// recording left the response.
pub(super) async fn receive(
    response: http::Response<Incoming>,
    idle: Duration,
    left_after: Option<u64>,
) -> Received {
    let (parts, mut body) = response.into_parts();
    let reason = parts.extensions.get::<hyper::ext::ReasonPhrase>();
    let reason = reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
    let is_stream = parts
        .headers
        .get("content-type")
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    let mut received = Received {
        status: parts.status,
        reason,
        headers: parts.headers,
        body: Bytes::new(),
        trailers: HeaderMap::new(),
        incomplete: None,
        truncated: None,
        connection: 0,
        chunks: Vec::new(),
    };
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let began = Instant::now();
    loop {
        let length = first.len() + all.len();
        if left_after.is_some_and(|bytes| length as u64 >= bytes) && !body.is_end_stream() {
            received.incomplete = Some(Side::Client);
            break;
        }
        if body.is_end_stream() && length == 0 {
            break;
        }
        let frame = match timeout(idle, poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame,
            // The server cut the body short, or was silent for too long.
            Ok(Some(Err(_))) | Err(_) => {
                received.incomplete = Some(Side::Upstream);
                break;
            }
        };
        match frame.into_data() {
            Ok(data) => {
                if is_stream {
                    let ms = began.elapsed().as_secs_f64() * 1000.0;
                    received.chunks.push((ms, data.len() as u64));
                }
                if length + data.len() > MAX_BODY {
                    let announced = body.size_hint().exact().unwrap_or_default();
                    received.truncated = Some((length + data.len()) as u64 + announced);
                    break;
                }
                if first.is_empty() && all.is_empty() {
                    first = data;
                } else {
                    all.extend_from_slice(&first);
                    first = Bytes::new();
                    all.extend_from_slice(&data);
                }
            }
            Err(frame) => received.trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    let bytes = if all.is_empty() { first } else { all.freeze() };
    received.decode(bytes);
    received
}

impl Received {
    fn decode(&mut self, bytes: Bytes) {
        let encoding = self.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let Some(encoding) = encoding.filter(|_| !bytes.is_empty()) else {
            self.body = bytes;
            return;
        };
        let is_whole = self.truncated.is_none() && self.incomplete.is_none();
        let decode = if is_whole { decode_body } else { decode_start };
        let decoded = decode(&bytes, Some(encoding), DecodeLimits::default());
        self.chunks.clear();
        if decoded.problem.is_some() && is_whole {
            // As in the recorder, such a body is left out, because secrets in it cannot be found.
            self.truncated = Some(bytes.len() as u64);
            return;
        }
        self.body = match decoded.bytes {
            std::borrow::Cow::Owned(plain) => plain.into(),
            std::borrow::Cow::Borrowed(_) => bytes,
        };
    }
}

/// The `Host` of the target.
pub(super) fn host_of(target: &Target) -> HeaderValue {
    // A target has a valid host.
    HeaderValue::from_str(&target.host).unwrap_or_else(|_| HeaderValue::from_static(""))
}
