//! One connection of a server: HTTP/1 or HTTP/2, and what may come after HTTP.

use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use http::header::UPGRADE;
use http::{Method, Request, Response, Version};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::time::sleep;

use super::io::{Io, Rewind};
use super::patience::{Attended, HeadTimer};
use super::serve::{Limits, Peer, Refused};
use super::tasks::Tasks;

/// How long a connection that has not asked anything yet may still begin to, once the drain has begun.
pub(super) const LAST_CALL: Duration = Duration::from_millis(250);

/// Streams at once on an HTTP/2 connection, as RFC 9113 section 6.5.2 recommends at least.
const MAX_STREAMS: u32 = 100;

/// An HTTP/2 client that is silent is asked whether it still lives, and how long it may take to answer.
const PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));

/// What a stream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Serves HTTP on the connections of one server, within its limits and until it stops.
#[derive(Clone, Debug)]
pub struct Carrier {
    limits: Arc<Limits>,
    stopping: watch::Receiver<()>,
    tasks: Tasks,
}

type Continuation =
    Box<dyn FnOnce(Box<dyn Io>, Carrier) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// What a handler leaves behind to go on with the connection after an answer that ends HTTP on it: 200 to
/// `CONNECT`, or 101. An extension of those HTTP/1 requests that ask for one of them.
#[derive(Clone, Default)]
pub struct Takeover(Arc<Mutex<Option<Continuation>>>);

impl Takeover {
    /// Runs `next` in the connection's own task, once the answer is out.
    pub fn with<F>(&self, next: impl FnOnce(Box<dyn Io>, Carrier) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let next: Continuation = Box::new(move |stream, carrier| Box::pin(next(stream, carrier)));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }

    fn take(&self) -> Option<Continuation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Marks a response that is not sent: its connection (HTTP/1) is closed, or its stream (HTTP/2) is reset, before
/// the head. So a client cannot take it for an answer, whatever its method and status.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer is withheld")]
pub struct Withheld;

impl Withheld {
    /// Such a response; `body` is not used.
    pub fn response<B>(body: B) -> Response<B> {
        let mut response = Response::new(body);
        response.extensions_mut().insert(Withheld);
        response
    }

    fn check<B>(response: Response<B>) -> Result<Response<B>, Withheld> {
        if response.extensions().get::<Withheld>().is_some() { Err(Withheld) } else { Ok(response) }
    }
}

impl Carrier {
    pub(super) fn new(limits: Limits, stopping: watch::Receiver<()>, tasks: Tasks) -> Self {
        Carrier { limits: Arc::new(limits), stopping, tasks }
    }

    /// Reports a connection that is closed for what was sent on it.
    pub(super) fn refuse(&self, peer: Peer, why: &str) {
        if let Some(refused) = &self.limits.refused {
            refused(&Refused { peer: peer.address, status: 0, why: why.to_owned() });
        }
    }

    /// Ends once the server stops.
    pub async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // The sender is dropped then.
        let mut dropped = pin!(async move { stopping.changed().await.is_err() });
        let mut told: Option<Waker> = None;
        poll_fn(|cx| {
            // A connection asks at each of its turns, and the channel has a lock: it is enough to be known to it.
            let known = told.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            if known && self.stopping.has_changed().is_ok() {
                return Poll::Pending;
            }
            told = Some(cx.waker().clone());
            dropped.as_mut().poll(cx).map(|_| ())
        })
        .await;
    }

    /// Serves `handler` on a stream until either side ends it.
    pub async fn serve<H, F, B>(&self, stream: impl Io, wire: Wire, peer: Peer, handler: Arc<H>)
    where
        H: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        match wire {
            Wire::Http1 => self.serve_http1(stream, peer, handler).await,
            Wire::Http2 => self.serve_http2(stream, peer, handler).await,
        }
    }

    async fn serve_http1<H, F, B>(&self, stream: impl Io, peer: Peer, handler: Arc<H>)
    where
        H: Fn(Request<Incoming>, Peer) -> F,
        F: Future<Output = Response<B>>,
        B: Body + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let asked = Arc::new(AtomicBool::new(false));
        let close_delimited = Arc::new(AtomicBool::new(false));
        let takeover = Takeover::default();
        let service = service_fn({
            let (asked, close_delimited) = (asked.clone(), close_delimited.clone());
            let takeover = takeover.clone();
            move |mut request: Request<Incoming>| {
                asked.store(true, Ordering::Relaxed);
                close_delimited.store(request.version() < Version::HTTP_11, Ordering::Relaxed);
                if *request.method() == Method::CONNECT || request.headers().contains_key(UPGRADE) {
                    request.extensions_mut().insert(takeover.clone());
                }
                let answer = handler(request, peer);
                async move { Withheld::check(answer.await) }
            }
        });
        let idle = self.limits.idle_timeout.saturating_sub(self.limits.header_read_timeout);
        let heads = HeadTimer::new(idle);
        let stream = TokioIo::new(Attended::new(stream, heads.clone()));
        let mut connection = self.http1_builder(&heads).serve_connection(stream, service);
        let mut heads = pin!(heads.watch(self.limits.header_read_timeout));
        let ended = tokio::select! {
            biased;
            ended = &mut connection => Some(ended),
            () = self.stopped() => None,
            never = heads.as_mut() => match never {},
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                Pin::new(&mut connection).graceful_shutdown();
                tokio::select! {
                    biased;
                    ended = &mut connection => ended,
                    never = heads => match never {},
                    // Hyper would wait for a first request that may never come.
                    () = last_call(&asked) => return,
                }
            }
        };
        match ended {
            Ok(()) => {
                if let Some(next) = takeover.take() {
                    let parts = connection.into_parts();
                    let stream = Rewind::new(parts.read_buf, parts.io.into_inner().into_inner());
                    next(Box::new(stream), self.clone()).await;
                }
            }
            // An HTTP/1.0 client takes the close for the end of the body; only a reset shows the cut.
            Err(error) if error.is_user() && close_delimited.load(Ordering::Relaxed) => {
                connection.into_parts().io.into_inner().into_inner().reset_on_close();
            }
            Err(error) if error.is_parse() => {
                if let Some(refused) = &self.limits.refused {
                    refused(&why_refused(&error, peer, &self.limits));
                }
            }
            Err(_) => (),
        }
    }

    async fn serve_http2<H, F, B>(&self, stream: impl Io, peer: Peer, handler: Arc<H>)
    where
        H: Fn(Request<Incoming>, Peer) -> F,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = handler(request, peer);
            async move { Withheld::check(answer.await) }
        });
        let mut builder = http2::Builder::new(self.tasks.clone());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(PING.0)
            .keep_alive_timeout(PING.1)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(self.limits.max_buffer).unwrap_or(u32::MAX))
            .auto_date_header(self.limits.date_header);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = self.stopped() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    fn http1_builder(&self, heads: &HeadTimer) -> http1::Builder {
        let mut builder = http1::Builder::new();
        builder
            // Without a timer hyper's time-outs are silently inert.
            .timer(heads.clone())
            .header_read_timeout(self.limits.header_read_timeout)
            .max_buf_size(self.limits.max_buffer)
            .auto_date_header(self.limits.date_header)
            .preserve_header_case(self.limits.preserve_header_case)
            // A client may close its sending side and still wait for the answer.
            .half_close(true);
        if let Some(most) = self.limits.max_headers {
            builder.max_headers(most);
        }
        if let Some(most) = self.limits.max_head {
            builder.max_header_size(most);
        }
        builder
    }
}

/// What hyper has answered, and why.
fn why_refused(error: &hyper::Error, peer: Peer, limits: &Limits) -> Refused {
    let text = error.to_string();
    let (status, why) = if text.contains("URI too long") {
        (414, "its target is too long".to_owned())
    } else if error.is_parse_too_large() {
        let kib = limits.max_head.unwrap_or(limits.max_buffer) >> 10;
        let headers = limits.max_headers.unwrap_or(100);
        (431, format!("its head is longer than {kib} KiB, or has more than {headers} headers"))
    } else {
        (400, text)
    };
    Refused { peer: peer.address, status, why }
}

/// Ends where nothing was asked within the last call, and never where something was.
async fn last_call(asked: &AtomicBool) {
    sleep(LAST_CALL).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}
