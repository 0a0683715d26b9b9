//! The common part of the servers that answer requests themselves, which are the mock and replay:
//! the target and the body of each request, the line about it, and the end of the server.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::{Body, Incoming};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::body::{BodyError, collect_body, decoded};
use super::inbound::{Inbound, InboundRouting};
use super::limits::{Limits, Peer, Report};
use super::protocols::Protocols;
use super::serve::{Drained, serve};
use super::target::TargetError;
use super::throttle::one_line;
use crate::exchange::Redactor;

/// Maximum size of a request body in bytes.
const MAX_BODY: u64 = 64 << 20;
/// How long a client may be silent within a request body.
const BODY_IDLE: Duration = Duration::from_secs(30);

/// How a server runs.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where a request can name its host.
    pub routing: InboundRouting,
    /// The protocols that clients may speak.
    pub protocols: Protocols,
    /// Time for requests in progress after the shutdown.
    pub grace: Duration,
    /// Receives problems.
    pub report: Report,
    /// Receives a line for each request and its answer.
    pub trace: Option<Report>,
    /// Replaces the secrets in these lines.
    pub redactor: Option<Arc<Redactor>>,
}

/// A request that was read to its end.
pub struct Received {
    /// The head.
    pub parts: Parts,
    /// The host and the path that it is meant for.
    pub inbound: Inbound,
    /// The body without its Content-Encoding.
    pub body: Bytes,
    /// The body as it was sent.
    pub raw_body: Bytes,
    /// The client.
    pub peer: Peer,
    /// When the request began, if [`Answerer::is_timed`].
    pub clock: Option<Clock>,
}

/// When a request began.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The time of day.
    pub began: SystemTime,
    /// The same moment, to measure from.
    pub started: Instant,
}

impl Clock {
    fn now() -> Clock {
        Clock { began: SystemTime::now(), started: Instant::now() }
    }
}

/// A response, and what the line about the request says of it.
pub struct Answered<B> {
    /// The response.
    pub response: Response<B>,
    /// Time before the response begins.
    pub delay: Duration,
    /// The source of the answer, in a word.
    pub source: &'static str,
    /// Why this is the answer.
    pub note: Option<String>,
}

/// Why a request cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Its target is invalid.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Its body could not be read.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl Refusal {
    /// The status of the error response.
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::Target(_) => StatusCode::BAD_REQUEST,
            Refusal::Body(error) => error.status(),
        }
    }

    /// What is wrong, for the title of the error response.
    pub fn title(&self) -> &'static str {
        match self {
            Refusal::Target(_) => "the request's target",
            Refusal::Body(_) => "the request's body",
        }
    }
}

/// Answers requests.
pub trait Answerer: Send + Sync + 'static {
    /// The body of its responses.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// True if it has answers for this host.
    fn knows_host(&self, host: &str) -> bool;

    /// True if it reads the clock of each request.
    fn is_timed(&self) -> bool;

    /// Answers a request, unless something has to be waited for. Most requests are answered here:
    /// no large future is created and moved for them.
    fn answer_now(&self, request: &Received) -> Option<Answered<Self::Body>>;

    /// Answers a request for which [`Answerer::answer_now`] gave nothing.
    fn answer(&self, request: Received) -> impl Future<Output = Answered<Self::Body>> + Send;

    /// The response to a request that cannot be answered.
    fn refuse(&self, parts: &Parts, refusal: &Refusal) -> Answered<Self::Body>;
}

/// Serves the answers of `answerer` on `listener` until `shutdown`. When this returns, all
/// connections have ended, and nothing else owns the answerer.
///
/// # Errors
/// The address of the listener is unknown.
pub async fn serve_answers<A: Answerer>(
    answerer: &Arc<A>,
    listener: TcpListener,
    options: ServerOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<Drained> {
    let port = listener.local_addr()?.port();
    let limits = Limits {
        report: options.report.clone(),
        protocols: options.protocols.clone(),
        ..Limits::default()
    };
    let grace = options.grace;
    let ServerOptions { routing, trace, redactor, .. } = options;
    let lines = trace.map(|report| Lines { report, redactor });
    let answerer = Arc::clone(answerer);
    let server = Arc::new(AnswerServer { answerer, routing, lines, port });
    let handler = move |request, peer| server.handle(request, peer);
    Ok(serve(listener, limits, shutdown, grace, handler).await)
}

struct AnswerServer<A> {
    answerer: Arc<A>,
    routing: InboundRouting,
    lines: Option<Lines>,
    port: u16,
}

/// A response, or the future that produces it.
enum Handled<B> {
    Ready(Option<Response<B>>),
    Waiting(Pin<Box<dyn Future<Output = Response<B>> + Send>>),
}

// The future does not rely on the address of the response.
impl<B> Unpin for Handled<B> {}

impl<B> Future for Handled<B> {
    type Output = Response<B>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            // A future must not be polled again after it was ready.
            Handled::Ready(response) => response.take().map_or(Poll::Pending, Poll::Ready),
            Handled::Waiting(response) => response.as_mut().poll(cx),
        }
    }
}

impl<A: Answerer> AnswerServer<A> {
    fn handle(self: &Arc<Self>, request: Request<Incoming>, peer: Peer) -> Handled<A::Body> {
        // The time is measured only if it is used.
        let is_timed = self.lines.is_some() || self.answerer.is_timed();
        let clock = is_timed.then(Clock::now);
        let (parts, body) = request.into_parts();
        let knows_host = |host: &str| self.answerer.knows_host(host);
        let inbound = match Inbound::of(&parts, self.routing, self.port, knows_host) {
            Ok(inbound) => inbound,
            Err(error) => {
                let answered = self.answerer.refuse(&parts, &error.into());
                return self.deliver(self.name(&parts), clock, answered);
            }
        };
        let (decoded_body, raw_body) = (Bytes::new(), Bytes::new());
        let mut request = Received { parts, inbound, body: decoded_body, raw_body, peer, clock };
        if body.is_end_stream() {
            return self.answer(request);
        }
        let server = Arc::clone(self);
        Handled::Waiting(Box::pin(async move {
            match collect_body(body, MAX_BODY, BODY_IDLE).await {
                Ok(bytes) => {
                    request.body = decoded(&request.parts.headers, bytes.clone());
                    request.raw_body = bytes;
                    server.answer(request).await
                }
                Err(error) => {
                    let answered = server.answerer.refuse(&request.parts, &error.into());
                    server.deliver(server.name(&request.parts), clock, answered).await
                }
            }
        }))
    }

    /// Answers a request whose body has arrived.
    fn answer(self: &Arc<Self>, request: Received) -> Handled<A::Body> {
        let clock = request.clock;
        if let Some(answered) = self.answerer.answer_now(&request) {
            return self.deliver(self.name(&request.parts), clock, answered);
        }
        let server = Arc::clone(self);
        Handled::Waiting(Box::pin(async move {
            let name = server.name(&request.parts);
            let answered = server.answerer.answer(request).await;
            server.deliver(name, clock, answered).await
        }))
    }

    /// The request in the line about it, if there are lines.
    fn name(&self, parts: &Parts) -> Option<String> {
        self.lines.as_ref().map(|lines| lines.name(parts))
    }

    /// Writes the line about a request, and gives its response after its delay.
    fn deliver(
        &self,
        name: Option<String>,
        clock: Option<Clock>,
        answered: Answered<A::Body>,
    ) -> Handled<A::Body> {
        if let (Some(lines), Some(name)) = (&self.lines, name) {
            lines.write(&name, clock, &answered);
        }
        let Answered { response, delay, .. } = answered;
        if delay.is_zero() {
            return Handled::Ready(Some(response));
        }
        Handled::Waiting(Box::pin(async move {
            sleep(delay).await;
            response
        }))
    }
}

/// Writes a line about each request.
struct Lines {
    report: Report,
    redactor: Option<Arc<Redactor>>,
}

impl Lines {
    /// `GET /pets?x=1`
    fn name(&self, parts: &Parts) -> String {
        format!("{} {}", parts.method, self.hidden(&parts.uri.to_string()))
    }

    /// `GET /pets?x=1 200 generated 0.4 ms`, and why.
    fn write<B>(&self, name: &str, clock: Option<Clock>, answered: &Answered<B>) {
        let took = clock.map_or(Duration::ZERO, |clock| clock.started.elapsed());
        let took = took.as_secs_f64() * 1000.0;
        let note = answered.note.as_deref();
        let note =
            note.map_or(String::new(), |note| format!(" ({})", one_line(&self.hidden(note))));
        let (status, source) = (answered.response.status().as_u16(), answered.source);
        (self.report)(&format!("{name} {status} {source} {took:.1} ms{note}"));
    }

    /// Text without the secrets in it.
    fn hidden(&self, text: &str) -> String {
        match &self.redactor {
            Some(redactor) => redactor.shown_text(text).into_owned(),
            None => text.to_owned(),
        }
    }
}
