//! Recordings behind a socket.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::Map;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::exchange::Body;
use crate::net::{
    self, Drained, Inbound, Limits, Peer, Report, Routing, collect_decoded, problem,
    request_to_exchange,
};
use crate::recorded::{Answer, HostRule, Recordings};

/// The longest request body that is read.
const MAX_BODY: u64 = 64 << 20;
/// How long a client may be silent within a request body.
const BODY_IDLE: Duration = Duration::from_secs(30);

/// How recordings are served.
#[derive(Clone)]
pub struct ServeOptions {
    /// Where the host may stand that a request means.
    pub routing: Routing,
    /// When an answer is sent.
    pub latency: Latency,
    /// Time for requests in flight when the server is asked to end.
    pub grace: Duration,
    /// Told of trouble.
    pub report: Report,
    /// Told of each request and its answer.
    pub trace: Option<Report>,
}

/// When an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// At once.
    None,
    /// After the time that the recorded one took.
    Recorded,
}

/// Serves recordings until `shutdown`; tells how many connections outlasted the grace.
///
/// # Errors
/// A listener without address.
pub async fn serve(
    recordings: Arc<Recordings>,
    listener: TcpListener,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<Drained> {
    let port = listener.local_addr()?.port();
    let limits = Limits { report: options.report.clone(), ..Limits::default() };
    let grace = options.grace;
    let shared = Arc::new((recordings, options));
    let handler = move |request: Request<Incoming>, _: Peer| {
        let shared = Arc::clone(&shared);
        async move {
            let (recordings, options) = &*shared;
            let named = format!("{} {}", request.method(), request.uri());
            let head = request.method() == Method::HEAD;
            let answer = answer(recordings, options, request, port).await;
            let status = answer.as_ref().map_or_else(Response::status, |answer| answer.status);
            if let Some(trace) = &options.trace {
                let source = if answer.is_ok() { "recording" } else { "miss" };
                trace(&format!("{named} {} {source}", status.as_u16()));
            }
            match answer {
                Ok(answer) => to_response(&answer, head),
                Err(problem) => problem,
            }
        }
    };
    Ok(net::serve(listener, limits, shutdown, grace, handler).await)
}

/// The recorded answer, or a problem that tells why there is none.
async fn answer(
    recordings: &Recordings,
    options: &ServeOptions,
    request: Request<Incoming>,
    port: u16,
) -> Result<Arc<Answer>, Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let refuse = |status, title: &str, why: &str| problem(status, title, why, Map::new());
    let inbound = Inbound::of(&parts, options.routing, port, |host| recordings.knows_host(host))
        .map_err(|error| {
            refuse(StatusCode::BAD_REQUEST, "the request's target", &error.to_string())
        })?;
    let body = collect_decoded(&parts.headers, body, MAX_BODY, BODY_IDLE)
        .await
        .map_err(|error| refuse(error.status(), "the request's body", &error.to_string()))?;
    let miss = |why: &str| refuse(StatusCode::NOT_FOUND, "no recording of this request", why);
    let request = request_to_exchange(&parts, &inbound.target, Body::lent(&body))
        .map_err(|error| miss(&error.to_string()))?;
    let host = if inbound.named { HostRule::Same } else { HostRule::Any };
    let answer = recordings
        .answer(&request, host)
        .ok_or_else(|| miss(&recordings.explain_miss(&request, inbound.named)))?;
    if let (Latency::Recorded, Some(latency)) = (options.latency, answer.latency) {
        sleep(latency).await;
    }
    Ok(answer)
}

fn to_response(answer: &Answer, head: bool) -> Response<Full<Bytes>> {
    let body = if head { Bytes::new() } else { answer.body.clone() };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = answer.status;
    response.headers_mut().clone_from(&answer.headers);
    if head && !answer.body.is_empty() {
        response.headers_mut().insert(CONTENT_LENGTH, answer.body.len().into());
    }
    response
}
