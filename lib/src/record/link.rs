//! An HTTP connection to an upstream, and the pool of those that are idle.
//!
//! A link is driven by the task that uses it, the client's own, and not by a task of its own: that
//! saves waking another task, often on another core, twice a request.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};

use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;

use super::connect::Stream;
use super::upload::RequestBody;
use crate::exchange::Protocol;
use crate::net::Target;

/// Idle links kept for one origin, and in all.
const IDLE: (usize, usize) = (256, 1024);

/// Links idle for longer are closed: servers close theirs about then.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// A connection to an upstream.
pub(super) struct Link {
    pub(super) sender: SendRequest<RequestBody>,
    /// None once it has ended, or has been given a task of its own. Boxed, since links are moved often.
    connection: Option<Box<Connection<TokioIo<Stream>, RequestBody>>>,
    used: Instant,
}

impl Link {
    /// Hyper's own limit of 100 header lines stands: setting it would cost an allocation a response.
    pub(super) async fn new(stream: Stream) -> Result<Link, hyper::Error> {
        let (sender, connection) =
            http1::Builder::new().max_buf_size(256 << 10).handshake(TokioIo::new(stream)).await?;
        Ok(Link { sender, connection: Some(Box::new(connection)), used: Instant::now() })
    }

    /// Lets the connection do what it can. Its errors reach the one who waits for the answer.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection.as_mut()).poll(cx).is_ready()
        {
            self.connection = None;
        }
    }

    /// Gives the connection a task of its own, for an upload that outlasts the head of its answer:
    /// it must go on even while nobody reads the answer.
    pub(super) fn detach(&mut self) {
        if let Some(connection) = self.connection.take() {
            tokio::spawn(connection);
        }
    }

    fn is_idle(&mut self, cx: &mut Context<'_>) -> bool {
        self.drive(cx);
        self.connection.is_some() && self.sender.is_ready()
    }
}

/// Idle links by origin.
#[derive(Default)]
pub(super) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    http: HashMap<String, Vec<Link>>,
    https: HashMap<String, Vec<Link>>,
    count: usize,
}

impl Idle {
    fn of(&mut self, protocol: Protocol) -> &mut HashMap<String, Vec<Link>> {
        match protocol {
            Protocol::Http => &mut self.http,
            Protocol::Https => &mut self.https,
        }
    }
}

impl Pool {
    /// A link to the target's origin that is still open as far as can be seen.
    pub(super) fn take(&self, target: &Target, cx: &mut Context<'_>) -> Option<Link> {
        loop {
            let mut link = {
                let mut idle = self.lock();
                let link = idle.of(target.protocol).get_mut(&target.host)?.pop()?;
                idle.count -= 1;
                link
            };
            if link.is_idle(cx) {
                return Some(link);
            }
        }
    }

    /// Takes a link back whose exchange is over; closes it where it cannot be used again.
    pub(super) fn put(&self, target: &Target, mut link: Link, cx: &mut Context<'_>) {
        if !link.is_idle(cx) {
            return;
        }
        link.used = Instant::now();
        let mut idle = self.lock();
        if idle.count >= IDLE.1 {
            return;
        }
        let links = idle.of(target.protocol);
        if let Some(links) = links.get_mut(&target.host) {
            if links.len() >= IDLE.0 {
                return;
            }
            links.push(link);
        } else {
            links.insert(target.host.clone(), vec![link]);
        }
        idle.count += 1;
    }

    /// Closes links that have been idle for long.
    pub(super) fn prune(&self) {
        let mut closed = Vec::new();
        let mut idle = self.lock();
        for protocol in [Protocol::Http, Protocol::Https] {
            idle.of(protocol).retain(|_, links| {
                let (old, young) = std::mem::take(links)
                    .into_iter()
                    .partition(|link: &Link| link.used.elapsed() > IDLE_TIME);
                *links = young;
                closed.push(old);
                !links.is_empty()
            });
        }
        idle.count -= closed.iter().map(Vec::len).sum::<usize>();
        drop(idle);
        // Sockets are closed without the lock.
        drop(closed);
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
