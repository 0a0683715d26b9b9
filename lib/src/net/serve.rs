//! The accept loop: one task a connection, limits, and a drain that ends.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::backoff::Backoff;

/// Takes a message for people: trouble that no single answer can tell.
pub type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// How long a connection that has not asked anything yet may still begin to, once the drain has begun.
const LAST_CALL: Duration = Duration::from_millis(250);

/// What a server allows its clients. More than 100 header lines are answered with 431: that is hyper's own
/// limit, and setting it, even to the same number, would cost an allocation a request.
#[derive(Clone)]
pub struct Limits {
    /// Time for the head of a request, and how long a connection may be idle.
    pub header_read_timeout: Duration,
    /// Bytes buffered a connection; a longer head is answered with 431.
    pub max_buffer: usize,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// Whether answers without `Date` get one.
    pub date_header: bool,
    /// Told of accept errors, at most once a second.
    pub report: Report,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            header_read_timeout: Duration::from_secs(10),
            max_buffer: 64 << 10,
            connections: 20_000,
            date_header: true,
            report: Arc::new(|_| ()),
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("header_read_timeout", &self.header_read_timeout)
            .field("max_buffer", &self.max_buffer)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The client's address.
    pub address: SocketAddr,
    /// Number of the connection, from 1, in the order of acceptance.
    pub connection: u64,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections cut because they outlasted the grace.
    pub cut: usize,
}

/// Serves `handler` on `listener` until `shutdown`; then accepts no more, lets what is in flight finish
/// within `grace`, and cuts the rest. A panic in the handler ends its connection and nothing else.
///
/// When this returns, every connection's task has ended, and so has been dropped whatever it held.
pub async fn serve<H, F, B>(
    listener: TcpListener,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
    handler: H,
) -> Drained
where
    H: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let handler = Arc::new(handler);
    let slots = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopping) = watch::channel(());
    let mut tasks = JoinSet::new();
    let mut backoff = Backoff::new(limits.report.clone());
    let mut connection = 0;
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            // Ended tasks are taken out as we go, or the set would grow with every connection.
            Some(_) = tasks.join_next() => continue,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((stream, address, slot)) => {
                backoff.reset();
                connection += 1;
                let peer = Peer { address, connection };
                let (handler, stopping) = (handler.clone(), stopping.clone());
                let builder = builder(&limits);
                tasks.spawn(async move {
                    serve_one(stream, builder, peer, handler, stopping).await;
                    drop(slot);
                });
            }
            Err(error) => tokio::select! {
                () = &mut shutdown => break,
                () = backoff.wait(&error) => (),
            },
        }
    }
    drop(listener);
    drop(stop);
    drain(tasks, grace).await
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, slot))
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // Without a timer hyper's time-outs are silently inert.
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_timeout)
        .max_buf_size(limits.max_buffer)
        .auto_date_header(limits.date_header)
        // A client may close its sending side and still wait for the answer.
        .half_close(true);
    builder
}

async fn serve_one<H, F, B>(
    stream: TcpStream,
    builder: http1::Builder,
    peer: Peer,
    handler: Arc<H>,
    mut stopping: watch::Receiver<()>,
) where
    H: Fn(Request<Incoming>, Peer) -> F,
    F: Future<Output = Response<B>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // Answers are written whole, so waiting to fill a segment only delays them.
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(AtomicBool::new(false));
    let close_delimited = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let (asked, close_delimited) = (asked.clone(), close_delimited.clone());
        move |request: Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            close_delimited.store(request.version() < Version::HTTP_11, Ordering::Relaxed);
            let answer = handler(request, peer);
            async move { Ok::<_, Infallible>(answer.await) }
        }
    });
    let mut connection = builder.serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        biased;
        ended = &mut connection => Some(ended),
        _ = stopping.changed() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            tokio::select! {
                biased;
                ended = &mut connection => ended,
                // Hyper would wait for a first request that may never come.
                () = last_call(&asked) => return,
            }
        }
    };
    if ended.is_err_and(|error| error.is_user()) && close_delimited.load(Ordering::Relaxed) {
        // An HTTP/1.0 client takes the close for the end of the body; only a reset shows the cut.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// Ends where nothing was asked within the last call, and never where something was.
async fn last_call(asked: &AtomicBool) {
    sleep(LAST_CALL).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

async fn drain(mut tasks: JoinSet<()>, grace: Duration) -> Drained {
    let end = Instant::now() + grace;
    loop {
        tokio::select! {
            biased;
            ended = tasks.join_next() => if ended.is_none() {
                return Drained { cut: 0 };
            },
            () = sleep_until(end) => break,
        }
    }
    let cut = tasks.len();
    tasks.shutdown().await;
    Drained { cut }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
