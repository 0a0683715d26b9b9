//! The HTTP server of the mock: converts requests to calls, and answers to responses.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::ORIGIN;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::exchange::{self, Body, Exchange, Meta, timestamp};
use crate::net::{
    Answered, Answerer, Clock, Drained, Inbound, Limits, Peer, Received, Refusal, Report,
    ServerOptions, recorded_headers, request_of_any_method, serve_answers,
};
use crate::recorded::HostRule;
use crate::stream::{ExchangeLog, Written};

use super::admin::{self, Access};
use super::answer::{Answer, AnswerSource};
use super::call::{Call, Context};
use super::catalogue::{Catalogue, RequestKey};
use super::delivery::{ResponseBody, to_response};
use super::firing::Sending;
use super::world::Served;
use super::{Mock, stages};

/// The header with the source of an answer.
const SOURCE: HeaderName = HeaderName::from_static("x-hmt-source");

/// Where the admin endpoints are served.
pub struct AdminServer {
    /// Its listener.
    pub listener: TcpListener,
    /// The token that clients must send. Without it, only this machine can use the admin port.
    pub token: Option<Arc<str>>,
}

/// The result of a run.
#[derive(Debug)]
pub struct MockSummary {
    /// Connections that were closed at the end of the grace period.
    pub cut: usize,
    /// The result of the log, if there is one.
    pub written: Option<Written>,
}

/// The result of a future that need not wait.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

struct MockServer {
    mock: Arc<Mock>,
    tls: bool,
    log: Option<ExchangeLog>,
    report: Report,
    sending: Sending,
}

/// Serves the mock on one listener and its admin endpoints on another, until `shutdown`.
///
/// # Errors
/// The address of a listener is unknown.
pub async fn serve(
    mock: Arc<Mock>,
    listener: TcpListener,
    admin: Option<AdminServer>,
    log: Option<ExchangeLog>,
    options: ServerOptions,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<MockSummary> {
    let address = listener.local_addr()?;
    let mut own = vec![address];
    if let Some(admin) = &admin {
        own.push(admin.listener.local_addr()?);
    }
    mock.outbound().set_own(own);
    let tls = options.protocols.is_tls();
    let (stop, stopping) = watch::channel(());
    let admin = admin.map(|AdminServer { listener, token }| {
        let redactor = options.redactor.clone();
        let access = Access { token, redactor, mock: (address.port(), tls) };
        let limits = Limits { report: options.report.clone(), ..Limits::default() };
        tokio::spawn(admin::serve(Arc::clone(&mock), listener, access, limits, stopping))
    });
    let report = options.report.clone();
    let sending = Sending::new(report.clone(), options.trace.clone());
    let server = Arc::new(MockServer { mock, tls, log, report, sending });
    let Drained { cut } = serve_answers(&server, listener, options, shutdown).await?;
    drop(stop);
    if let Some(admin) = admin {
        let _ = admin.await;
    }
    if let Some(callbacks) = server.mock.callbacks() {
        callbacks.stop().await;
    }
    let log = Arc::into_inner(server).and_then(|server| server.log);
    let written = match log {
        Some(log) => tokio::task::spawn_blocking(|| log.finish()).await.ok(),
        None => None,
    };
    Ok(MockSummary { cut, written })
}

impl Answerer for MockServer {
    type Body = ResponseBody;

    fn knows_host(&self, host: &str) -> bool {
        self.mock.catalogue().knows_host(host)
    }

    fn is_timed(&self) -> bool {
        self.log.is_some() || self.mock.world().journal().is_kept()
    }

    fn answer_now(&self, request: &Received) -> Option<Answered<ResponseBody>> {
        if self.log.is_some() || self.mock.waits() {
            return None;
        }
        let catalogue = self.mock.catalogue();
        // Faults and overrides can give equal requests different answers.
        let world = self.mock.world();
        let is_free = !world.faults().is_active() && world.overrides().is_empty();
        let key =
            || RequestKey::of(&request.parts, &request.inbound.target.host, &request.raw_body);
        let key = is_free.then(key).flatten();
        let kept = key.as_ref().and_then(|key| catalogue.steady().get(key));
        let mut answer = match kept {
            Some(answer) => answer,
            None => {
                let (call, _) = self.call(request, Body::lent(&request.body));
                let mut answer = at_once(stages::answer(&self.context(&catalogue), &call))?;
                self.complete(&request.parts, &mut answer);
                if let Some(key) = key {
                    catalogue.steady().offer(key, &answer);
                }
                answer
            }
        };
        self.note(request, &mut answer);
        Some(answered(answer, &request.parts))
    }

    /// Answers a request for which a stage or the log waits.
    async fn answer(&self, request: Received) -> Answered<ResponseBody> {
        // One for the whole request: it may be swapped meanwhile.
        let catalogue = Arc::clone(&self.mock.catalogue());
        let (call, logged) = self.call(&request, Body::lent(&request.body));
        let mut answer = match self.narrowed(&call).await {
            Ok(None) => stages::answer(&self.context(&catalogue), &call).await,
            Ok(Some(specs)) => stages::answer(&self.context(&specs), &call).await,
            Err(failure) => *failure,
        };
        self.complete(&request.parts, &mut answer);
        if let (Some(log), Some(logged), Some(clock)) = (&self.log, logged, request.clock) {
            let scope = self.mock.world().scope().map(|scope| scope.to_string().into());
            let exchange = Self::exchange(scope, logged, &answer, clock, request.peer);
            // The log reports and counts what it cannot write; the answer is the same.
            let _ = log.write(exchange).await;
        }
        self.note(&request, &mut answer);
        let outgoing = std::mem::take(&mut answer.outgoing);
        let mut answered = answered(answer, &request.parts);
        if !outgoing.is_empty() {
            let sent = answered.response.body_mut().sent();
            self.sending.send(self.mock.outbound(), outgoing, sent);
        }
        answered
    }

    fn refuse(&self, parts: &Parts, refusal: &Refusal) -> Answered<ResponseBody> {
        let why = refusal.to_string();
        let mut answer = Answer::problem(refusal.status(), refusal.title(), &why);
        self.complete(parts, &mut answer);
        answered(answer, parts)
    }
}

impl MockServer {
    /// The specs for a request, if webhooks change them.
    async fn narrowed(&self, call: &Call<'_>) -> Result<Option<Arc<Catalogue>>, Box<Answer>> {
        let webhooks = self.mock.webhooks();
        if !webhooks.any() {
            return Ok(None);
        }
        let exchange = Exchange { request: call.request.clone(), ..Exchange::default() };
        let specs = webhooks.specs_for(self.mock.loader(), self.mock.outbound(), &exchange).await;
        specs.map_err(|why| {
            (self.report)(&format!("webhook {why}"));
            Box::new(Answer::problem(StatusCode::BAD_GATEWAY, "a webhook failed", &why))
        })
    }

    /// Puts an answered request into the journal.
    fn note(&self, request: &Received, answer: &mut Answer) {
        let world = self.mock.world();
        let Some(Clock { began, started }) = request.clock.filter(|_| world.journal().is_kept())
        else {
            return;
        };
        world.journal().add(Served {
            at: began,
            took: started.elapsed() + answer.delivery.delay,
            request: &request.parts,
            target: request.inbound.target.clone(),
            request_body: &request.body,
            answer,
            scope: world.scope(),
        });
    }

    fn context<'a>(&'a self, catalogue: &'a Catalogue) -> Context<'a> {
        Context {
            catalogue,
            world: self.mock.world(),
            settings: self.mock.settings(),
            oauth: self.mock.oauth(),
            tls: self.tls,
            callbacks: self.mock.callbacks(),
        }
    }

    /// The call, and the request for the log.
    fn call<'a>(
        &self,
        received: &'a Received,
        body: Body<'a>,
    ) -> (Call<'a>, Option<exchange::Request<'a>>) {
        let Received { parts, inbound: Inbound { target, named }, .. } = received;
        let host = if *named { HostRule::Same } else { HostRule::Any };
        let mut request = request_of_any_method(parts, target, body);
        // The format of the log has no name for other methods.
        let method = parts.method.as_str().parse();
        request.method = method.as_ref().copied().unwrap_or_default();
        let logged = self.log.as_ref().and_then(|_| method.ok()).map(|_| request.clone());
        let raw_body = Bytes::clone(&received.raw_body);
        (Call::new(parts, request, &target.path_and_query, host, raw_body), logged)
    }

    /// Adds the headers that every answer has.
    fn complete(&self, parts: &Parts, answer: &mut Answer) {
        if let Some(source) = answer.source {
            answer.headers.insert(SOURCE, HeaderValue::from_static(source.as_str()));
        }
        if let (true, Some(origin)) = (self.mock.settings().cors, parts.headers.get(ORIGIN)) {
            stages::allow_origin(origin, &mut answer.headers);
        }
    }

    fn exchange<'a>(
        scope: Option<Cow<'a, str>>,
        mut request: exchange::Request<'a>,
        answer: &'a Answer,
        Clock { began, started }: Clock,
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
            connection: Some(peer.connection),
            duration_ms: Some(started.elapsed().as_secs_f64() * 1000.0),
            scope,
            ..Meta::default()
        };
        Exchange { request, response: Some(response), meta }
    }
}

/// The answer as a response.
fn answered(mut answer: Answer, parts: &Parts) -> Answered<ResponseBody> {
    let (source, note) =
        (answer.source.map_or("problem", AnswerSource::as_str), answer.note.take());
    let delay = answer.delivery.delay;
    let response = to_response(answer, parts.method == Method::HEAD);
    Answered { response, delay, source, note }
}
