//! Connections to the target, one for each client connection of the recording.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::Response;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::wire::{OutBody, Ready};
use crate::exchange::Protocol;
use crate::net::{
    Io, Target, Trust, connect_tls, no_address, resolve, tls_failure_message, with_causes,
};

/// Maximum number of connections that are kept for later requests.
const MAX_IDLE: usize = 256;

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("cannot resolve {0}: {1}; check --target")]
    Resolve(String, #[source] io::Error),
    #[error("cannot connect to {0}: {1}; check that a server listens there")]
    Connect(SocketAddr, #[source] io::Error),
    #[error("no TLS with {0}: {why}", why = tls_failure_message(.1, .0))]
    Tls(String, #[source] io::Error),
    #[error("no response within {0:?}; raise --timeout")]
    TimedOut(Duration),
    #[error("the response is invalid, or the connection broke: {}", with_causes(.0))]
    Broken(#[source] hyper::Error),
    #[error("the request cannot be sent: {0}")]
    Request(#[from] http::Error),
}

impl Failure {
    /// Failures of one kind are counted together.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Failure::Resolve(..) => "dns",
            Failure::Connect(..) => "connect",
            Failure::Tls(..) => "tls",
            Failure::TimedOut(_) => "timeout",
            Failure::Broken(_) => "response",
            Failure::Request(_) => "request",
        }
    }
}

/// A connection.
pub(super) struct Link {
    sender: Sender,
    /// Its number in this run.
    pub(super) number: u64,
    /// Whether it has received a response.
    used: bool,
}

enum Sender {
    Http1(http1::SendRequest<OutBody>),
    Http2(http2::SendRequest<OutBody>),
}

/// Opens and keeps connections.
pub(super) struct Links {
    target: Target,
    trust: Trust,
    timeout: Duration,
    /// Idle connections, each with its lane and kind; the most recently used one is last.
    idle: RefCell<Vec<(Option<u64>, bool, Link)>>,
    made: Cell<u64>,
}

impl Links {
    pub(super) fn new(target: Target, trust: Trust, timeout: Duration) -> Links {
        Links { target, trust, timeout, idle: RefCell::default(), made: Cell::new(0) }
    }

    /// Sends a request over the connection of its lane, or over a new one. Returns the response,
    /// and the connection that its body comes from.
    ///
    /// The server may close an idle connection at the same moment. Then the request is sent again
    /// if none of it had been sent, or if it is `safe`.
    pub(super) async fn send(
        &self,
        ready: &Ready,
        lane: Option<u64>,
        safe: bool,
    ) -> Result<(Response<Incoming>, Link), Failure> {
        let mut may_reuse = true;
        loop {
            let idle = if may_reuse { self.take(lane, ready.prior_knowledge) } else { None };
            let mut link = match idle {
                Some(link) => link,
                None => {
                    // Few requests connect, and its large future would be moved with each.
                    let connect = Box::pin(self.connect(ready.prior_knowledge));
                    let mut link = timeout(self.timeout, connect)
                        .await
                        .unwrap_or(Err(Failure::TimedOut(self.timeout)))?;
                    link.number = self.made.replace(self.made.get() + 1);
                    link
                }
            };
            let reused = link.used;
            match timeout(self.timeout, self.try_send(&mut link, ready)).await {
                Ok(Ok(response)) => {
                    link.used = true;
                    return Ok((response, link));
                }
                Ok(Err((_, unsent))) if reused && (unsent || safe) => may_reuse = false,
                Ok(Err((failure, _))) => return Err(failure),
                Err(_) => return Err(Failure::TimedOut(self.timeout)),
            }
        }
    }

    /// The flag is true if nothing of the request was sent.
    async fn try_send(
        &self,
        link: &mut Link,
        ready: &Ready,
    ) -> Result<Response<Incoming>, (Failure, bool)> {
        let request = ready.request(&self.target, link.is_http2());
        let request = request.map_err(|error| (Failure::Request(error), false))?;
        let closed = |error| (Failure::Broken(error), true);
        let sent = match &mut link.sender {
            Sender::Http1(sender) => {
                sender.ready().await.map_err(closed)?;
                sender.try_send_request(request).await
            }
            Sender::Http2(sender) => {
                sender.ready().await.map_err(closed)?;
                sender.try_send_request(request).await
            }
        };
        sent.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            (Failure::Broken(error.into_error()), unsent)
        })
    }

    /// Keeps a connection whose response was read to its end.
    pub(super) fn keep(&self, lane: Option<u64>, prior_knowledge: bool, link: Link) {
        if link.is_closed() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        if idle.len() >= MAX_IDLE {
            idle.remove(0);
        }
        idle.push((lane, prior_knowledge, link));
    }

    fn take(&self, lane: Option<u64>, prior_knowledge: bool) -> Option<Link> {
        let mut idle = self.idle.borrow_mut();
        loop {
            let is_own = |(own, prior, _): &(Option<u64>, bool, Link)| {
                *own == lane && *prior == prior_knowledge
            };
            let link = idle.iter().rposition(is_own).map(|at| idle.remove(at).2)?;
            if !link.is_closed() {
                return Some(link);
            }
        }
    }

    async fn connect(&self, prior_knowledge: bool) -> Result<Link, Failure> {
        let tcp = self.connect_tcp().await?;
        // Requests are written as a whole, so delaying small segments would only add latency.
        let _ = tcp.set_nodelay(true);
        if self.target.protocol == Protocol::Http {
            return Link::new(Box::new(tcp), prior_knowledge).await;
        }
        let host = &self.target.host;
        let tls = |error| Failure::Tls(host.clone(), error);
        let connector = self.trust.connector(false).map_err(tls)?;
        let stream = connect_tls(&connector, &self.target, tcp).await.map_err(tls)?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = TokioIo::new(stream);
        if http2 { Link::http2(io).await } else { Link::http1(io).await }
    }

    async fn connect_tcp(&self) -> Result<TcpStream, Failure> {
        let unresolved = |error| Failure::Resolve(self.target.hostname().to_owned(), error);
        let mut failed = None;
        for address in resolve(&self.target).await.map_err(unresolved)? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = Some(Failure::Connect(address, error)),
            }
        }
        Err(failed.unwrap_or_else(|| unresolved(no_address())))
    }
}

impl Link {
    async fn new(stream: Box<dyn Io>, http2: bool) -> Result<Link, Failure> {
        let io = TokioIo::new(stream);
        if http2 { Link::http2(io).await } else { Link::http1(io).await }
    }

    async fn http1<T>(io: TokioIo<T>) -> Result<Link, Failure>
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let builder = http1::Builder::new().max_headers(1000).clone();
        let (sender, connection) = builder.handshake(io).await.map_err(Failure::Broken)?;
        // Its errors are returned to the sender.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Link { sender: Sender::Http1(sender), number: 0, used: false })
    }

    async fn http2<T>(io: TokioIo<T>) -> Result<Link, Failure>
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let builder = http2::Builder::new(TokioExecutor::new());
        let (sender, connection) = builder.handshake(io).await.map_err(Failure::Broken)?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(Link { sender: Sender::Http2(sender), number: 0, used: false })
    }

    fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender) => sender.is_closed(),
            Sender::Http2(sender) => sender.is_closed(),
        }
    }
}
