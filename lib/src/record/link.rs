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

use super::connect::{Connected, Stream};
use super::upload::RequestBody;
use crate::exchange::Protocol;
use crate::net::{Patience, Rewind, Target};

/// Idle links kept for one origin, and in all.
const IDLE: (usize, usize) = (256, 1024);

/// Links idle for longer are closed: servers close theirs about then.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// Longer heads of answers are refused.
const MAX_HEAD: usize = 256 << 10;

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
    used: Instant,
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
    /// Hyper's own limit of 100 header lines stands: setting it would cost an allocation a response.
    pub(super) async fn new(connected: Connected) -> Result<Link, hyper::Error> {
        let Connected { stream, form } = connected;
        let io = TokioIo::new(stream);
        if form == Form::Http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.timer(TokioTimer::new()).keep_alive_interval(IDLE_TIME);
            builder.max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
            let (sender, connection) = builder.handshake(io).await?;
            // Its errors reach those who wait for answers.
            tokio::spawn(connection);
            let sender = Sender::Http2(sender);
            return Ok(Link::over(sender, None, form));
        }
        let (sender, connection) =
            http1::Builder::new().max_buf_size(MAX_HEAD).handshake(io).await?;
        let (sender, connection) = (Sender::Http1(sender), Some(Box::new(connection)));
        Ok(Link::over(sender, connection, form))
    }

    fn over(sender: Sender, connection: Option<Box<Connection>>, form: Form) -> Link {
        let (task, looking) = (Mutex::new(Waker::noop().clone()), AtomicBool::new(false));
        let beckon = Arc::new(Beckon { task, looking });
        let waker = beckon.clone().into();
        let (patience, used) = (Patience::default(), Instant::now());
        Link { sender, connection, ended: None, form, beckon, waker, patience, used }
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
    http2: HashMap<String, (http2::SendRequest<RequestBody>, Instant)>,
}

impl Idle {
    fn of(&mut self, protocol: Protocol) -> &mut HashMap<String, Vec<Link>> {
        match protocol {
            Protocol::Http => &mut self.http,
            Protocol::Https => &mut self.https,
        }
    }

    fn http2(&mut self, target: &Target) -> Option<Link> {
        if target.protocol != Protocol::Https || self.http2.is_empty() {
            return None;
        }
        let (sender, used) = self.http2.get_mut(&target.host)?;
        if !sender.is_ready() {
            self.http2.remove(&target.host);
            return None;
        }
        *used = Instant::now();
        let sender = Sender::Http2(sender.clone());
        Some(Link::over(sender, None, Form::Http2))
    }
}

impl Pool {
    /// A link to the target's origin that is still open as far as can be seen; `http1` rules HTTP/2 out.
    pub(super) fn take(&self, target: &Target, http1: bool) -> Option<Link> {
        loop {
            let mut link = {
                let mut idle = self.lock();
                if !http1 && let Some(shared) = idle.http2(target) {
                    return Some(shared);
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
        if idle.http2.len() < IDLE.1 {
            idle.http2.insert(target.host.clone(), (sender.clone(), link.used));
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
        // Exchanges under way hold a sender of their own, so they go on.
        idle.http2.retain(|_, (sender, used)| used.elapsed() <= IDLE_TIME && !sender.is_closed());
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
