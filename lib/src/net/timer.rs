//! Timers whose deadline moves with every message, at the cost of one atomic store.
//!
//! Adding a timer to the runtime's wheel and removing it again takes two locks for each message,
//! and the timer nearly never fires. These types keep one timer for each connection. When it fires,
//! they check whether the deadline has moved meanwhile, so the wheel is locked once per timeout
//! interval.

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

/// A timer for successive deadlines.
#[derive(Debug, Default)]
pub struct DeadlineTimer(Option<Pin<Box<Sleep>>>);

impl DeadlineTimer {
    /// Ready at `deadline`.
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

/// The timer of one hyper server connection, which uses it for the heads of requests only.
#[derive(Clone, Debug)]
pub(super) struct HeadTimer(Arc<HeadDeadline>);

#[derive(Debug)]
struct HeadDeadline {
    base: Instant,
    /// How much longer a head may take to begin than to arrive completely.
    idle: Duration,
    /// Nanoseconds from `base` to the deadline; 0 while no head is expected.
    until: AtomicU64,
    /// How long a head may take after its first byte.
    limit: Duration,
    /// True until the first byte of the expected head.
    is_idle: AtomicBool,
    has_passed: AtomicBool,
}

impl HeadTimer {
    /// `limit` is how long a head may take to arrive completely, and `idle` how much longer it may
    /// take to begin.
    pub(super) fn new(limit: Duration, idle: Duration) -> HeadTimer {
        let (until, is_idle, has_passed) = Default::default();
        HeadTimer(Arc::new(HeadDeadline {
            base: Instant::now(),
            idle,
            limit,
            until,
            is_idle,
            has_passed,
        }))
    }

    /// Bytes have arrived. If they begin a head, the additional idle time ends.
    fn bytes_arrived(&self) {
        let HeadDeadline { base, limit, idle, until, is_idle, .. } = &*self.0;
        if !is_idle.load(Ordering::Relaxed) {
            return;
        }
        is_idle.store(false, Ordering::Relaxed);
        if until.load(Ordering::Relaxed) != 0 && !idle.is_zero() {
            let nanos = (base.elapsed() + *limit).as_nanos();
            until.store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// Wakes the connection whenever a deadline has passed; never returns.
    pub(super) async fn watch(&self) -> Infallible {
        let HeadDeadline { base, limit, until, has_passed, .. } = &*self.0;
        let limit = *limit;
        loop {
            let now = Instant::now();
            let next = match until.load(Ordering::Relaxed) {
                // A wait that begins from now on has a later deadline.
                0 => now + limit,
                // The deadline may be moved to an earlier time meanwhile.
                nanos => (*base + Duration::from_nanos(nanos)).min(now + limit),
            };
            let passed = until.load(Ordering::Relaxed);
            let passed = passed != 0 && *base + Duration::from_nanos(passed) <= now;
            if !passed {
                sleep_until(next).await;
            } else {
                has_passed.store(true, Ordering::Relaxed);
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
        Box::pin(HeadSleep(self.0.clone()))
    }

    fn reset(&self, _: &mut Pin<Box<dyn rt::Sleep>>, deadline: std::time::Instant) {
        self.0.begin(deadline);
    }
}

impl HeadDeadline {
    fn begin(&self, deadline: std::time::Instant) {
        let deadline = Instant::from_std(deadline);
        self.is_idle.store(true, Ordering::Relaxed);
        let nanos = (deadline + self.idle).saturating_duration_since(self.base).as_nanos();
        self.until.store(u64::try_from(nanos).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
        self.has_passed.store(false, Ordering::Relaxed);
    }
}

/// One wait for a head.
struct HeadSleep(Arc<HeadDeadline>);

impl Future for HeadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        // `watch` wakes the connection's task, which then polls this.
        if self.0.has_passed.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for HeadSleep {
    fn drop(&mut self) {
        self.0.until.store(0, Ordering::Relaxed);
    }
}

impl rt::Sleep for HeadSleep {}

/// A stream that tells the head timer when bytes arrive.
#[derive(Debug)]
pub(super) struct HeadTimedStream<T> {
    stream: T,
    heads: HeadTimer,
}

impl<T> HeadTimedStream<T> {
    pub(super) fn new(stream: T, heads: HeadTimer) -> Self {
        HeadTimedStream { stream, heads }
    }

    pub(super) fn into_inner(self) -> T {
        self.stream
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for HeadTimedStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if polled.is_ready() {
            self.heads.bytes_arrived();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for HeadTimedStream<T> {
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
        let mut timer = DeadlineTimer::default();
        for (ahead, long_before) in [(SHORT * 2, false), (SHORT, true), (SHORT * 3, true)] {
            let far = Instant::now() + Duration::from_secs(3600);
            if long_before {
                assert!(poll_fn(|cx| Poll::Ready(timer.poll_until(cx, far))).await.is_pending());
            }
            let deadline = Instant::now() + ahead;
            poll_fn(|cx| timer.poll_until(cx, deadline)).await;
            let now = Instant::now();
            assert!(now >= deadline && now < far);
        }
    }

    #[tokio::test]
    async fn a_head_has_its_whole_time_and_no_more() {
        let timer = HeadTimer::new(SHORT, Duration::ZERO);
        let work = async {
            // Heads that arrive in time, with longer pauses between them.
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
            never = timer.watch() => match never {},
        };
        assert!(waits.iter().all(|wait| *wait >= SHORT), "{waits:?}");
    }

    #[tokio::test]
    async fn a_head_may_take_longer_to_begin_than_to_end() {
        let long = Duration::from_secs(3600);
        for (attended, idle) in [(true, long), (false, SHORT * 3)] {
            let timer = HeadTimer::new(SHORT, idle);
            let begun = Instant::now();
            let work = async {
                let wait = timer.sleep(SHORT);
                if attended {
                    timer.bytes_arrived();
                }
                wait.await;
            };
            tokio::select! {
                biased;
                () = work => (),
                never = timer.watch() => match never {},
            }
            let least = if attended { SHORT } else { SHORT + idle };
            assert!(begun.elapsed() >= least && begun.elapsed() < long, "{attended}");
        }
    }
}
