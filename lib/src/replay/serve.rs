//! The HTTP server for recordings.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TE, TRAILER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::{Request, Response};
use serde_json::Map;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::exchange::{self, Body, Redactor};
use crate::net::{
    self, Drained, Inbound, InboundRouting, Limits, Peer, Protocols, Report, ThrottledReport,
    collect_decoded, problem_json, request_of_any_method,
};
use crate::recorded::{Answer, HostRule, Lookup, Recordings};

use super::body::ReplayBody;
use super::preflight;
use super::upstream::{FallbackUpstream, UpstreamError};

/// Maximum size of a request body in bytes.
const MAX_BODY: u64 = 64 << 20;
/// Timeout for pauses within a request body.
const BODY_IDLE: Duration = Duration::from_secs(30);

/// How recordings are served.
#[derive(Clone)]
pub struct ServeOptions {
    /// Where a request can name its host.
    pub routing: InboundRouting,
    /// When answers are sent.
    pub latency: Latency,
    /// The protocols that clients may speak.
    pub protocols: Protocols,
    /// Time for requests in progress after the shutdown.
    pub grace: Duration,
    /// Receives problems.
    pub report: Report,
    /// Receives a line for each request and its response.
    pub trace: Option<Report>,
    /// Replaces the secrets in these reports.
    pub redactor: Arc<Redactor>,
}

/// When an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Immediately.
    None,
    /// After the recorded latency, with each chunk of a stream at its recorded time.
    Recorded,
}

/// The result of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplaySummary {
    /// Requests answered from a recording.
    pub answered: u64,
    /// Requests without a matching recording.
    pub missed: u64,
    /// Whether an upstream was asked.
    pub asks_upstream: bool,
    /// How many of these an upstream answered.
    pub passed_on: u64,
    /// How many of these failed there, or could not be recorded.
    pub failed: u64,
    /// How many connections were closed at the end of the grace period.
    pub drained: Drained,
}

impl fmt::Display for ReplaySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered {}, missed {}", self.answered, self.missed)?;
        if self.asks_upstream {
            write!(f, ", sent upstream {}, failed {}", self.passed_on, self.failed)?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Counters {
    answered: AtomicU64,
    missed: AtomicU64,
    passed_on: AtomicU64,
    failed: AtomicU64,
}

/// The state that all requests share.
struct ReplayServer {
    recordings: Recordings,
    upstream: Option<Arc<FallbackUpstream>>,
    options: ServeOptions,
    counters: Counters,
    problems: ThrottledReport,
    port: u16,
}

/// Serves recordings until `shutdown`. Requests without a recording go to `upstream`.
///
/// # Errors
/// The address of the listener is unknown.
pub async fn serve(
    recordings: Recordings,
    upstream: Option<Arc<FallbackUpstream>>,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<ReplaySummary> {
    let port = listener.local_addr()?.port();
    let limits = Limits {
        report: options.report.clone(),
        protocols: options.protocols.clone(),
        ..Limits::default()
    };
    let grace = options.grace;
    let counters = Counters::default();
    let redactor = Arc::clone(&options.redactor);
    let report = Arc::clone(&options.report);
    let problems = ThrottledReport::new(Arc::new(move |line| report(&redactor.shown_text(line))));
    let server = Arc::new(ReplayServer { recordings, upstream, options, counters, problems, port });
    let shared = Arc::clone(&server);
    let handler = move |request: Request<Incoming>, _: Peer| {
        let server = Arc::clone(&shared);
        async move {
            let Some(trace) = &server.options.trace else { return server.respond(request).await.1 };
            let target = request.uri().to_string();
            let target = server.options.redactor.shown_text(&target);
            let named = format!("{} {target}", request.method());
            let (source, response) = server.respond(request).await;
            trace(&format!("{named} {} {source}", response.status().as_u16()));
            response
        }
    };
    let drained = net::serve(listener, limits, shutdown, grace, handler).await;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let Counters { answered, missed, passed_on, failed } = &server.counters;
    Ok(ReplaySummary {
        answered: count(answered),
        missed: count(missed),
        asks_upstream: server.upstream.is_some(),
        passed_on: count(passed_on),
        failed: count(failed),
        drained,
    })
}

impl ReplayServer {
    /// The source of the response, for the trace, and the response.
    async fn respond(&self, request: Request<Incoming>) -> (&'static str, Response<ReplayBody>) {
        let (parts, body) = request.into_parts();
        let knows = |host: &str| self.recordings.knows_host(host);
        let inbound = match Inbound::of(&parts, self.options.routing, self.port, knows) {
            Ok(inbound) => inbound,
            Err(error) => {
                let why = error.to_string();
                return ("refused", refuse(StatusCode::BAD_REQUEST, "the request's target", &why));
            }
        };
        let sent = match collect_decoded(&parts.headers, body, MAX_BODY, BODY_IDLE).await {
            Ok(body) => body,
            Err(error) => {
                let why = error.to_string();
                return ("refused", refuse(error.status(), "the request's body", &why));
            }
        };
        let mut request = request_of_any_method(&parts, &inbound.target, Body::lent(&sent));
        let known = parts.method.as_str().parse::<exchange::Method>().ok();
        request.method = known.unwrap_or_default();
        let host = if inbound.named { HostRule::Same } else { HostRule::Any };
        let method = if known.is_some() { None } else { Some(parts.method.as_str()) };
        let lookup = Lookup { request: &request, method, host };
        match self.replay(&parts, &lookup).await {
            Ok(Some(response)) => {
                self.counters.answered.fetch_add(1, Ordering::Relaxed);
                return ("recording", response);
            }
            Ok(None) => (),
            Err(error) => {
                let why = format!("the recording cannot be read: {error}");
                self.problems.report("recording", "", || why.clone());
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return ("failed", refuse(status, "the recording cannot be read", &why));
            }
        }
        if let Some(response) = preflight::answer(&parts, &request.pathname, &self.recordings) {
            return ("preflight", response);
        }
        self.counters.missed.fetch_add(1, Ordering::Relaxed);
        match &self.upstream {
            None => {
                let why = self.recordings.explain_miss(&lookup);
                ("miss", refuse(StatusCode::NOT_FOUND, "no recording of this request", &why))
            }
            Some(upstream) => {
                let path = &inbound.target.path_and_query;
                let answer = upstream.ask(&parts, path, sent.clone(), request.clone()).await;
                (("upstream"), self.passed_on(answer))
            }
        }
    }

    /// The recorded answer, at its recorded time.
    async fn replay(
        &self,
        parts: &Parts,
        lookup: &Lookup<'_>,
    ) -> io::Result<Option<Response<ReplayBody>>> {
        let head = parts.method == Method::HEAD;
        let answer = match self.recordings.answer(lookup)? {
            None if head => {
                let method = exchange::Method::Get;
                let get = exchange::Request { method, ..lookup.request.clone() };
                self.recordings.peek(&Lookup { request: &get, ..*lookup })?
            }
            answer => answer,
        };
        let Some(answer) = answer else { return Ok(None) };
        let timed = self.options.latency == Latency::Recorded;
        if let Some(latency) = answer.latency.filter(|_| timed) {
            sleep(latency).await;
        }
        let takes_trailers = parts.version == Version::HTTP_11 && accepts_trailers(&parts.headers);
        Ok(Some(to_response(answer, head, timed, takes_trailers)))
    }

    fn passed_on(&self, answer: Result<Response<Bytes>, UpstreamError>) -> Response<ReplayBody> {
        match answer {
            Ok(response) => {
                self.counters.passed_on.fetch_add(1, Ordering::Relaxed);
                response.map(ReplayBody::Whole)
            }
            Err(error) => {
                self.counters.failed.fetch_add(1, Ordering::Relaxed);
                let why = error.to_string();
                self.problems.report(error.kind(), "", || format!("--on-miss: {why}"));
                let status = match error {
                    UpstreamError::Client { cause: net::ClientError::TimedOut, .. } => {
                        StatusCode::GATEWAY_TIMEOUT
                    }
                    UpstreamError::Record(_) => StatusCode::INTERNAL_SERVER_ERROR,
                    _ => StatusCode::BAD_GATEWAY,
                };
                refuse(status, "no recording of this request, and --on-miss got no response", &why)
            }
        }
    }
}

/// True if the client accepts trailers (RFC 9110, 6.5.1).
fn accepts_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
}

fn to_response(
    answer: Arc<Answer>,
    head: bool,
    timed: bool,
    takes_trailers: bool,
) -> Response<ReplayBody> {
    let mut response = Response::new(ReplayBody::Whole(Bytes::new()));
    *response.status_mut() = answer.status;
    response.headers_mut().clone_from(&answer.headers);
    if let Some(reason) = &answer.reason
        && let Ok(reason) = ReasonPhrase::try_from(reason.clone())
    {
        response.extensions_mut().insert(reason);
    }
    if head {
        let length = answer
            .head_length
            .or_else(|| (!answer.body.is_empty()).then_some(answer.body.len() as u64));
        if let Some(length) = length {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        return response;
    }
    if takes_trailers && !answer.trailers.is_empty() && !answer.headers.contains_key(TRAILER) {
        // HTTP/1.1 requires an announcement of trailers. A recording from HTTP/2 may have none.
        let names: Vec<&str> = answer.trailers.keys().map(http::HeaderName::as_str).collect();
        if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
            response.headers_mut().insert(TRAILER, names);
        }
    }
    *response.body_mut() = ReplayBody::of(answer, timed);
    response
}

/// An error response as problem+json (RFC 9457).
fn refuse(status: StatusCode, title: &str, why: &str) -> Response<ReplayBody> {
    let body = problem_json(status, title, why, Map::new());
    let mut response = Response::new(ReplayBody::Whole(body.into()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
