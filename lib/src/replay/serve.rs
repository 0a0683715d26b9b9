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
use hyper::Response;
use hyper::ext::ReasonPhrase;
use serde_json::Map;
use tokio::net::TcpListener;

use crate::exchange::{self, Body};
use crate::net::{
    Answered, Answerer, ClientError, Drained, Inbound, Received, Refusal, ServerOptions,
    ThrottledReport, problem_json, request_of_any_method, serve_answers,
};
use crate::recorded::{HostRule, Lookup, RecordedAnswer, Recordings};

use super::body::ReplayBody;
use super::preflight;
use super::upstream::{FallbackUpstream, UpstreamError};

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
    latency: Latency,
    upstream: Option<Arc<FallbackUpstream>>,
    counters: Counters,
    problems: ThrottledReport,
}

/// Serves recordings until `shutdown`. Requests without a recording go to `upstream`.
///
/// # Errors
/// The address of the listener is unknown.
pub async fn serve(
    recordings: Recordings,
    latency: Latency,
    upstream: Option<Arc<FallbackUpstream>>,
    listener: TcpListener,
    options: ServerOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<ReplaySummary> {
    let (report, redactor) = (Arc::clone(&options.report), options.redactor.clone());
    let problems = ThrottledReport::new(Arc::new(move |line| match &redactor {
        Some(redactor) => report(&redactor.shown_text(line)),
        None => report(line),
    }));
    let counters = Counters::default();
    let server = Arc::new(ReplayServer { recordings, latency, upstream, counters, problems });
    let drained = serve_answers(&server, listener, options, shutdown).await?;
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

impl Answerer for ReplayServer {
    type Body = ReplayBody;

    fn knows_host(&self, host: &str) -> bool {
        self.recordings.knows_host(host)
    }

    fn is_timed(&self) -> bool {
        false
    }

    fn answer_now(&self, request: &Received) -> Option<Answered<ReplayBody>> {
        if self.upstream.is_some() { None } else { self.find(request).ok() }
    }

    async fn answer(&self, request: Received) -> Answered<ReplayBody> {
        let (upstream, sent) = match self.find(&request) {
            Ok(answered) => return answered,
            Err(unknown) => *unknown,
        };
        let path = &request.inbound.target.path_and_query;
        let answer = upstream.ask(&request.parts, path, request.body.clone(), sent).await;
        answered("upstream", self.passed_on(answer))
    }

    fn refuse(&self, _: &Parts, refusal: &Refusal) -> Answered<ReplayBody> {
        answered("refused", refuse(refusal.status(), refusal.title(), &refusal.to_string()))
    }
}

impl ReplayServer {
    /// The answer to a request, or the upstream and the request for it.
    fn find<'r>(
        &self,
        received: &'r Received,
    ) -> Result<Answered<ReplayBody>, Box<(&FallbackUpstream, exchange::Request<'r>)>> {
        let Received { parts, inbound: Inbound { target, named }, body, .. } = received;
        let mut request = request_of_any_method(parts, target, Body::lent(body));
        let known = parts.method.as_str().parse::<exchange::Method>().ok();
        request.method = known.unwrap_or_default();
        let host = if *named { HostRule::Same } else { HostRule::Any };
        let method = if known.is_some() { None } else { Some(parts.method.as_str()) };
        let lookup = Lookup { request: &request, method, host };
        match self.replay(parts, &lookup) {
            Ok(Some(answered)) => {
                self.counters.answered.fetch_add(1, Ordering::Relaxed);
                return Ok(answered);
            }
            Ok(None) => (),
            Err(error) => {
                let why = format!("the recording cannot be read: {error}");
                self.problems.report("recording", "", || why.clone());
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                let response = refuse(status, "the recording cannot be read", &why);
                return Ok(answered("failed", response));
            }
        }
        if let Some(response) = preflight::answer(parts, &request.pathname, &self.recordings) {
            return Ok(answered("preflight", response));
        }
        self.counters.missed.fetch_add(1, Ordering::Relaxed);
        if let Some(upstream) = &self.upstream {
            return Err(Box::new((upstream, request)));
        }
        let why = self.recordings.explain_miss(&lookup);
        let response = refuse(StatusCode::NOT_FOUND, "no recording of this request", &why);
        Ok(answered("miss", response))
    }

    /// The recorded answer, at its recorded time.
    fn replay(
        &self,
        parts: &Parts,
        lookup: &Lookup<'_>,
    ) -> io::Result<Option<Answered<ReplayBody>>> {
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
        let timed = self.latency == Latency::Recorded;
        let delay = answer.latency.filter(|_| timed).unwrap_or_default();
        let takes_trailers = parts.version == Version::HTTP_11 && accepts_trailers(&parts.headers);
        let response = to_response(answer, head, timed, takes_trailers);
        Ok(Some(Answered { delay, ..answered("recording", response) }))
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
                    UpstreamError::Client { cause: ClientError::TimedOut, .. } => {
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

fn answered(source: &'static str, response: Response<ReplayBody>) -> Answered<ReplayBody> {
    Answered { response, delay: Duration::ZERO, source, note: None }
}

/// True if the client accepts trailers (RFC 9110, 6.5.1).
fn accepts_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
}

fn to_response(
    answer: Arc<RecordedAnswer>,
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
