//! Where records go, and when a client may have the end of its answer: once they are there.
//!
//! Plain files are written by the task that has the record: a `write(2)` to the page cache costs less than handing
//! the record to another thread and being woken by it. Where another task writes just now, it is left the
//! record as well, since sleeping for the lock would cost the most. Sinks that may make us
//! wait (pipes, terminals, compressed files) have a thread, so that a slow reader slows the clients down
//! and neither time-outs nor signals.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::tally::{Dropped, Tally};
use crate::net::Report;
use crate::stream::{Patience, Sink, SinkError};

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

/// A sink that goes on failing is told of as often.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// When a client may have the end of its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once the kernel has the record: a kill loses none.
    #[default]
    Kernel,
    /// Once the disk has it: a power cut loses none.
    Fsync,
    /// Once the brokers of a topic have acknowledged it; of other sinks, once the kernel has it.
    Acked,
    /// At once: a kill may lose the records of the last second, and 4 MiB at most.
    Buffered,
}

/// What happens while a sink takes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backpressure {
    /// Clients wait.
    #[default]
    Wait,
    /// Records are dropped, once 32 MiB wait.
    Drop,
}

/// What happens when a sink fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSinkError {
    /// It is given up; the recorder ends with the last one.
    #[default]
    Stop,
    /// Its records are dropped, and it is tried again with the next.
    Drop,
}

/// How records get to their sinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Delivery {
    pub durability: Durability,
    pub backpressure: Backpressure,
    pub on_error: OnSinkError,
}

/// A sink, and how it behaves.
pub struct Output {
    /// Takes the records.
    pub sink: Box<dyn Sink>,
    /// True where a write may have to wait for a reader.
    pub may_wait: bool,
}

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
    taken: Option<oneshot::Sender<()>>,
}

/// Resolves when a record is where it belongs, or can never get there.
pub(super) type Taken = oneshot::Receiver<()>;

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
        let tally_of_sinks = tally.clone();
        let sinks = Sinks {
            alone: outputs.len() == 1,
            outputs,
            delivery,
            error: None,
            told: None,
            announce,
            report,
            tally: tally_of_sinks,
        };
        let mode = if may_wait {
            Mode::start(sinks)
        } else {
            Mode::Direct { sinks: Mutex::new(sinks), left: Mutex::default() }
        };
        Journal { mode, delivery, tally, gone, patience }
    }

    /// Gives a record to the sinks; `None` where they have taken it already. `awaited` tells whether a
    /// client is made to wait for that, which is what bounds the queue.
    /// Takes the line away only where it has to be kept.
    pub(super) fn submit(&self, host: &str, line: &mut Vec<u8>, awaited: bool) -> Option<Taken> {
        match &self.mode {
            Mode::Direct { sinks, left } => {
                let wait = match sinks.try_lock() {
                    Ok(mut sinks) => {
                        sinks.write(host, line);
                        None
                    }
                    Err(TryLockError::Poisoned(poisoned)) => {
                        poisoned.into_inner().write(host, line);
                        None
                    }
                    Err(TryLockError::WouldBlock) => {
                        let (taken, wait) = oneshot::channel();
                        let line = std::mem::take(line);
                        let job = Job { host: host.to_owned(), line, taken: Some(taken) };
                        left.lock().unwrap_or_else(PoisonError::into_inner).push(job);
                        Some(wait)
                    }
                };
                write_left(sinks, left);
                wait
            }
            Mode::Thread { queue, waiting, .. } => {
                let before = waiting.fetch_add(line.len(), Ordering::Relaxed);
                let awaited = awaited && self.makes_wait(before);
                if !awaited && before > MAX_UNAWAITED {
                    waiting.fetch_sub(line.len(), Ordering::Relaxed);
                    self.tally.discard(Dropped::SinkBehind);
                    return None;
                }
                let (taken, wait) = oneshot::channel();
                let line = std::mem::take(line);
                let job = Job { host: host.to_owned(), line, taken: awaited.then_some(taken) };
                let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                let sent = queue.as_ref().is_some_and(|queue| queue.send(job).is_ok());
                if !sent {
                    self.tally.discard(Dropped::SinkFailed);
                }
                (sent && awaited).then_some(wait)
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
                sinks.lock().unwrap_or_else(PoisonError::into_inner).close()
            }
            Mode::Thread { queue, end, .. } => {
                let given_up = Instant::now() + limit;
                self.patience.iter().for_each(|patience| patience.ends_at(given_up));
                let limit = if self.patience.is_empty() { limit } else { limit + KEEPING };
                drop(queue.lock().unwrap_or_else(PoisonError::into_inner).take());
                let end = end.lock().unwrap_or_else(PoisonError::into_inner).take();
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
    let take = || std::mem::take(&mut *left.lock().unwrap_or_else(PoisonError::into_inner));
    let is_empty = || left.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
    while !is_empty() {
        let mut sinks = match sinks.try_lock() {
            Ok(sinks) => sinks,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        for job in take() {
            sinks.write(&job.host, &job.line);
            if let Some(taken) = job.taken {
                // The client may have left meanwhile.
                let _ = taken.send(());
            }
        }
    }
}

impl Mode {
    fn start(mut sinks: Sinks) -> Mode {
        let (queue, jobs) = mpsc::channel::<Job>();
        let (ended, end) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let counter = waiting.clone();
        thread::spawn(move || {
            // A recorder must not run unrecorded, so nobody may miss that this thread has ended.
            let run = AssertUnwindSafe(|| sinks.run(&jobs, &counter));
            if catch_unwind(run).is_err() {
                sinks.panicked();
            }
            let _ = ended.send(sinks.close());
        });
        Mode::Thread { queue: Mutex::new(Some(queue)), waiting, end: Mutex::new(Some(end)) }
    }
}

struct Sinks {
    /// True where there was one from the start: what that did not take, nobody has.
    alone: bool,
    outputs: Vec<Output>,
    delivery: Delivery,
    /// The first.
    error: Option<String>,
    told: Option<Instant>,
    announce: watch::Sender<bool>,
    report: Report,
    tally: Arc<Tally>,
}

impl Sinks {
    fn run(&mut self, jobs: &mpsc::Receiver<Job>, waiting: &AtomicUsize) {
        let mut unflushed: Option<Instant> = None;
        loop {
            let due =
                unflushed.map_or(FLUSH_EVERY, |since| FLUSH_EVERY.saturating_sub(since.elapsed()));
            match jobs.recv_timeout(due) {
                Ok(job) => {
                    self.take(job, jobs, waiting);
                    unflushed.get_or_insert_with(Instant::now);
                }
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if unflushed.is_some_and(|since| since.elapsed() >= FLUSH_EVERY) {
                unflushed = None;
                self.each(|output| output.sink.flush());
            }
        }
    }

    /// A sink cannot be trusted after a panic, and which it was is not known.
    fn panicked(&mut self) {
        self.outputs.clear();
        let error = "the thread that writes records panicked".to_owned();
        (self.report)(&error);
        self.error.get_or_insert(error);
        self.announce.send_replace(true);
    }

    /// Writes a record and tells who waits for it; where the disk is to have it, with all that have come
    /// meanwhile, so that they share the wait.
    fn take(&mut self, first: Job, jobs: &mpsc::Receiver<Job>, waiting: &AtomicUsize) {
        let durability = self.delivery.durability;
        let group = matches!(durability, Durability::Fsync | Durability::Acked);
        let mut told = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            self.write(&job.host, &job.line);
            waiting.fetch_sub(job.line.len(), Ordering::Relaxed);
            told.push(job.taken);
            next = if group && told.len() < GROUP { jobs.try_recv().ok() } else { None };
        }
        match durability {
            Durability::Fsync => drop(self.each(|output| output.sink.sync())),
            Durability::Acked => drop(self.each(|output| output.sink.confirm())),
            Durability::Kernel | Durability::Buffered => (),
        }
        for taken in told.into_iter().flatten() {
            // The client may have left meanwhile.
            let _ = taken.send(());
        }
    }

    fn write(&mut self, host: &str, line: &[u8]) {
        if self.each(|output| output.sink.write(host, line)) {
            self.tally.wrote();
        } else {
            self.tally.discard(Dropped::SinkFailed);
        }
    }

    fn close(&mut self) -> Option<String> {
        self.each(|output| output.sink.flush());
        if self.delivery.durability == Durability::Fsync {
            self.each(|output| output.sink.sync());
        }
        for output in std::mem::take(&mut self.outputs) {
            if let Err(error) = output.sink.close() {
                self.unsent(&error);
                self.failed(&error);
            }
        }
        self.error.take()
    }

    /// Counts what a sink had taken and could not hand on; where it is, is the most important thing to tell of it.
    fn unsent(&mut self, error: &SinkError) {
        if let SinkError::Unsent(unsent) = error {
            if self.alone {
                self.tally.set_aside(unsent.taken);
            }
            self.error = Some(error.to_string());
        }
    }

    /// Does it with every sink; true where at least one could. Of those that fail, the ones that can never
    /// do it again are left out from then on, and all of them where that was asked for.
    fn each(&mut self, mut act: impl FnMut(&mut Output) -> Result<(), SinkError>) -> bool {
        let mut done = false;
        let mut at = 0;
        while at < self.outputs.len() {
            match act(&mut self.outputs[at]) {
                Ok(()) => {
                    done = true;
                    at += 1;
                }
                Err(error) => {
                    self.failed(&error);
                    if self.delivery.on_error == OnSinkError::Stop || is_gone(&error) {
                        let gone = self.outputs.remove(at);
                        // What else it says has been told; but what it has kept aside has to be.
                        if let Err(rest @ SinkError::Unsent(_)) = gone.sink.close() {
                            self.unsent(&rest);
                        }
                    } else {
                        at += 1;
                    }
                }
            }
        }
        let stop = self.delivery.on_error == OnSinkError::Stop;
        if self.outputs.is_empty() && stop && !*self.announce.borrow() {
            self.announce.send_replace(true);
        }
        done
    }

    fn failed(&mut self, error: &SinkError) {
        let error = with_causes(error);
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            (self.report)(&error);
        }
        self.error.get_or_insert(error);
    }
}

/// Nobody reads the pipe any more, and nobody ever will.
fn is_gone(error: &SinkError) -> bool {
    matches!(error, SinkError::Write { cause, .. } if cause.kind() == io::ErrorKind::BrokenPipe)
}

fn with_causes(error: &SinkError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
