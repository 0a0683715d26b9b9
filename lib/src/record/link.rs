//! An HTTP connection to an upstream, and the pool of those that are idle.
//!
//! An HTTP/1 link is driven by the task that uses it, the client's own, and not by a task of its own: that
//! saves waking another task, often on another core, twice a request. An HTTP/2 link is shared by many
//! clients, and so has a task of its own.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::connect::Connected;
use super::stream::Stream;
use super::upload::RequestBody;
use crate::exchange::Protocol;
use crate::net::{Patience, Rewind, Target};

/// Idle links kept for one origin, and in all.
const IDLE: (usize, usize) = (256, 1024);

/// Links idle for longer are closed: servers close theirs about then.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// Longer heads of requests and of answers are refused.
pub(super) const MAX_HEAD: usize = 256 << 10;

/// Heads with more header lines are refused.
pub(super) const MAX_HEADERS: usize = 1000;

/// Links that one client connection may own for each origin.
const OWNED: usize = 16;

type Connection = http1::Connection<TokioIo<Stream>, RequestBody>;

/// A connection to an upstream.
pub(super) struct Link {
    pub(super) sender: Sender,
    /// HTTP/1's; none once it has ended, or has been given a task of its own. Boxed, since links are moved often.
    connection: Option<Box<Connection>>,
    /// The connection after its end, where that is the beginning of another protocol.
    ended: Option<Box<Connection>>,
    /// How a request is written down for it.
    pub(super) form: Form,
    beckon: Arc<Beckon>,
    /// `beckon` as the connection has it.
    waker: Waker,
    /// For the time-outs of whoever uses it.
    pub(super) patience: Patience,
    /// The client connection that it belongs to, once an authentication was spoken on it that holds for the whole
    /// connection (NTLM and Negotiate, RFC 4559 section 6).
    pub(super) owner: Option<u64>,
    used: Instant,
}

/// What a request needs of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// HTTP/1, as for a switch to another protocol.
    Http1,
    /// HTTP/2 in clear text without asking, as the client itself spoke it (RFC 9113 section 3.3).
    PriorKnowledge,
    /// HTTP/1 in clear text, and over TLS what ALPN gives.
    Any,
}

/// What an answer tells of its link once it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The next answer might begin within this one.
    Closed,
    /// The link knows.
    Unknown,
    /// The next request may follow.
    Open,
}

/// Where requests are handed in.
pub(super) enum Sender {
    Http1(http1::SendRequest<RequestBody>),
    Http2(http2::SendRequest<RequestBody>),
}

/// How the head of a request names its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By its path; the host is in the header.
    Origin,
    /// By its URL, to a proxy that may want a password.
    Absolute(Option<http::HeaderValue>),
    /// By the fields of HTTP/2.
    Http2,
}

/// Wakes the task that drives a connection, but not while that is looking for what the connection hands over:
/// it drives the connection next in any case, and to be woken would only cost it another turn.
///
/// Nothing is lost: what happens to the socket meanwhile is noted there before anybody is woken, and the drive that
/// follows looks for it after it has registered.
struct Beckon {
    task: Mutex<Waker>,
    looking: AtomicBool,
}

impl Wake for Beckon {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.looking.load(Ordering::SeqCst) {
            self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
        }
    }
}

impl Link {
    pub(super) async fn new(connected: Connected) -> Result<Link, hyper::Error> {
        let Connected { stream, form } = connected;
        let io = TokioIo::new(stream);
        if form == Form::Http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            // No pings: servers of gRPC end connections whose clients send them often.
            builder.timer(TokioTimer::new());
            builder.max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
            let (sender, connection) = builder.handshake(io).await?;
            // Its errors reach those who wait for answers.
            tokio::spawn(connection);
            let sender = Sender::Http2(sender);
            return Ok(Link::over(sender, None, form));
        }
        let (sender, connection) = http1::Builder::new()
            // With some room for the reader.
            .max_buf_size(MAX_HEAD + (16 << 10))
            .max_headers(MAX_HEADERS)
            .preserve_header_case(true)
            .handshake(io)
            .await?;
        let (sender, connection) = (Sender::Http1(sender), Some(Box::new(connection)));
        Ok(Link::over(sender, connection, form))
    }

    fn over(sender: Sender, connection: Option<Box<Connection>>, form: Form) -> Link {
        let (task, looking) = (Mutex::new(Waker::noop().clone()), AtomicBool::new(false));
        let beckon = Arc::new(Beckon { task, looking });
        let waker = beckon.clone().into();
        let (patience, used) = (Patience::default(), Instant::now());
        let (ended, owner) = (None, None);
        Link { sender, connection, ended, form, beckon, waker, patience, owner, used }
    }

    /// Looks with `look` for what the connection hands over, drives it, and looks again.
    pub(super) fn look_and_drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut look: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if self.connection.is_none() {
            // Another task drives it, or nobody needs to.
            return look(cx);
        }
        let mut looked = |beckon: &Beckon| {
            beckon.looking.store(true, Ordering::SeqCst);
            let found = look(&mut Context::from_waker(Waker::noop()));
            beckon.looking.store(false, Ordering::SeqCst);
            found
        };
        if let Poll::Ready(found) = looked(&self.beckon) {
            return Poll::Ready(found);
        }
        self.drive(cx);
        match looked(&self.beckon) {
            // Its end may be what there is to look for.
            Poll::Pending if self.connection.is_none() => look(cx),
            found => found,
        }
    }

    /// Lets the connection do what it can. Its errors reach the one who waits for the answer.
    fn drive(&mut self, cx: &mut Context<'_>) {
        let Some(connection) = &mut self.connection else { return };
        {
            let mut task = self.beckon.task.lock().unwrap_or_else(PoisonError::into_inner);
            task.clone_from(cx.waker());
        }
        let mut cx = Context::from_waker(&self.waker);
        if let Poll::Ready(ended) = Pin::new(connection.as_mut()).poll(&mut cx) {
            let connection = self.connection.take();
            self.ended = if ended.is_ok() { connection } else { None };
        }
    }

    /// Gives the connection a task of its own, for an upload that outlasts the head of its answer:
    /// it must go on even while nobody reads the answer.
    pub(super) fn detach(&mut self) {
        if let Some(connection) = self.connection.take() {
            tokio::spawn(connection);
        }
    }

    /// The stream beneath, after an answer that ended HTTP on it.
    pub(super) async fn into_stream(mut self) -> Option<Rewind<Stream>> {
        poll_fn(|cx| {
            self.drive(cx);
            if self.connection.is_some() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        let parts = self.ended.take()?.into_parts();
        Some(Rewind::new(parts.read_buf, parts.io.into_inner()))
    }

    /// Looks whether it is open and free. Nobody is woken for what happens to an idle link: it is looked at before it
    /// is used.
    fn is_idle(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        match &self.sender {
            Sender::Http1(sender) => self.connection.is_some() && sender.is_ready(),
            Sender::Http2(_) => false,
        }
    }
}

/// Idle links by origin, and those that many can use at once.
#[derive(Default)]
pub(super) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    http: HashMap<String, Vec<Link>>,
    https: HashMap<String, Vec<Link>>,
    count: usize,
    http2: Shared,
    /// Those in clear text, by prior knowledge.
    http2_clear: Shared,
    /// Links that belong to a client connection, by its number.
    owned: HashMap<u64, Vec<(Protocol, String, Link)>>,
}

/// HTTP/2 links by host, with the time of their last use.
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
        Some(Link::over(sender, None, Form::Http2))
    }
}

impl Idle {
    /// A link to the target's origin that belongs to this client connection.
    fn owned(&mut self, target: &Target, connection: u64) -> Option<Link> {
        let links = self.owned.get_mut(&connection)?;
        let place = links.iter().rposition(|(protocol, host, _)| {
            *protocol == target.protocol && *host == target.host
        })?;
        Some(links.swap_remove(place).2)
    }
}

impl Pool {
    /// A link to the target's origin that is still open as far as can be seen; first one that belongs to this client
    /// connection, and none that belongs to another.
    pub(super) fn take(&self, target: &Target, wanted: Wanted, connection: u64) -> Option<Link> {
        loop {
            let mut link = {
                let mut idle = self.lock();
                let shares = match (wanted, target.protocol) {
                    (Wanted::Http1, _) | (Wanted::Any, Protocol::Http) => false,
                    (Wanted::PriorKnowledge, _) | (Wanted::Any, Protocol::Https) => true,
                };
                if shares && let Some(shared) = idle.http2(target) {
                    return Some(shared);
                }
                if wanted == Wanted::PriorKnowledge && target.protocol == Protocol::Http {
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

    /// Lets others use a new link, too, where it is of that kind.
    pub(super) fn share(&self, target: &Target, link: &Link) {
        let Sender::Http2(sender) = &link.sender else { return };
        let mut idle = self.lock();
        let shared = idle.shared(target.protocol);
        if shared.len() < IDLE.1 {
            shared.insert(target.host.clone(), (sender.clone(), link.used));
        }
    }

    /// Takes a link back whose exchange is over; closes it where it cannot be used again.
    pub(super) fn put(&self, target: &Target, mut link: Link, after: After) {
        let stays = match after {
            After::Closed => false,
            After::Unknown => link.is_idle(),
            // It will be looked at before it is used.
            After::Open => link.connection.is_some(),
        };
        if !stays {
            return;
        }
        link.used = Instant::now();
        let mut idle = self.lock();
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

    /// Closes the links that belong to a client connection, which has ended.
    pub(super) fn disown(&self, connection: u64) {
        let mut idle = self.lock();
        if !idle.owned.is_empty() {
            let links = idle.owned.remove(&connection);
            drop(idle);
            // Sockets are closed without the lock.
            drop(links);
        }
    }

    /// Closes links that have been idle for long.
    pub(super) fn prune(&self) {
        let mut closed = Vec::new();
        let mut idle = self.lock();
        // Exchanges under way hold a sender of their own, so they go on.
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
        // Sockets are closed without the lock.
        drop(closed);
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
