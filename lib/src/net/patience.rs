//! Time-outs that are set anew for every message, at the price of a store.
//!
//! To enter a timer into the runtime's wheel and to take it out again locks the wheel twice, for every message and
//! nearly always in vain. These keep one timer a connection, let it run out, and look then whether the deadline has
//! moved meanwhile; so the wheel is asked once in the length of a time-out.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer for one deadline after the other.
#[derive(Debug, Default)]
pub struct Patience(Option<Pin<Box<Sleep>>>);

impl Patience {
    /// Ends at `deadline`.
    pub fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }
}

/// The timer of one connection of hyper's server, which waits with it for heads of requests and nothing else.
#[derive(Clone, Debug)]
pub(super) struct HeadTimer(Arc<Waiting>);

#[derive(Debug)]
struct Waiting {
    base: Instant,
    /// How much longer a head may take to begin than to end.
    idle: Duration,
    /// Nanoseconds from `base` to the deadline; 0 while no head is awaited.
    until: AtomicU64,
    /// Nanoseconds that a head may take once it has begun.
    limit: AtomicU64,
    /// Nothing of the head that is awaited has come.
    is_idle: AtomicBool,
    over: AtomicBool,
}

impl HeadTimer {
    /// `idle` is how much longer a head may take to begin than to end.
    pub(super) fn new(idle: Duration) -> HeadTimer {
        let (until, limit, is_idle, over) = Default::default();
        HeadTimer(Arc::new(Waiting { base: Instant::now(), idle, until, limit, is_idle, over }))
    }

    /// Something has come: if it is the beginning of a head, that has no time to be idle any more.
    fn attend(&self) {
        let Waiting { idle, until, is_idle, .. } = &*self.0;
        if !is_idle.load(Ordering::Relaxed) {
            return;
        }
        is_idle.store(false, Ordering::Relaxed);
        let now = u64::try_from(self.0.base.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let limit = self.0.limit.load(Ordering::Relaxed);
        if until.load(Ordering::Relaxed) != 0 && !idle.is_zero() {
            until.store(now.saturating_add(limit), Ordering::Relaxed);
        }
    }

    /// Wakes the connection when a deadline has passed; never ends. `limit` is the length of the time-outs.
    pub(super) async fn watch(&self, limit: Duration) -> Infallible {
        let Waiting { base, until, over, .. } = &*self.0;
        loop {
            let now = Instant::now();
            let next = match until.load(Ordering::Relaxed) {
                // Whoever begins to wait now has a deadline after this.
                0 => now + limit,
                // It may be set to less than this meanwhile.
                nanos => (*base + Duration::from_nanos(nanos)).min(now + limit),
            };
            let passed = until.load(Ordering::Relaxed);
            let passed = passed != 0 && *base + Duration::from_nanos(passed) <= now;
            if !passed {
                sleep_until(next).await;
            } else {
                over.store(true, Ordering::Relaxed);
                until.store(0, Ordering::Relaxed);
                yield_now().await;
            }
        }
    }
}

impl rt::Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn rt::Sleep>> {
        self.0.begin(deadline);
        Box::pin(HeadWait(self.0.clone()))
    }

    fn reset(&self, _: &mut Pin<Box<dyn rt::Sleep>>, deadline: std::time::Instant) {
        self.0.begin(deadline);
    }
}

impl Waiting {
    fn begin(&self, deadline: std::time::Instant) {
        let deadline = Instant::from_std(deadline);
        let limit = deadline.saturating_duration_since(Instant::now()).as_nanos();
        self.limit.store(u64::try_from(limit).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.is_idle.store(true, Ordering::Relaxed);
        let nanos = (deadline + self.idle).saturating_duration_since(self.base).as_nanos();
        self.until.store(u64::try_from(nanos).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
        self.over.store(false, Ordering::Relaxed);
    }
}

/// One wait for a head.
struct HeadWait(Arc<Waiting>);

impl Future for HeadWait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        // The watch wakes the task of the connection, which is the one that asks here.
        if self.0.over.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for HeadWait {
    fn drop(&mut self) {
        self.0.until.store(0, Ordering::Relaxed);
    }
}

impl rt::Sleep for HeadWait {}

/// A stream whose heads are timed.
#[derive(Debug)]
pub(super) struct Attended<T> {
    stream: T,
    heads: HeadTimer,
}

impl<T> Attended<T> {
    pub(super) fn new(stream: T, heads: HeadTimer) -> Self {
        Attended { stream, heads }
    }

    pub(super) fn into_inner(self) -> T {
        self.stream
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Attended<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if polled.is_ready() {
            self.heads.attend();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Attended<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use hyper::rt::Timer as _;

    use super::*;

    const SHORT: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn deadlines_move_both_ways() {
        let mut patience = Patience::default();
        for (ahead, long_before) in [(SHORT * 2, false), (SHORT, true), (SHORT * 3, true)] {
            let far = Instant::now() + Duration::from_secs(3600);
            if long_before {
                assert!(poll_fn(|cx| Poll::Ready(patience.poll_until(cx, far))).await.is_pending());
            }
            let deadline = Instant::now() + ahead;
            poll_fn(|cx| patience.poll_until(cx, deadline)).await;
            let now = Instant::now();
            assert!(now >= deadline && now < far);
        }
    }

    #[tokio::test]
    async fn a_head_has_its_whole_time_and_no_more() {
        let timer = HeadTimer::new(Duration::ZERO);
        let work = async {
            // Heads that come in time, between waits that are longer.
            for _ in 0..3 {
                let wait = timer.sleep(SHORT);
                tokio::time::sleep(SHORT / 2).await;
                drop(wait);
                tokio::time::sleep(SHORT * 2).await;
            }
            let mut waits = Vec::new();
            for _ in 0..3 {
                let begun = Instant::now();
                timer.sleep(SHORT).await;
                waits.push(begun.elapsed());
            }
            waits
        };
        let waits = tokio::select! {
            biased;
            waits = work => waits,
            never = timer.watch(SHORT) => match never {},
        };
        assert!(waits.iter().all(|wait| *wait >= SHORT), "{waits:?}");
    }

    #[tokio::test]
    async fn a_head_may_take_longer_to_begin_than_to_end() {
        let long = Duration::from_secs(3600);
        for (attended, idle) in [(true, long), (false, SHORT * 3)] {
            let timer = HeadTimer::new(idle);
            let begun = Instant::now();
            let work = async {
                let wait = timer.sleep(SHORT);
                if attended {
                    timer.attend();
                }
                wait.await;
            };
            tokio::select! {
                biased;
                () = work => (),
                never = timer.watch(SHORT) => match never {},
            }
            let least = if attended { SHORT } else { SHORT + idle };
            assert!(begun.elapsed() >= least && begun.elapsed() < long, "{attended}");
        }
    }
}
