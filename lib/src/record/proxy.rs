//! The way of one request: where it goes, what it becomes on the way, and what the client gets.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TE,
    TRANSFER_ENCODING, VIA,
};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use serde_json::{Map, Value};

use super::capture::Capture;
use super::copy::Upload;
use super::download::Download;
use super::link::Link;
use super::recorder::{Recorder, Routing};
use super::tally::Dropped;
use super::upload::RequestBody;
use super::upstream::Failure;
use crate::exchange::{Protocol, Side};
use crate::net::{
    Peer, SCHEME_HEADERS, Target, TargetError, framing_is_sound, host_header, is_hop_by_hop,
    named_by_connection, problem,
};

/// Why a request goes nowhere.
struct Rejected {
    status: StatusCode,
    title: &'static str,
    detail: String,
}

impl Rejected {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Rejected { status, title, detail: detail.into() }
    }
}

impl From<TargetError> for Rejected {
    fn from(error: TargetError) -> Self {
        Rejected::new(StatusCode::BAD_REQUEST, "No target", error.to_string())
    }
}

/// Forwards a request to its target and records what happens.
pub(super) async fn answer(
    recorder: Arc<Recorder>,
    request: Request<Incoming>,
    peer: Peer,
) -> Response<Reply> {
    let seq = recorder.tally.see();
    let (parts, body) = request.into_parts();
    if recorder.journal.is_gone() {
        let why = "the recorder has no sink left and is about to end";
        return recorder.reject(Rejected::new(StatusCode::SERVICE_UNAVAILABLE, "Ending", why));
    }
    let routed = recorder.route(&parts).and_then(|target| Ok((target.uri()?, target)));
    let (uri, target) = match routed {
        Ok(found) => found,
        Err(rejected) => return recorder.reject(rejected),
    };
    let (upload, length) = if body.is_end_stream() {
        (None, None)
    } else {
        (Some(Arc::new(Upload::new(recorder.max_body))), Some(body.size_hint().exact()))
    };
    let body = match &upload {
        Some(upload) => RequestBody::new(body, upload.clone()),
        None => RequestBody::empty(),
    };
    let head = request_headers(&parts.headers, &target, length, &recorder.via);
    let method = parts.method.clone();
    let mut capture = Capture::new(
        recorder.clone(),
        target.clone(),
        parts.method,
        parts.headers,
        upload.clone(),
        (seq, peer.connection),
    );
    let head = || {
        let mut request = Request::new(());
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = head.clone();
        request
    };
    match recorder.send(&target, head, body, upload.as_deref()).await {
        Ok((response, mut link)) => {
            if upload.is_some_and(|upload| upload.lock().end.is_none()) {
                link.detach();
            }
            pass_on(recorder, response, link, capture, &method).await
        }
        Err(failure) if failure.is_refusal() => {
            capture.forget();
            let status = failure.status();
            recorder.reject(Rejected::new(status, "Refused target", failure.to_string()))
        }
        Err(failure) => {
            if matches!(failure, Failure::ClientLeft | Failure::ClientStalled(_)) {
                capture.cut_by(Side::Client);
            }
            capture.fail(failure.to_string());
            if let Some(taken) = capture.finish() {
                let _ = taken.await;
            }
            let mut extra = Map::new();
            let url = format!("{}://{}", target.protocol.as_str(), target.host);
            extra.insert("upstream".to_owned(), Value::from(url));
            problem(failure.status(), "No answer", &failure.to_string(), extra).map(Reply::Own)
        }
    }
}

async fn pass_on(
    recorder: Arc<Recorder>,
    response: Response<Incoming>,
    link: Link,
    mut capture: Capture,
    method: &Method,
) -> Response<Reply> {
    let (mut parts, body) = response.into_parts();
    let bodiless = body.is_end_stream();
    let keeps_length =
        bodiless && (method == Method::HEAD || parts.status == StatusCode::NOT_MODIFIED);
    let headers = response_headers(&parts.headers, keeps_length);
    // A message with both lengths is one that an attacker may have made; its connection is not trusted.
    let reusable = !(parts.headers.contains_key(TRANSFER_ENCODING)
        && parts.headers.contains_key(CONTENT_LENGTH));
    let events = is_event_stream(&parts.headers);
    let received = std::mem::replace(&mut parts.headers, headers);
    parts.version = http::Version::HTTP_11;
    capture.respond(parts.status.as_u16(), received, events);
    let timeout = (!events).then_some(recorder.timeout);
    let mut download = Download::new(recorder, body, (link, reusable), capture, timeout);
    if !bodiless {
        return Response::from_parts(parts, Reply::Passed(Box::new(download)));
    }
    // The head is all that the client gets, so the head waits for the record.
    let _ = std::future::poll_fn(|cx| Pin::new(&mut download).poll_frame(cx)).await;
    Response::from_parts(parts, Reply::Own(Full::default()))
}

impl Recorder {
    fn route(&self, parts: &Parts) -> Result<Target, Rejected> {
        if !framing_is_sound(&parts.headers) {
            let why = "only Transfer-Encoding: chunked is accepted";
            return Err(Rejected::new(StatusCode::BAD_REQUEST, "Unclear framing", why));
        }
        host_header(parts)?;
        if parts.method == Method::CONNECT {
            let why = "CONNECT is not offered; ask for https targets as /https://host/path";
            return Err(Rejected::new(StatusCode::NOT_IMPLEMENTED, "No tunnels", why));
        }
        if parts.headers.get_all(VIA).iter().any(|via| self.is_own(via)) {
            let why = "this request has passed this recorder already";
            return Err(Rejected::new(StatusCode::LOOP_DETECTED, "Loop", why));
        }
        let target = self.target(parts)?;
        self.connector.policy.check_name(&target).map_err(|refusal| {
            let why = format!("{}: {refusal}", target.host);
            Rejected::new(StatusCode::FORBIDDEN, "Refused target", why)
        })?;
        Ok(target)
    }

    fn target(&self, parts: &Parts) -> Result<Target, Rejected> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let absolute = Target::absolute(&parts.uri).transpose()?;
        match (&self.routing, absolute) {
            (Routing::Fixed(fixed), Some(absolute)) if !absolute.same_origin(fixed) => {
                let why = format!("all requests go to {}", fixed.host);
                Err(Rejected::new(StatusCode::FORBIDDEN, "Other target", why))
            }
            (_, Some(absolute)) => Ok(absolute),
            (Routing::Fixed(fixed), None) if path == "*" => {
                Ok(Target { path_and_query: path.to_owned(), ..fixed.clone() })
            }
            (Routing::Fixed(fixed), None) => Ok(fixed.join(path)),
            (Routing::Header, None) => Ok(Target::in_headers(parts, Protocol::Http)?),
            (Routing::Path, None) => match Target::in_path(path) {
                Some(target) => Ok(target?),
                None => Err(TargetError::NotInPath(path.to_owned()).into()),
            },
        }
    }

    fn is_own(&self, via: &HeaderValue) -> bool {
        let own = self.via.as_bytes();
        via.as_bytes().split(|&byte| byte == b',').any(|hop| hop.trim_ascii() == own)
    }

    /// Answers what is not forwarded, and closes the connection: what else comes on it is doubtful.
    fn reject(&self, rejected: Rejected) -> Response<Reply> {
        self.tally.discard(Dropped::Refused);
        let Rejected { status, title, detail } = rejected;
        let mut response = problem(status, title, &detail, Map::new()).map(Reply::Own);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

impl Target {
    fn uri(&self) -> Result<Uri, Rejected> {
        self.path_and_query.parse().map_err(|_| {
            let why = format!("{:?} is no path", self.path_and_query);
            Rejected::new(StatusCode::BAD_REQUEST, "No target", why)
        })
    }
}

/// The headers for the upstream. `length` is the body's: none, or some, known or not.
fn request_headers(
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
fn response_headers(headers: &HeaderMap, keeps_length: bool) -> HeaderMap {
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

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.as_bytes().get(..17))
        .is_some_and(|media| media.eq_ignore_ascii_case(b"text/event-stream"))
}

/// What a client gets: an answer of ours, or the upstream's.
pub(super) enum Reply {
    Own(Full<Bytes>),
    Passed(Box<Download>),
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Reply::Own(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Reply::Passed(body) => Pin::new(body.as_mut()).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Reply::Own(body) => body.is_end_stream(),
            Reply::Passed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Reply::Own(body) => body.size_hint(),
            Reply::Passed(body) => body.size_hint(),
        }
    }
}
