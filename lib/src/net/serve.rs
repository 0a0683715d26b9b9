//! The accept loop: one task for each connection, limits, and a bounded drain.

use std::error::Error;
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
use super::connection::ConnectionServer;
use super::connection_limit::ConnectionLimit;
use super::limits::{Limits, OnEnded, Peer};
use super::protocol_detection::serve_stream;
use super::tasks::Tasks;

/// The result of draining a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// The number of connections that were closed at the end of the grace period.
    pub cut: usize,
}

/// Serves `handler` on `listener` until `shutdown` resolves. Then it stops accepting, lets requests
/// in progress finish within `grace`, and closes the remaining connections. A panic in the handler
/// ends only its own connection.
///
/// When this returns, the tasks of all connections have ended, and everything they owned is
/// dropped.
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
    let mut per_address =
        ConnectionLimit::new(limits.connections_per_address, limits.report.clone());
    let mut backoff = Backoff::new(limits.report.clone());
    let (protocols, header_timeout) = (limits.protocols.clone(), limits.header_read_timeout);
    let ended = limits.ended.clone();
    let connections = ConnectionServer::new(limits, stopping, tasks.clone());
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
                // If the address is at its limit, its connection is closed at once.
                let Some(counted) = per_address.admit(address.ip()) else { continue };
                connection += 1;
                let peer = Peer { address, connection };
                let (handler, connections) = (handler.clone(), connections.clone());
                let protocols = protocols.clone();
                let ended = ended.clone().map(|callback| EndNotifier { callback, connection });
                tasks.spawn(async move {
                    // Responses are written as a whole, so delaying small segments would only add
                    // latency.
                    let _ = stream.set_nodelay(true);
                    serve_stream(&protocols, stream, &connections, header_timeout, peer, handler)
                        .await;
                    drop((slot, counted, ended));
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

/// Calls the callback when a connection ends, also after a panic.
struct EndNotifier {
    callback: OnEnded,
    connection: u64,
}

impl Drop for EndNotifier {
    fn drop(&mut self) {
        (self.callback)(self.connection);
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
mod tests;
