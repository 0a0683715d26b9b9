//! Where records go, and when a client may have the end of its answer: once they are there.
//!
//! Plain files are written by the task that has the record: a `write(2)` to the page cache costs less than handing
//! the record to another thread and being woken by it. Where another task writes just now, it is left the
//! record as well, since sleeping for the lock would cost the most. Sinks that may make us
//! wait (pipes, terminals, compressed files) have a thread, so that a slow reader slows the clients down
//! and neither time-outs nor signals.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::delivery::{Backpressure, Delivery, Durability, OnSinkError, Output};
use super::sinks::{Outcome, Sinks, Unrecorded};
use super::tally::{Dropped, Tally};
use crate::net::Report;
use crate::stream::Patience;

/// Sinks that buffer are flushed as often.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Bytes of records that may wait for a sink without a client that waits for them.
const MAX_UNAWAITED: usize = 32 << 20;

/// The same where records are buffered: what a kill may lose.
const MAX_BUFFERED: usize = 4 << 20;

/// Records that share one wait for the disk.
const GROUP: usize = 256;

/// Time for what a sink keeps of records that nobody took, after it has given up waiting.
const KEEPING: Duration = Duration::from_secs(5);

/// Takes records in whole lines and gives them to all sinks.
pub(super) struct Journal {
    mode: Mode,
    delivery: Delivery,
    tally: Arc<Tally>,
    gone: watch::Receiver<bool>,
    /// Of the sinks that wait for others.
    patience: Vec<Patience>,
}

enum Mode {
    Direct {
        sinks: Mutex<Sinks>,
        /// What came while the sinks were locked.
        left: Mutex<Vec<Job>>,
    },
    Thread {
        queue: Mutex<Option<mpsc::Sender<Job>>>,
        waiting: Arc<AtomicUsize>,
        end: Mutex<Option<oneshot::Receiver<Option<String>>>>,
    },
}

struct Job {
    host: String,
    line: Vec<u8>,
    taken: Option<oneshot::Sender<Outcome>>,
}

/// Resolves when a record is where it belongs, or can never get there.
#[must_use]
pub(super) enum Taken {
    Already(Outcome),
    Later(oneshot::Receiver<Outcome>),
}

impl Taken {
    /// For what needs no record.
    pub(super) const UNNEEDED: Taken = Taken::Already(Ok(()));
}

impl Future for Taken {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        match self.get_mut() {
            Taken::Already(outcome) => Poll::Ready(*outcome),
            Taken::Later(wait) => {
                // A job that is dropped unwritten was recorded nowhere.
                Poll::Ready(ready!(Pin::new(wait).poll(cx)).unwrap_or(Err(Unrecorded)))
            }
        }
    }
}

impl Journal {
    pub(super) fn open(
        mut outputs: Vec<Output>,
        delivery: Delivery,
        tally: Arc<Tally>,
        report: Report,
    ) -> Journal {
        for output in &mut outputs {
            output.sink.report_to(report.clone());
        }
        let patience = outputs.iter().filter_map(|output| Some(output.sink.patience()?.0));
        let patience = patience.collect();
        let (announce, gone) = watch::channel(false);
        let may_wait = outputs.iter().any(|output| output.may_wait)
            || delivery.durability != Durability::Kernel;
        let sinks = Sinks::new(outputs, delivery, announce, report, tally.clone());
        let mode = if may_wait {
            let group = matches!(delivery.durability, Durability::Fsync | Durability::Acked);
            Mode::start(sinks, if group { GROUP } else { 1 })
        } else {
            Mode::Direct { sinks: Mutex::new(sinks), left: Mutex::default() }
        };
        Journal { mode, delivery, tally, gone, patience }
    }

    /// Gives a record to the sinks. `awaited` tells whether a client is made to wait for that, which is what
    /// bounds the queue. Takes the line away only where it has to be kept.
    pub(super) fn submit(&self, host: &str, line: &mut Vec<u8>, awaited: bool) -> Taken {
        match &self.mode {
            Mode::Direct { sinks, left } => {
                let taken = match sinks.try_lock() {
                    Ok(mut sinks) => Taken::Already(sinks.write(host, line)),
                    Err(TryLockError::Poisoned(poisoned)) => {
                        Taken::Already(poisoned.into_inner().write(host, line))
                    }
                    Err(TryLockError::WouldBlock) => {
                        let (taken, wait) = oneshot::channel();
                        let line = std::mem::take(line);
                        let job = Job { host: host.to_owned(), line, taken: Some(taken) };
                        lock(left).push(job);
                        Taken::Later(wait)
                    }
                };
                write_left(sinks, left);
                taken
            }
            Mode::Thread { queue, waiting, .. } => {
                let before = waiting.fetch_add(line.len(), Ordering::Relaxed);
                let awaited = awaited && self.makes_wait(before);
                if !awaited && before > MAX_UNAWAITED {
                    waiting.fetch_sub(line.len(), Ordering::Relaxed);
                    self.tally.discard(Dropped::SinkBehind);
                    return Taken::UNNEEDED;
                }
                let (taken, wait) = oneshot::channel();
                let line = std::mem::take(line);
                let job = Job { host: host.to_owned(), line, taken: awaited.then_some(taken) };
                let sent = lock(queue).as_ref().is_some_and(|queue| queue.send(job).is_ok());
                if !sent {
                    self.tally.discard(Dropped::SinkFailed);
                    return Taken::Already(match self.delivery.on_error {
                        OnSinkError::Stop => Err(Unrecorded),
                        OnSinkError::Drop => Ok(()),
                    });
                }
                if awaited { Taken::Later(wait) } else { Taken::UNNEEDED }
            }
        }
    }

    /// Whether a client waits for its record while so many bytes wait before it.
    fn makes_wait(&self, before: usize) -> bool {
        self.delivery.backpressure == Backpressure::Wait
            && (self.delivery.durability != Durability::Buffered || before > MAX_BUFFERED)
    }

    /// Bytes of records that wait for their sinks.
    pub(super) fn waiting(&self) -> usize {
        match &self.mode {
            Mode::Direct { .. } => 0,
            Mode::Thread { waiting, .. } => waiting.load(Ordering::Relaxed),
        }
    }

    /// True once no sink is left.
    pub(super) fn is_gone(&self) -> bool {
        *self.gone.borrow()
    }

    /// Ends once no sink is left.
    pub(super) fn gone(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut gone = self.gone.clone();
        async move {
            if gone.wait_for(|gone| *gone).await.is_err() {
                // The journal was closed in order.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Writes what waits, flushes and closes the sinks, within `limit`. Gives what befell a sink, if anything did.
    pub(super) async fn close(&self, limit: Duration) -> Option<String> {
        match &self.mode {
            Mode::Direct { sinks, left } => {
                write_left(sinks, left);
                lock(sinks).close()
            }
            Mode::Thread { queue, end, .. } => {
                let given_up = Instant::now() + limit;
                self.patience.iter().for_each(|patience| patience.ends_at(given_up));
                let limit = if self.patience.is_empty() { limit } else { limit + KEEPING };
                drop(lock(queue).take());
                let end = lock(end).take();
                match tokio::time::timeout(limit, end?).await {
                    Ok(ended) => ended.ok().flatten(),
                    Err(_) => Some("a sink did not take all records in time".to_owned()),
                }
            }
        }
    }
}

/// Writes what others left, unless somebody is at it, who will look again after letting go of the sinks: so whatever
/// was left before they were found locked is written by the one who had locked them.
fn write_left(sinks: &Mutex<Sinks>, left: &Mutex<Vec<Job>>) {
    let take = || std::mem::take(&mut *lock(left));
    while !lock(left).is_empty() {
        let mut sinks = match sinks.try_lock() {
            Ok(sinks) => sinks,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        for job in take() {
            let outcome = sinks.write(&job.host, &job.line);
            if let Some(taken) = job.taken {
                // The client may have left meanwhile.
                let _ = taken.send(outcome);
            }
        }
    }
}

impl Mode {
    fn start(mut sinks: Sinks, group: usize) -> Mode {
        let (queue, jobs) = mpsc::channel::<Job>();
        let (ended, end) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let counter = waiting.clone();
        thread::spawn(move || {
            // A recorder must not run unrecorded, so nobody may miss that this thread has ended.
            let run = AssertUnwindSafe(|| run(&mut sinks, &jobs, &counter, group));
            if catch_unwind(run).is_err() {
                sinks.panicked();
            }
            let _ = ended.send(sinks.close());
        });
        Mode::Thread { queue: Mutex::new(Some(queue)), waiting, end: Mutex::new(Some(end)) }
    }
}

/// Writes what comes until nothing more can come. As many as `group` records share one wait for the disk.
fn run(sinks: &mut Sinks, jobs: &mpsc::Receiver<Job>, waiting: &AtomicUsize, group: usize) {
    let mut unflushed: Option<Instant> = None;
    loop {
        let due =
            unflushed.map_or(FLUSH_EVERY, |since| FLUSH_EVERY.saturating_sub(since.elapsed()));
        match jobs.recv_timeout(due) {
            Ok(job) => {
                take(sinks, job, jobs, waiting, group);
                unflushed.get_or_insert_with(Instant::now);
            }
            Err(RecvTimeoutError::Timeout) => (),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if unflushed.is_some_and(|since| since.elapsed() >= FLUSH_EVERY) {
            unflushed = None;
            sinks.flush();
        }
    }
}

/// Writes a record, with those that have come meanwhile, and tells whoever waits for them.
fn take(
    sinks: &mut Sinks,
    first: Job,
    jobs: &mpsc::Receiver<Job>,
    waiting: &AtomicUsize,
    group: usize,
) {
    let mut told = Vec::new();
    let mut next = Some(first);
    while let Some(job) = next {
        let outcome = sinks.write(&job.host, &job.line);
        waiting.fetch_sub(job.line.len(), Ordering::Relaxed);
        told.push((job.taken, outcome));
        next = if told.len() < group { jobs.try_recv().ok() } else { None };
    }
    let settled = sinks.settle();
    for (taken, outcome) in told {
        if let Some(taken) = taken {
            // The client may have left meanwhile.
            let _ = taken.send(outcome.and(settled));
        }
    }
}

/// What is behind these locks is whole after a panic, too.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
