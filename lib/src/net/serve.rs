//! The accept loop: one task a connection, limits, and a drain that ends.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::backoff::Backoff;
use super::carrier::Carrier;
use super::crowd::Crowd;
use super::offer::Offer;
use super::tasks::Tasks;

/// Takes a message for people: trouble that no single answer can tell.
pub type Report = Arc<dyn Fn(&str) + Send + Sync>;

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
    /// Connections at once from one address; more are closed, so that one client cannot take them all. Loopback is
    /// exempt: whoever is there shares the machine anyway.
    pub connections_per_address: usize,
    /// Whether answers without `Date` get one.
    pub date_header: bool,
    /// What clients may speak besides HTTP/1 in clear text.
    pub offer: Offer,
    /// Told of accept errors, at most once a second.
    pub report: Report,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            header_read_timeout: Duration::from_secs(10),
            max_buffer: 64 << 10,
            connections: 20_000,
            connections_per_address: 2_000,
            date_header: true,
            offer: Offer::default(),
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
            .field("connections_per_address", &self.connections_per_address)
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
    let tasks = Tasks::default();
    let mut crowd = Crowd::new(limits.connections_per_address, limits.report.clone());
    let mut backoff = Backoff::new(limits.report.clone());
    let (offer, patience) = (limits.offer.clone(), limits.header_read_timeout);
    let carrier = Carrier::new(limits, stopping, tasks.clone());
    let mut connection = 0;
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        tasks.reap();
        match accepted {
            Ok((stream, address, slot)) => {
                backoff.reset();
                // Closed at once where there are too many of its kind.
                let Some(place) = crowd.admit(address.ip()) else { continue };
                connection += 1;
                let peer = Peer { address, connection };
                let (handler, carrier) = (handler.clone(), carrier.clone());
                let offer = offer.clone();
                tasks.spawn(async move {
                    // Answers are written whole, so waiting to fill a segment only delays them.
                    let _ = stream.set_nodelay(true);
                    offer.serve(stream, &carrier, patience, peer, handler).await;
                    drop((slot, place));
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
    match timeout(grace, tasks.ended()).await {
        Ok(()) => Drained { cut: 0 },
        Err(_) => Drained { cut: tasks.abort().await },
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, address) = listener.accept().await?;
    Ok((stream, address, slot))
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
