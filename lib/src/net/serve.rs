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

/// Called for a request that could not be read.
pub type OnRefused = Arc<dyn Fn(&Refused) + Send + Sync>;

/// Called with the number of a connection.
pub type OnEnded = Arc<dyn Fn(u64) + Send + Sync>;

/// What a server allows its clients.
#[derive(Clone)]
pub struct Limits {
    /// Time for the head of a request.
    pub header_read_timeout: Duration,
    /// Time between requests on a connection.
    pub idle_timeout: Duration,
    /// Bytes buffered a connection; a longer head is answered with 431.
    pub max_buffer: usize,
    /// Bytes of a head, where they are fewer.
    pub max_head: Option<usize>,
    /// Header lines of a request; more are answered with 431. By default hyper's own 100: to set a limit, even the
    /// same one, costs an allocation for each request.
    pub max_headers: Option<usize>,
    /// Whether requests and responses carry the spelling of their header names, in their extensions.
    pub preserve_header_case: bool,
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
    /// Called for each request that could not be read.
    pub refused: Option<OnRefused>,
    /// Called with the number of each connection that has ended.
    pub ended: Option<OnEnded>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            header_read_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_buffer: 64 << 10,
            max_head: None,
            max_headers: None,
            preserve_header_case: false,
            connections: 20_000,
            connections_per_address: 2_000,
            date_header: true,
            offer: Offer::default(),
            report: Arc::new(|_| ()),
            refused: None,
            ended: None,
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

/// A request that could not be read, and was answered with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The client.
    pub peer: SocketAddr,
    /// 400, 414 or 431; 0 where there was no answer.
    pub status: u16,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { peer, status, why } = self;
        match status {
            0 => write!(f, "a connection of {} was closed: {why}", peer.ip()),
            _ => write!(f, "a request from {} was refused with {status}: {why}", peer.ip()),
        }
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
    let ended = limits.ended.clone();
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
                let ended = ended.clone().map(|act| Ended { act, connection });
                tasks.spawn(async move {
                    // Answers are written whole, so waiting to fill a segment only delays them.
                    let _ = stream.set_nodelay(true);
                    offer.serve(stream, &carrier, patience, peer, handler).await;
                    drop((slot, place, ended));
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

/// Says that a connection has ended, however it does.
struct Ended {
    act: OnEnded,
    connection: u64,
}

impl Drop for Ended {
    fn drop(&mut self) {
        (self.act)(self.connection);
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
