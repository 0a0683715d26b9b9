//! One server connection: HTTP/1 or HTTP/2, and the protocol to which it may switch.

use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::UPGRADE;
use http::{Method, Request, Response, Version};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::watch;
use tokio::time::sleep;

use super::io::{Io, Rewind};
use super::limits::{Limits, Peer, Refused};
use super::tasks::Tasks;
use super::timer::{HeadTimedStream, HeadTimer};

/// While the server drains, how long a connection without a request may take to send its first one.
pub(super) const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(250);

/// Maximum concurrent streams on an HTTP/2 connection: the least that RFC 9113 section 6.5.2
/// recommends.
const MAX_STREAMS: u32 = 100;

/// Interval of the keep-alive pings on HTTP/2 connections, and the timeout for their answers.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));

/// The version of HTTP that a stream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Serves HTTP on the connections of one server, within its limits, until the server stops.
#[derive(Clone, Debug)]
pub struct ConnectionServer {
    limits: Arc<Limits>,
    stopping: watch::Receiver<()>,
    tasks: Tasks,
}

type Continuation = Box<
    dyn FnOnce(Box<dyn Io>, ConnectionServer) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send,
>;

/// Lets a handler take over the connection after a response that ends HTTP on it, which is 200 to
/// `CONNECT`, or 101. It is an extension of HTTP/1 requests that ask for one of these responses.
#[derive(Clone, Default)]
pub struct Takeover(Arc<Mutex<Option<Continuation>>>);

impl Takeover {
    /// Runs `next` in the connection's own task, after the response has been sent.
    pub fn with<F>(&self, next: impl FnOnce(Box<dyn Io>, ConnectionServer) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let next: Continuation =
            Box::new(move |stream, connections| Box::pin(next(stream, connections)));
        *self.0.lock() = Some(next);
    }

    fn take(&self) -> Option<Continuation> {
        self.0.lock().take()
    }
}

/// Marks a response that must not be sent, and says what happens on its HTTP/1 connection instead.
/// An HTTP/2 stream is always reset, which no client takes for a response.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the response is withheld")]
pub enum Withheld {
    /// The connection is closed without a byte.
    Close,
    /// The connection is reset.
    Reset,
    /// These bytes are sent, and the connection is closed.
    Bytes(Bytes),
}

impl Withheld {
    /// A response with this mark; `body` is not used.
    pub fn response<B>(self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        response.extensions_mut().insert(self);
        response
    }

    fn check<B>(response: Response<B>) -> Result<Response<B>, Withheld> {
        match response.extensions().get::<Withheld>() {
            Some(withheld) => Err(withheld.clone()),
            None => Ok(response),
        }
    }

    /// The mark of the response that ended a connection with this error.
    fn of(error: &hyper::Error) -> Option<&Withheld> {
        error.source()?.downcast_ref()
    }
}

impl ConnectionServer {
    pub(super) fn new(limits: Limits, stopping: watch::Receiver<()>, tasks: Tasks) -> Self {
        ConnectionServer { limits: Arc::new(limits), stopping, tasks }
    }

    /// Reports a connection that is closed because of the bytes that were sent on it.
    pub(super) fn refuse(&self, peer: Peer, why: &str) {
        if let Some(refused) = &self.limits.refused {
            refused(&Refused { peer: peer.address, status: 0, why: why.to_owned() });
        }
    }

    /// Resolves when the server stops.
    pub async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // The sender is dropped when the server stops.
        let mut dropped = pin!(async move { stopping.changed().await.is_err() });
        let mut registered: Option<Waker> = None;
        poll_fn(|cx| {
            // Every poll of a connection comes through here, and the channel has a lock. It is
            // enough to register each waker once.
            let is_registered =
                registered.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            if is_registered && self.stopping.has_changed().is_ok() {
                return Poll::Pending;
            }
            registered = Some(cx.waker().clone());
            dropped.as_mut().poll(cx).map(|_| ())
        })
        .await;
    }

    /// Serves `handler` on a stream until either side closes it.
    pub async fn serve<H, F, B>(
        &self,
        stream: impl Io,
        version: HttpVersion,
        peer: Peer,
        handler: Arc<H>,
    ) where
        H: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        match version {
            HttpVersion::Http1 => self.serve_http1(stream, peer, handler).await,
            HttpVersion::Http2 => self.serve_http2(stream, peer, handler).await,
        }
    }

    async fn serve_http1<H, F, B>(&self, stream: impl Io, peer: Peer, handler: Arc<H>)
    where
        H: Fn(Request<Incoming>, Peer) -> F,
        F: Future<Output = Response<B>>,
        B: Body + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let has_request = Arc::new(AtomicBool::new(false));
        let close_delimited = Arc::new(AtomicBool::new(false));
        let takeover = Takeover::default();
        let service = service_fn({
            let (has_request, close_delimited) = (has_request.clone(), close_delimited.clone());
            let takeover = takeover.clone();
            move |mut request: Request<Incoming>| {
                has_request.store(true, Ordering::Relaxed);
                close_delimited.store(request.version() < Version::HTTP_11, Ordering::Relaxed);
                if *request.method() == Method::CONNECT || request.headers().contains_key(UPGRADE) {
                    request.extensions_mut().insert(takeover.clone());
                }
                let answer = handler(request, peer);
                async move { Withheld::check(answer.await) }
            }
        });
        let limit = self.limits.header_read_timeout;
        let heads = HeadTimer::new(limit, self.limits.idle_timeout.saturating_sub(limit));
        let stream = TokioIo::new(HeadTimedStream::new(stream, heads.clone()));
        let mut connection = self.http1_builder(&heads).serve_connection(stream, service);
        let mut heads = pin!(heads.watch());
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
                    () = first_request_grace(&has_request) => return,
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
            Err(error) if matches!(Withheld::of(&error), Some(Withheld::Reset)) => {
                connection.into_parts().io.into_inner().into_inner().reset_on_close();
            }
            Err(error) if matches!(Withheld::of(&error), Some(Withheld::Bytes(_))) => {
                let Some(Withheld::Bytes(bytes)) = Withheld::of(&error) else { return };
                let mut stream = connection.into_parts().io.into_inner().into_inner();
                // The client may have left.
                let _ = stream.write_all(bytes).await;
                let _ = stream.shutdown().await;
            }
            // An HTTP/1.0 client takes a close for the end of the body. Only a reset shows that the
            // body is incomplete.
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
            .keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
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
            // Without a timer, hyper silently ignores its timeouts.
            .timer(heads.clone())
            .header_read_timeout(self.limits.header_read_timeout)
            .max_buf_size(self.limits.max_buffer)
            .auto_date_header(self.limits.date_header)
            .preserve_header_case(self.limits.preserve_header_case)
            // A client may close its sending side and still wait for the answer.
            .half_close(true);
        if let Some(max) = self.limits.max_headers {
            builder.max_headers(max);
        }
        if let Some(max) = self.limits.max_head {
            builder.max_header_size(max);
        }
        builder
    }
}

/// The error response that hyper has sent, and its reason.
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

/// Resolves after the grace period if no request has arrived by then; otherwise never.
async fn first_request_grace(has_request: &AtomicBool) {
    sleep(FIRST_REQUEST_GRACE).await;
    if has_request.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}
