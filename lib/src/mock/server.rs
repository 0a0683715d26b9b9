//! The HTTP server of the mock: converts requests to calls, and answers to responses.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::exchange::{self, Body, Exchange, Meta, Redactor, timestamp};
use crate::net::{
    self, Drained, Inbound, InboundRouting, Limits, Peer, Protocols, Report, collect_body, decoded,
    recorded_headers, request_of_any_method,
};
use crate::recorded::HostRule;

use super::admin::{Access, Reply};
use super::answer::{Answer, Source};
use super::call::{Call, Context};
use super::catalogue::Catalogue;
use super::delivery::{ResponseBody, to_response};
use super::firing::Sending;
use super::log::{Log, Written};
use super::world::Served;
use super::{Mock, admin, stages};

/// Maximum size of a request body in bytes.
const MAX_BODY: u64 = 64 << 20;
/// Maximum size of a request body on the admin port, in bytes. Overrides contain bodies of
/// responses.
const MAX_ADMIN_BODY: u64 = 16 << 20;
/// How long a client may be silent within a request body.
const BODY_IDLE: Duration = Duration::from_secs(30);

/// The header with the source of an answer.
const SOURCE: HeaderName = HeaderName::from_static("x-hmt-source");

/// How a mock is served.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where a request can name its host.
    pub routing: InboundRouting,
    /// Time for requests in progress after the shutdown.
    pub grace: Duration,
    /// The protocols that clients may speak.
    pub protocols: Protocols,
    /// Receives problems.
    pub report: Report,
    /// Receives a line for each request and its answer.
    pub trace: Option<Report>,
    /// Replaces the secrets in the paths and queries of these lines.
    pub redactor: Option<Arc<Redactor>>,
    /// The token that clients of the admin port must send. Without it, only this machine can use
    /// the admin port.
    pub admin_token: Option<Arc<str>>,
}

/// The result of a run.
#[derive(Debug)]
pub struct MockSummary {
    /// Connections that were closed at the end of the grace period.
    pub cut: usize,
    /// The result of the log, if there is one.
    pub written: Option<Written>,
}

/// A response, or the future that produces it. Most requests have no body and no stage that waits:
/// their response is ready immediately, and no large future is moved for them.
enum Handled {
    Ready(Option<Response<ResponseBody>>),
    Waiting(Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send>>),
}

impl Future for Handled {
    type Output = Response<ResponseBody>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match &mut *self {
            // A future must not be polled again after it was ready.
            Handled::Ready(response) => response.take().map_or(Poll::Pending, Poll::Ready),
            Handled::Waiting(response) => response.as_mut().poll(cx),
        }
    }
}

/// The result of a future that is ready immediately.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

struct MockServer {
    mock: Arc<Mock>,
    options: ServerOptions,
    port: u16,
    log: Option<Log>,
    sending: Sending,
}

/// Serves the mock on one listener and its admin endpoints on another, until `shutdown`.
///
/// # Errors
/// The address of the listener is unknown.
pub async fn serve(
    mock: Arc<Mock>,
    listener: TcpListener,
    admin: Option<TcpListener>,
    log: Option<Log>,
    options: ServerOptions,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<MockSummary> {
    let port = listener.local_addr()?.port();
    let (grace, report, protocols) =
        (options.grace, options.report.clone(), options.protocols.clone());
    let (stop, stopping) = watch::channel(());
    let limits = Limits { report, ..Limits::default() };
    let admin_address = match &admin {
        Some(listener) => Some(listener.local_addr()?),
        None => None,
    };
    let own = [Some(listener.local_addr()?), admin_address].into_iter().flatten().collect();
    mock.outbound().set_own(own);
    let admin = admin.map(|listener| {
        let access = Access {
            token: options.admin_token.clone(),
            redactor: options.redactor.clone(),
            mock: (port, options.protocols.is_tls()),
        };
        tokio::spawn(serve_admin(Arc::clone(&mock), listener, access, limits.clone(), stopping))
    });
    let sending = Sending::new(options.report.clone(), options.trace.clone());
    let server = Arc::new(MockServer { mock, options, port, log, sending });
    let handler = {
        let server = Arc::clone(&server);
        move |request, peer| server.handle(request, peer)
    };
    let limits = Limits { protocols, ..limits };
    let Drained { cut } = net::serve(listener, limits, shutdown, grace, handler).await;
    drop(stop);
    if let Some(admin) = admin {
        let _ = admin.await;
    }
    if let Some(callbacks) = server.mock.callbacks() {
        callbacks.stop().await;
    }
    // All connections have ended, and with them all other owners.
    let log = Arc::into_inner(server).and_then(|server| server.log);
    let written = match log {
        Some(log) => tokio::task::spawn_blocking(|| log.finish()).await.ok(),
        None => None,
    };
    Ok(MockSummary { cut, written })
}

async fn serve_admin(
    mock: Arc<Mock>,
    listener: TcpListener,
    access: Access,
    limits: Limits,
    mut stopping: watch::Receiver<()>,
) {
    let access = Arc::new(access);
    let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
    let shutdown = async move {
        let _ = stopping.changed().await;
    };
    let handler = move |request: Request<Incoming>, _: Peer| {
        let (mock, access) = (Arc::clone(&mock), Arc::clone(&access));
        async move {
            let (parts, body) = request.into_parts();
            let head = parts.method == Method::HEAD;
            let reply = match collect_body(body, MAX_ADMIN_BODY, BODY_IDLE).await {
                Ok(body) => admin::answer(&mock, &access, &parts, &body, port).await,
                Err(error) => {
                    Answer::problem(error.status(), "the body", &error.to_string()).into()
                }
            };
            match reply {
                Reply::Answer(answer) => to_response(*answer, head),
                Reply::Events(events) => {
                    let mut response = Response::new(ResponseBody::stream(events));
                    let headers = response.headers_mut();
                    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
                    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                    response
                }
            }
        }
    };
    net::serve(listener, limits, shutdown, Duration::from_secs(1), handler).await;
}

impl MockServer {
    fn handle(self: &Arc<Self>, request: Request<Incoming>, peer: Peer) -> Handled {
        let (parts, body) = request.into_parts();
        if body.is_end_stream() && self.log.is_none() && !self.mock.waits() {
            // The time is measured only if it is used.
            let timed = self.options.trace.is_some() || self.mock.world().journal().is_kept();
            let clock = timed.then(|| (SystemTime::now(), Instant::now()));
            let catalogue = self.mock.catalogue();
            let inbound = self.inbound(&catalogue, &parts);
            let answer = match &inbound {
                Ok(inbound) => {
                    let (call, _) = self.call(&parts, inbound, Body::Empty, Bytes::new());
                    at_once(stages::answer(&self.context(&catalogue), &call))
                }
                Err(refusal) => Some(Answer::clone(refusal)),
            };
            if let Some(mut answer) = answer {
                let head = parts.method == Method::HEAD;
                self.finish(&parts, &mut answer, clock.map(|(_, started)| started));
                if let (Some(clock), Ok(inbound)) = (clock, inbound) {
                    self.note(&parts, inbound, &Bytes::new(), &mut answer, clock);
                }
                return deliver(answer, head);
            }
        }
        let clock = (SystemTime::now(), Instant::now());
        let server = Arc::clone(self);
        Handled::Waiting(Box::pin(async move { server.wait(parts, body, peer, clock).await }))
    }

    /// Answers a request whose body has not arrived, or if a stage or the log has to wait.
    async fn wait(
        &self,
        parts: Parts,
        body: Incoming,
        peer: Peer,
        (began, started): (SystemTime, Instant),
    ) -> Response<ResponseBody> {
        // The whole request uses one catalogue, which may be swapped meanwhile.
        let catalogue = Arc::clone(&self.mock.catalogue());
        let received = match self.inbound(&catalogue, &parts) {
            Ok(inbound) => match collect_body(body, MAX_BODY, BODY_IDLE).await {
                Ok(raw) => Ok((inbound, decoded(&parts.headers, raw.clone()), raw)),
                Err(error) => {
                    let why = error.to_string();
                    Err(Answer::problem(error.status(), "the request's body", &why))
                }
            },
            Err(refusal) => Err(*refusal),
        };
        let (mut answer, logged) = match &received {
            Ok((inbound, body, raw)) => {
                let (call, logged) =
                    self.call(&parts, inbound, Body::lent(body), Bytes::clone(raw));
                let answer = match self.narrowed(&call).await {
                    Ok(None) => stages::answer(&self.context(&catalogue), &call).await,
                    Ok(Some(specs)) => stages::answer(&self.context(&specs), &call).await,
                    Err(failure) => *failure,
                };
                (answer, logged)
            }
            Err(refusal) => (Answer::clone(refusal), None),
        };
        self.finish(&parts, &mut answer, Some(started));
        if let (Some(log), Some(request)) = (&self.log, logged) {
            let scope = self.mock.world().scope().map(|scope| scope.to_string().into());
            let exchange = Self::exchange(log, scope, request, &answer, began, started, peer);
            log.write(exchange).await;
        }
        let head = parts.method == Method::HEAD;
        if let Ok((inbound, body, _)) = received {
            self.note(&parts, inbound, &body, &mut answer, (began, started));
        }
        if !answer.delivery.delay.is_zero() {
            sleep(answer.delivery.delay).await;
        }
        let outgoing = std::mem::take(&mut answer.outgoing);
        let mut response = to_response(answer, head);
        if !outgoing.is_empty() {
            self.sending.send(&self.mock, outgoing, response.body_mut().sent());
        }
        response
    }

    /// The specs for a request, if webhooks change them.
    async fn narrowed(&self, call: &Call<'_>) -> Result<Option<Arc<Catalogue>>, Box<Answer>> {
        let webhooks = self.mock.webhooks();
        if !webhooks.any() {
            return Ok(None);
        }
        let exchange = Exchange { request: call.request.clone(), ..Exchange::default() };
        let specs = webhooks.specs_for(&self.mock, self.mock.outbound(), &exchange).await;
        specs.map_err(|why| {
            (self.options.report)(&format!("webhook {why}"));
            Box::new(Answer::problem(StatusCode::BAD_GATEWAY, "a webhook failed", &why))
        })
    }

    /// Puts an answered request into the journal.
    fn note(
        &self,
        request: &Parts,
        inbound: Inbound,
        request_body: &Bytes,
        answer: &mut Answer,
        (at, started): (SystemTime, Instant),
    ) {
        let world = self.mock.world();
        if world.journal().is_kept() {
            let took = started.elapsed() + answer.delivery.delay;
            let (target, scope) = (inbound.target, world.scope());
            world.journal().add(Served { at, took, request, target, request_body, answer, scope });
        }
    }

    fn context<'a>(&'a self, catalogue: &'a Catalogue) -> Context<'a> {
        Context {
            catalogue,
            world: self.mock.world(),
            settings: self.mock.settings(),
            oauth: self.mock.oauth(),
            tls: self.options.protocols.is_tls(),
            callbacks: self.mock.callbacks(),
        }
    }

    /// The target of the request.
    fn inbound(&self, catalogue: &Catalogue, parts: &Parts) -> Result<Inbound, Box<Answer>> {
        let knows = |host: &str| catalogue.knows_host(host);
        Inbound::of(parts, self.options.routing, self.port, knows).map_err(|error| {
            let why = error.to_string();
            Box::new(Answer::problem(StatusCode::BAD_REQUEST, "the request's target", &why))
        })
    }

    /// The call, and the request for the log.
    fn call<'a>(
        &self,
        parts: &'a Parts,
        inbound: &'a Inbound,
        body: Body<'a>,
        raw_body: Bytes,
    ) -> (Call<'a>, Option<exchange::Request<'a>>) {
        let host = if inbound.named { HostRule::Same } else { HostRule::Any };
        let mut request = request_of_any_method(parts, &inbound.target, body);
        // The format of the log has no name for other methods.
        let method = parts.method.as_str().parse();
        request.method = method.as_ref().copied().unwrap_or_default();
        let logged = self.log.as_ref().and_then(|_| method.ok()).map(|_| request.clone());
        let call = Call::new(parts, request, &inbound.target.path_and_query, host, raw_body);
        (call, logged)
    }

    /// Adds the headers of all answers, and reports the answer.
    fn finish(&self, parts: &Parts, answer: &mut Answer, started: Option<Instant>) {
        if let Some(source) = answer.source {
            answer.headers.insert(SOURCE, HeaderValue::from_static(source.as_str()));
        }
        if let (true, Some(origin)) = (self.mock.settings().cors, parts.headers.get(ORIGIN)) {
            stages::allow_origin(origin, &mut answer.headers);
        }
        if let (Some(trace), Some(started)) = (&self.options.trace, started) {
            trace(&self.trace_line(parts, answer, started.elapsed()));
        }
    }

    /// `GET /pets?x=1 200 generated 0.4 ms`, and why.
    fn trace_line(&self, parts: &Parts, answer: &Answer, took: Duration) -> String {
        let source = answer.source.map_or("problem", Source::as_str);
        let hidden = |text: &str| match &self.options.redactor {
            Some(redactor) => redactor.shown_text(text).into_owned(),
            None => text.to_owned(),
        };
        let note = answer.note.as_deref();
        let note = note.map_or(String::new(), |note| format!(" ({})", shown(&hidden(note))));
        let target = hidden(&parts.uri.to_string());
        format!(
            "{} {target} {} {source} {:.1} ms{note}",
            parts.method,
            answer.status.as_u16(),
            took.as_secs_f64() * 1000.0
        )
    }

    fn exchange<'a>(
        log: &'a Log,
        scope: Option<Cow<'a, str>>,
        mut request: exchange::Request<'a>,
        answer: &'a Answer,
        began: SystemTime,
        started: Instant,
        peer: Peer,
    ) -> Exchange<'a> {
        request.timestamp = Some(timestamp(began).into());
        let response = exchange::Response {
            status: answer.status.as_u16(),
            headers: recorded_headers(&answer.headers),
            body: Body::lent(&answer.body),
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

/// The response to an answer, after its delay.
fn deliver(answer: Answer, head: bool) -> Handled {
    if answer.delivery.delay.is_zero() {
        return Handled::Ready(Some(to_response(answer, head)));
    }
    Handled::Waiting(Box::pin(async move {
        sleep(answer.delivery.delay).await;
        to_response(answer, head)
    }))
}

/// Text from a client, without characters that control the terminal or change the text direction.
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
