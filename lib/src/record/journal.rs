//! Writes records to the sinks, and tells the response when its record is safe.
//!
//! Plain files are written by the task that has the record: a `write(2)` to the page cache costs
//! less than passing the record to another thread and waking up afterwards. If another task holds
//! the sinks at that time, the record is queued for that task, because waiting for the lock would
//! cost even more. Sinks that may block (pipes, terminals, compressed files) get a thread, so that
//! a slow reader delays clients but neither timeouts nor signals.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use super::delivery::{Backpressure, DeliveryPolicy, Durability, OnSinkError, Output};
use super::sinks::{Outcome, Sinks, Unrecorded};
use super::tally::{Dropped, Tally};
use crate::net::Report;
use crate::stream::DeliveryDeadline;

/// Interval at which buffering sinks are flushed.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Maximum bytes of queued records that no client waits for.
const MAX_UNAWAITED: usize = 32 << 20;

/// The same limit with buffered durability: a kill may lose this many bytes.
const MAX_BUFFERED: usize = 4 << 20;

/// Maximum number of records that share one sync to disk.
const SYNC_BATCH: usize = 256;

/// Time for a sink to save undelivered records after it has stopped waiting.
const SAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Accepts records as complete lines and passes them to all sinks.
pub(super) struct Journal {
    mode: Mode,
    delivery: DeliveryPolicy,
    tally: Arc<Tally>,
    gone: watch::Receiver<bool>,
    /// The deadlines of the sinks that wait for others.
    delivery_deadline: Vec<DeliveryDeadline>,
}

enum Mode {
    Direct {
        sinks: Mutex<Sinks>,
        /// Records that arrived while the sinks were locked.
        queued: Mutex<Vec<Job>>,
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

/// Resolves when a record is stored as durably as configured, or when it can no longer be stored.
#[must_use]
pub(super) enum Acknowledgement {
    Already(Outcome),
    Later(oneshot::Receiver<Outcome>),
}

impl Acknowledgement {
    /// For exchanges that need no record.
    pub(super) const NONE_NEEDED: Acknowledgement = Acknowledgement::Already(Ok(()));
}

impl Future for Acknowledgement {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        match self.get_mut() {
            Acknowledgement::Already(outcome) => Poll::Ready(*outcome),
            Acknowledgement::Later(wait) => {
                // A job that is dropped unwritten was not recorded.
                Poll::Ready(ready!(Pin::new(wait).poll(cx)).unwrap_or(Err(Unrecorded)))
            }
        }
    }
}

impl Journal {
    pub(super) fn open(
        mut outputs: Vec<Output>,
        delivery: DeliveryPolicy,
        tally: Arc<Tally>,
        report: Report,
    ) -> Journal {
        for output in &mut outputs {
            output.sink.report_to(report.clone());
        }
        let delivery_deadline =
            outputs.iter().filter_map(|output| Some(output.sink.delivery_deadline()?.0));
        let delivery_deadline = delivery_deadline.collect();
        let (announce, gone) = watch::channel(false);
        let may_wait = outputs.iter().any(|output| output.may_wait)
            || delivery.durability != Durability::Kernel;
        let sinks = Sinks::new(outputs, delivery, announce, report, tally.clone());
        let mode = if may_wait {
            let group = matches!(delivery.durability, Durability::Fsync | Durability::Acked);
            Mode::start(sinks, if group { SYNC_BATCH } else { 1 })
        } else {
            Mode::Direct { sinks: Mutex::new(sinks), queued: Mutex::default() }
        };
        Journal { mode, delivery, tally, gone, delivery_deadline }
    }

    /// Passes a record to the sinks. `awaited` says whether a client waits for the result, which
    /// bounds the queue. The line is moved out only if it must be kept.
    pub(super) fn submit(&self, host: &str, line: &mut Vec<u8>, awaited: bool) -> Acknowledgement {
        match &self.mode {
            Mode::Direct { sinks, queued } => {
                let taken = match sinks.try_lock() {
                    Some(mut sinks) => Acknowledgement::Already(sinks.write(host, line)),
                    None => {
                        let (taken, wait) = oneshot::channel();
                        let line = std::mem::take(line);
                        let job = Job { host: host.to_owned(), line, taken: Some(taken) };
                        queued.lock().push(job);
                        Acknowledgement::Later(wait)
                    }
                };
                write_queued(sinks, queued);
                taken
            }
            Mode::Thread { queue, waiting, .. } => {
                let before = waiting.fetch_add(line.len(), Ordering::Relaxed);
                let awaited = awaited && self.must_wait(before);
                if !awaited && before > MAX_UNAWAITED {
                    waiting.fetch_sub(line.len(), Ordering::Relaxed);
                    self.tally.discard(Dropped::SinkBehind);
                    return Acknowledgement::NONE_NEEDED;
                }
                let (taken, wait) = oneshot::channel();
                let line = std::mem::take(line);
                let job = Job { host: host.to_owned(), line, taken: awaited.then_some(taken) };
                let sent = queue.lock().as_ref().is_some_and(|queue| queue.send(job).is_ok());
                if !sent {
                    self.tally.discard(Dropped::SinkFailed);
                    return Acknowledgement::Already(match self.delivery.on_error {
                        OnSinkError::Stop => Err(Unrecorded),
                        OnSinkError::Drop => Ok(()),
                    });
                }
                if awaited { Acknowledgement::Later(wait) } else { Acknowledgement::NONE_NEEDED }
            }
        }
    }

    /// Whether a client must wait for its record if this many bytes are queued before the record.
    fn must_wait(&self, before: usize) -> bool {
        self.delivery.backpressure == Backpressure::Wait
            && (self.delivery.durability != Durability::Buffered || before > MAX_BUFFERED)
    }

    /// Bytes of records that are queued for the sinks.
    pub(super) fn waiting(&self) -> usize {
        match &self.mode {
            Mode::Direct { .. } => 0,
            Mode::Thread { waiting, .. } => waiting.load(Ordering::Relaxed),
        }
    }

    /// True when no sink is left.
    pub(super) fn is_gone(&self) -> bool {
        *self.gone.borrow()
    }

    /// Resolves when no sink is left.
    pub(super) fn gone(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut gone = self.gone.clone();
        async move {
            if gone.wait_for(|gone| *gone).await.is_err() {
                // The journal was closed normally.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Writes the queue, then flushes and closes the sinks, within `limit`. Returns the error of a
    /// sink, if there was one.
    pub(super) async fn close(&self, limit: Duration) -> Option<String> {
        match &self.mode {
            Mode::Direct { sinks, queued } => {
                write_queued(sinks, queued);
                sinks.lock().close()
            }
            Mode::Thread { queue, end, .. } => {
                let given_up = Instant::now() + limit;
                self.delivery_deadline
                    .iter()
                    .for_each(|delivery_deadline| delivery_deadline.ends_at(given_up));
                let limit =
                    if self.delivery_deadline.is_empty() { limit } else { limit + SAVE_TIMEOUT };
                drop(queue.lock().take());
                let end = end.lock().take();
                match tokio::time::timeout(limit, end?).await {
                    Ok(ended) => ended.ok().flatten(),
                    Err(_) => Some("a destination did not accept all records in time".to_owned()),
                }
            }
        }
    }
}

/// Writes queued records unless another task holds the sinks. That task checks the queue again
/// after it has released the sinks, so a record that was queued while they were locked is not
/// forgotten.
fn write_queued(sinks: &Mutex<Sinks>, queued: &Mutex<Vec<Job>>) {
    let take = || std::mem::take(&mut *queued.lock());
    while !queued.lock().is_empty() {
        let Some(mut sinks) = sinks.try_lock() else { return };
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
            // Without this thread nothing is recorded, so its end must not go unnoticed.
            let run = AssertUnwindSafe(|| run(&mut sinks, &jobs, &counter, group));
            if catch_unwind(run).is_err() {
                sinks.panicked();
            }
            let _ = ended.send(sinks.close());
        });
        Mode::Thread { queue: Mutex::new(Some(queue)), waiting, end: Mutex::new(Some(end)) }
    }
}

/// Writes records until the channel is closed. At most `group` records share one sync.
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

/// Writes a record and those queued behind it, and notifies the waiting clients.
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
