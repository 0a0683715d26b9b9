//! HTTP connections to upstreams, and the pool of idle ones.
//!
//! The task that uses an HTTP/1 link (the client's own) also drives it. A separate task would have
//! to be woken twice for each request, often on another core. Many clients share an HTTP/2 link, so
//! that one has its own task.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;

use super::connect::Connected;
use super::request_body::RequestBody;
use super::stream::Stream;
use super::target_form::{RequiredProtocol, TargetForm};
use crate::exchange::Protocol;
use crate::net::{DeadlineTimer, Rewind, Target};

/// Maximum number of idle links for one origin, and in total.
const IDLE: (usize, usize) = (256, 1024);

/// Idle links are closed after this time, because servers close theirs at about the same time.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// Maximum size of the head of a request or response.
pub(super) const MAX_HEAD: usize = 256 << 10;

/// Maximum number of header lines in a head.
pub(super) const MAX_HEADERS: usize = 1000;

/// Maximum number of links that one client connection may own for each origin.
const OWNED: usize = 16;

type Connection = http1::Connection<TokioIo<Stream>, RequestBody>;

/// A connection to an upstream.
pub(super) struct Link {
    pub(super) sender: Sender,
    /// The HTTP/1 connection; `None` once it has ended or has its own task. Boxed, because links
    /// are moved often.
    connection: Option<Box<Connection>>,
    /// The ended connection, if another protocol follows on it.
    ended: Option<Box<Connection>>,
    /// The form of the request targets on this link.
    pub(super) form: TargetForm,
    driver_waker: Arc<DriverWaker>,
    /// `driver_waker` as a `Waker` for the connection.
    waker: Waker,
    /// For the timeouts of the task that uses the link.
    pub(super) timer: DeadlineTimer,
    /// The client connection that owns this link, once it carried an authentication that holds for
    /// the whole connection (NTLM and Negotiate, RFC 4559 section 6).
    pub(super) owner: Option<u64>,
    used: Instant,
}

/// The state of a link after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    /// The link must be closed: the next response might start within this one.
    Closed,
    /// The connection itself decides.
    Unknown,
    /// The next request may follow.
    Open,
}

/// The handle that sends requests.
pub(super) enum Sender {
    Http1(http1::SendRequest<RequestBody>),
    Http2(http2::SendRequest<RequestBody>),
}

/// Wakes the task that drives a connection, except while that task polls for the connection's
/// results. It drives the connection next in any case, so a wake-up would only cost another poll.
///
/// No event is lost: the socket's readiness is stored before anyone is woken, and the following
/// drive registers first and then checks it.
struct DriverWaker {
    driver: Mutex<Waker>,
    polling: AtomicBool,
}

impl Wake for DriverWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.polling.load(Ordering::SeqCst) {
            self.driver.lock().wake_by_ref();
        }
    }
}

impl Link {
    pub(super) async fn new(connected: Connected) -> Result<Link, hyper::Error> {
        let Connected { stream, form } = connected;
        let io = TokioIo::new(stream);
        if form == TargetForm::Http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            // No pings: gRPC servers close connections whose clients send them often.
            builder.timer(TokioTimer::new());
            builder.max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
            let (sender, connection) = builder.handshake(io).await?;
            // The requests on the connection return its errors.
            tokio::spawn(connection);
            let sender = Sender::Http2(sender);
            return Ok(Link::with_sender(sender, None, form));
        }
        let (sender, connection) = http1::Builder::new()
            // Some space beyond the head, for the reads.
            .max_buf_size(MAX_HEAD + (16 << 10))
            .max_headers(MAX_HEADERS)
            .preserve_header_case(true)
            .handshake(io)
            .await?;
        let (sender, connection) = (Sender::Http1(sender), Some(Box::new(connection)));
        Ok(Link::with_sender(sender, connection, form))
    }

    fn with_sender(sender: Sender, connection: Option<Box<Connection>>, form: TargetForm) -> Link {
        let (driver, polling) = (Mutex::new(Waker::noop().clone()), AtomicBool::new(false));
        let driver_waker = Arc::new(DriverWaker { driver, polling });
        let waker = driver_waker.clone().into();
        let (timer, used) = (DeadlineTimer::default(), Instant::now());
        let (ended, owner) = (None, None);
        Link { sender, connection, ended, form, driver_waker, waker, timer, owner, used }
    }

    /// Polls with `poll` for a result of the connection, drives the connection, and polls again.
    pub(super) fn poll_and_drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if self.connection.is_none() {
            // The connection has its own task, or has ended.
            return poll(cx);
        }
        let mut polled = |driver_waker: &DriverWaker| {
            driver_waker.polling.store(true, Ordering::SeqCst);
            let found = poll(&mut Context::from_waker(Waker::noop()));
            driver_waker.polling.store(false, Ordering::SeqCst);
            found
        };
        if let Poll::Ready(found) = polled(&self.driver_waker) {
            return Poll::Ready(found);
        }
        self.drive(cx);
        match polled(&self.driver_waker) {
            // The end of the connection may be the awaited result.
            Poll::Pending if self.connection.is_none() => poll(cx),
            found => found,
        }
    }

    /// Lets the connection make progress. The pending request returns its errors.
    fn drive(&mut self, cx: &mut Context<'_>) {
        let Some(connection) = &mut self.connection else { return };
        {
            let mut driver = self.driver_waker.driver.lock();
            driver.clone_from(cx.waker());
        }
        let mut cx = Context::from_waker(&self.waker);
        if let Poll::Ready(ended) = Pin::new(connection.as_mut()).poll(&mut cx) {
            let connection = self.connection.take();
            self.ended = if ended.is_ok() { connection } else { None };
        }
    }

    /// Moves the connection to its own task, for an upload that continues after the head of its
    /// response. The upload must go on even if nobody reads the response.
    pub(super) fn detach(&mut self) {
        if let Some(connection) = self.connection.take() {
            tokio::spawn(connection);
        }
    }

    /// The underlying stream, after a response that ended HTTP on it.
    pub(super) async fn into_stream(mut self) -> Option<Rewind<Stream>> {
        poll_fn(|cx| {
            self.drive(cx);
            if self.connection.is_some() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        let parts = self.ended.take()?.into_parts();
        Some(Rewind::new(parts.read_buf, parts.io.into_inner()))
    }

    /// Checks that the link is open and free. Nothing wakes a task for an idle link; it is checked
    /// before each use.
    fn is_idle(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        match &self.sender {
            Sender::Http1(sender) => self.connection.is_some() && sender.is_ready(),
            Sender::Http2(_) => false,
        }
    }
}

/// Idle links by origin, and HTTP/2 links, which many clients can share.
#[derive(Default)]
pub(super) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    http: HashMap<String, Vec<Link>>,
    https: HashMap<String, Vec<Link>>,
    count: usize,
    http2: Shared,
    /// Shared links in clear text, with prior knowledge.
    http2_clear: Shared,
    /// Links that client connections own, by the number of the client connection.
    owned: HashMap<u64, Vec<(Protocol, String, Link)>>,
}

/// HTTP/2 links by host, with the time of the last use.
type Shared = HashMap<String, (http2::SendRequest<RequestBody>, Instant)>;

impl Idle {
    fn of(&mut self, protocol: Protocol) -> &mut HashMap<String, Vec<Link>> {
        match protocol {
            Protocol::Http => &mut self.http,
            Protocol::Https => &mut self.https,
        }
    }

    fn shared(&mut self, protocol: Protocol) -> &mut Shared {
        match protocol {
            Protocol::Http => &mut self.http2_clear,
            Protocol::Https => &mut self.http2,
        }
    }

    fn http2(&mut self, target: &Target) -> Option<Link> {
        let shared = self.shared(target.protocol);
        if shared.is_empty() {
            return None;
        }
        let (sender, used) = shared.get_mut(&target.host)?;
        if !sender.is_ready() {
            shared.remove(&target.host);
            return None;
        }
        *used = Instant::now();
        let sender = Sender::Http2(sender.clone());
        Some(Link::with_sender(sender, None, TargetForm::Http2))
    }
}

impl Idle {
    /// A link to the target's origin that this client connection owns.
    fn owned(&mut self, target: &Target, connection: u64) -> Option<Link> {
        let links = self.owned.get_mut(&connection)?;
        let place = links.iter().rposition(|(protocol, host, _)| {
            *protocol == target.protocol && *host == target.host
        })?;
        Some(links.swap_remove(place).2)
    }
}

impl Pool {
    /// Takes a link to the target's origin that seems open: preferably one that this client
    /// connection owns, and never one that another owns.
    pub(super) fn take(
        &self,
        target: &Target,
        required: RequiredProtocol,
        connection: u64,
    ) -> Option<Link> {
        loop {
            let mut link = {
                let mut idle = self.0.lock();
                let shares = match (required, target.protocol) {
                    (RequiredProtocol::Http1, _) | (RequiredProtocol::Any, Protocol::Http) => false,
                    (RequiredProtocol::PriorKnowledge, _)
                    | (RequiredProtocol::Any, Protocol::Https) => true,
                };
                if shares && let Some(shared) = idle.http2(target) {
                    return Some(shared);
                }
                if required == RequiredProtocol::PriorKnowledge && target.protocol == Protocol::Http
                {
                    return None;
                }
                if !idle.owned.is_empty()
                    && let Some(mut link) = idle.owned(target, connection)
                {
                    if link.is_idle() {
                        return Some(link);
                    }
                    continue;
                }
                let link = idle.of(target.protocol).get_mut(&target.host)?.pop()?;
                idle.count -= 1;
                link
            };
            if link.is_idle() {
                return Some(link);
            }
        }
    }

    /// Shares a new link with other clients, if it is HTTP/2.
    pub(super) fn share(&self, target: &Target, link: &Link) {
        let Sender::Http2(sender) = &link.sender else { return };
        let mut idle = self.0.lock();
        let shared = idle.shared(target.protocol);
        if shared.len() < IDLE.1 {
            shared.insert(target.host.clone(), (sender.clone(), link.used));
        }
    }

    /// Returns a link after its exchange; closes it if it cannot be reused.
    pub(super) fn put(&self, target: &Target, mut link: Link, after: LinkState) {
        let stays = match after {
            LinkState::Closed => false,
            LinkState::Unknown => link.is_idle(),
            // It is checked before its next use.
            LinkState::Open => link.connection.is_some(),
        };
        if !stays {
            return;
        }
        link.used = Instant::now();
        let mut idle = self.0.lock();
        if let Some(owner) = link.owner {
            let links = idle.owned.entry(owner).or_default();
            if links.len() < OWNED {
                links.push((target.protocol, target.host.clone(), link));
            }
            return;
        }
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

    /// Closes the links of a client connection that has ended.
    pub(super) fn disown(&self, connection: u64) {
        let mut idle = self.0.lock();
        if !idle.owned.is_empty() {
            let links = idle.owned.remove(&connection);
            drop(idle);
            // Close the sockets without holding the lock.
            drop(links);
        }
    }

    /// Closes links that have been idle for too long.
    pub(super) fn prune(&self) {
        let mut closed = Vec::new();
        let mut idle = self.0.lock();
        // Exchanges in progress hold their own sender, so they continue.
        for protocol in [Protocol::Http, Protocol::Https] {
            let fresh = |used: &Instant| used.elapsed() <= IDLE_TIME;
            idle.shared(protocol).retain(|_, (sender, used)| fresh(used) && !sender.is_closed());
        }
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
        // Close the sockets without holding the lock.
        drop(closed);
    }
}
