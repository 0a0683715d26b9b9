//! The mock behind sockets: from HTTP to a question, and from the answer to HTTP.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::ORIGIN;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::exchange::{self, Body, Exchange, Meta, timestamp};
use crate::net::{
    self, Drained, Inbound, Limits, Offer, Peer, Report, Routing, collect_body, decoded,
    recorded_headers, request_of_any_method,
};
use crate::recorded::HostRule;

use super::current::Current;
use super::log::{Log, Written};
use super::reply::Reply;
use super::serving::{Asked, Mock};
use super::upstream::Upstream;
use super::{admin, cors};

/// The longest request body that is read.
const MAX_BODY: u64 = 64 << 20;
/// How long a client may be silent within a request body.
const BODY_IDLE: Duration = Duration::from_secs(30);

/// Tells where an answer came from.
const SOURCE: HeaderName = HeaderName::from_static("x-hmt-source");

/// How a mock is served.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where the host may stand that a request means.
    pub routing: Routing,
    /// Let web pages of any origin read the answers.
    pub cors: bool,
    /// Time for requests in flight when the mock is asked to end.
    pub grace: Duration,
    /// What clients may speak besides HTTP/1 in clear text.
    pub offer: Offer,
    /// Asked where no spec has an answer.
    pub upstream: Option<Upstream>,
    /// Told of trouble.
    pub report: Report,
    /// Told of each request and its answer.
    pub trace: Option<Report>,
}

/// How serving ended.
#[derive(Debug)]
pub struct Served {
    /// Connections that were cut because they outlasted the grace.
    pub cut: usize,
    /// What became of the log, if there was one.
    pub written: Option<Written>,
}

/// An answer, or what it waits for. Most requests have no body, and theirs is there at once; the state of a future that
/// might wait, which is large, is not made for them.
enum Handled {
    Ready(Option<Response<Full<Bytes>>>),
    Waiting(Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>),
}

impl Future for Handled {
    type Output = Response<Full<Bytes>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            // No future is polled again once it was ready.
            Handled::Ready(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Handled::Waiting(answer) => answer.as_mut().poll(cx),
        }
    }
}

struct Server {
    mock: Arc<Current>,
    options: ServerOptions,
    port: u16,
    log: Option<Log>,
}

/// Serves the mock on one listener and its admin endpoints on another, until `shutdown`.
///
/// # Errors
/// A listener without address.
pub async fn serve(
    mock: Arc<Current>,
    listener: TcpListener,
    admin: Option<TcpListener>,
    log: Option<Log>,
    options: ServerOptions,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<Served> {
    let port = listener.local_addr()?.port();
    let (grace, report, offer) = (options.grace, options.report.clone(), options.offer.clone());
    let (stop, stopping) = watch::channel(());
    let limits = Limits { report, ..Limits::default() };
    let admin = admin.map(|listener| {
        tokio::spawn(serve_admin(Arc::clone(&mock), listener, limits.clone(), stopping))
    });
    let server = Arc::new(Server { mock, options, port, log });
    let handler = {
        let server = Arc::clone(&server);
        move |request, peer| server.handle(request, peer)
    };
    let limits = Limits { offer, ..limits };
    let Drained { cut } = net::serve(listener, limits, shutdown, grace, handler).await;
    drop(stop);
    if let Some(admin) = admin {
        let _ = admin.await;
    }
    // All connections have ended, and with them all other owners.
    let log = Arc::into_inner(server).and_then(|server| server.log);
    let written = match log {
        Some(log) => tokio::task::spawn_blocking(|| log.finish()).await.ok(),
        None => None,
    };
    Ok(Served { cut, written })
}

async fn serve_admin(
    mock: Arc<Current>,
    listener: TcpListener,
    limits: Limits,
    mut stopping: watch::Receiver<()>,
) {
    let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
    let shutdown = async move {
        let _ = stopping.changed().await;
    };
    let handler = move |request: Request<Incoming>, _: Peer| {
        let mock = Arc::clone(&mock);
        async move {
            let (parts, body) = request.into_parts();
            let reply = match collect_body(body, 1 << 20, BODY_IDLE).await {
                Ok(body) => admin::answer(&mock.get(), &parts, &body, port),
                Err(error) => Reply::problem(error.status(), "the body", &error.to_string()),
            };
            to_response(reply, parts.method == Method::HEAD)
        }
    };
    net::serve(listener, limits, shutdown, Duration::from_secs(1), handler).await;
}

impl Server {
    fn handle(self: &Arc<Self>, request: Request<Incoming>, peer: Peer) -> Handled {
        let (parts, body) = request.into_parts();
        if body.is_end_stream() && self.log.is_none() && self.options.upstream.is_none() {
            let started = self.options.trace.is_some().then(Instant::now);
            let mock = self.mock.get();
            let mut reply = match self.inbound(&mock, &parts) {
                Ok(inbound) => self.answer(&mock, &parts, &inbound, Body::Empty).0,
                Err(reply) => *reply,
            };
            self.finish(&parts, &mut reply, started);
            return Handled::Ready(Some(to_response(reply, parts.method == Method::HEAD)));
        }
        let clock = (SystemTime::now(), Instant::now());
        let server = Arc::clone(self);
        Handled::Waiting(Box::pin(async move { server.wait(parts, body, peer, clock).await }))
    }

    /// Answers a request whose body may still come, or whose answer is to be logged.
    async fn wait(
        &self,
        parts: Parts,
        body: Incoming,
        peer: Peer,
        (began, started): (SystemTime, Instant),
    ) -> Response<Full<Bytes>> {
        // One for the whole request: another may take its place meanwhile.
        let mock = Arc::clone(&self.mock.get());
        let received = match self.inbound(&mock, &parts) {
            Ok(inbound) => {
                let body = collect_body(body, MAX_BODY, BODY_IDLE).await;
                // The upstream gets what came, its Content-Encoding included.
                let raw = |body: &Bytes| self.options.upstream.is_some().then(|| body.clone());
                let body = body.map(|body| (raw(&body), decoded(&parts.headers, body)));
                body.map(|(raw, body)| (inbound, body, raw)).map_err(|error| {
                    let why = error.to_string();
                    Box::new(Reply::problem(error.status(), "the request's body", &why))
                })
            }
            Err(reply) => Err(reply),
        };
        let (mut reply, asked) = match &received {
            Ok((inbound, body, _)) => self.answer(&mock, &parts, inbound, Body::lent(body)),
            Err(reply) => (Reply::clone(reply), None),
        };
        if let (true, Ok((inbound, _, Some(raw))), Some(upstream)) =
            (reply.missed, &received, &self.options.upstream)
        {
            reply = upstream.ask(&parts, &inbound.target.path_and_query, raw.clone()).await;
        }
        self.finish(&parts, &mut reply, Some(started));
        if let (Some(log), Some(asked)) = (&self.log, asked) {
            let scope = mock.state().scope().map(|scope| scope.to_string().into());
            let exchange = Self::exchange(log, scope, asked, &reply, began, started, peer);
            log.write(exchange).await;
        }
        to_response(reply, parts.method == Method::HEAD)
    }

    /// What the request is meant for.
    fn inbound(&self, mock: &Mock, parts: &Parts) -> Result<Inbound, Box<Reply>> {
        let knows = |host: &str| mock.knows_host(host);
        Inbound::of(parts, self.options.routing, self.port, knows).map_err(|error| {
            let why = error.to_string();
            Box::new(Reply::problem(StatusCode::BAD_REQUEST, "the request's target", &why))
        })
    }

    /// What an answer needs besides what it says, and who is to be told of it.
    fn finish(&self, parts: &Parts, reply: &mut Reply, started: Option<Instant>) {
        if let Some(source) = reply.source {
            reply.headers.insert(SOURCE, HeaderValue::from_static(source.as_str()));
        }
        if let (true, Some(origin)) = (self.options.cors, parts.headers.get(ORIGIN)) {
            cors::allow(origin, &mut reply.headers);
        }
        if let (Some(trace), Some(started)) = (&self.options.trace, started) {
            trace(&trace_line(parts, reply, started.elapsed()));
        }
    }

    /// The answer, and the request as the log is to hold it.
    fn answer<'a>(
        &self,
        mock: &Mock,
        parts: &'a Parts,
        inbound: &'a Inbound,
        body: Body<'a>,
    ) -> (Reply, Option<exchange::Request<'a>>) {
        let host = if inbound.named { HostRule::Same } else { HostRule::Any };
        let mut request = request_of_any_method(parts, &inbound.target, body);
        // A line of the log has no word for other methods.
        let method = parts.method.as_str().parse();
        request.method = method.as_ref().copied().unwrap_or_default();
        let kept = self.log.as_ref().and_then(|_| method.ok()).map(|_| request.clone());
        let preflight =
            if self.options.cors { cors::preflight(&parts.method, &parts.headers) } else { None };
        let reply = preflight.unwrap_or_else(|| {
            let raw_query = inbound.target.query();
            let asked =
                Asked { method: &parts.method, request, headers: &parts.headers, raw_query, host };
            mock.answer(asked)
        });
        (reply, kept)
    }

    fn exchange<'a>(
        log: &'a Log,
        scope: Option<Cow<'a, str>>,
        mut request: exchange::Request<'a>,
        reply: &'a Reply,
        began: SystemTime,
        started: Instant,
        peer: Peer,
    ) -> Exchange<'a> {
        request.timestamp = Some(timestamp(began).into());
        let response = exchange::Response {
            status: reply.status.as_u16(),
            headers: recorded_headers(&reply.headers),
            body: Body::lent(&reply.body),
            timestamp: Some(timestamp(SystemTime::now()).into()),
        };
        let meta = Meta {
            run: Some(log.run().into()),
            seq: Some(log.next_number()),
            connection: Some(peer.connection),
            duration_ms: Some(started.elapsed().as_secs_f64() * 1000.0),
            scope,
            ..Meta::default()
        };
        Exchange { request, response: Some(response), meta }
    }
}

/// The answer as a message; the length of its body is told also where the body is not sent.
fn to_response(reply: Reply, head: bool) -> Response<Full<Bytes>> {
    let length = reply.body.len();
    let body = if head { Bytes::new() } else { reply.body };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    if head && length > 0 {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    }
    response
}

/// `GET /pets?x=1 200 generated 0.4 ms`, and why.
fn trace_line(parts: &Parts, reply: &Reply, took: Duration) -> String {
    let source = reply.source.map_or("problem", super::reply::Source::as_str);
    let note = reply.note.as_deref().map_or(String::new(), |note| format!(" ({})", shown(note)));
    format!(
        "{} {} {} {source} {:.1} ms{note}",
        parts.method,
        parts.uri,
        reply.status.as_u16(),
        took.as_secs_f64() * 1000.0
    )
}

/// A text that a client had a say in, without what could move a terminal's cursor or turn its text around.
fn shown(text: &str) -> String {
    let harmless = |c: char| {
        !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if harmless(c) { c.to_string() } else { c.escape_unicode().to_string() })
        .collect()
}

/// The line for standard error once the admin port listens.
pub fn admin_ready_line(address: SocketAddr) -> String {
    format!("admin on http://{address}/admin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_not_moved() {
        assert_eq!(shown("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
    }
}
