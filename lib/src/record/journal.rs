//! Where records go, and when a client may have the end of its answer: once they are there.
//!
//! Plain files are written by the task that has the record, under a lock: a `write(2)` to the page cache
//! costs less than handing the record to another thread and being woken by it. Sinks that may make us
//! wait (pipes, terminals, compressed files) have a thread, so that a slow reader slows the clients down
//! and neither time-outs nor signals.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::tally::{Dropped, Tally};
use crate::net::Report;
use crate::stream::{Sink, SinkError};

/// Sinks that buffer are flushed as often.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Bytes of records that may wait for a sink without a client that waits for them.
const MAX_UNAWAITED: usize = 32 << 20;

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
    tally: Arc<Tally>,
    gone: watch::Receiver<bool>,
}

enum Mode {
    Direct(Mutex<Sinks>),
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
    pub(super) fn open(outputs: Vec<Output>, tally: Arc<Tally>, report: Report) -> Journal {
        let (announce, gone) = watch::channel(false);
        let may_wait = outputs.iter().any(|output| output.may_wait);
        let sinks = Sinks { outputs, error: None, announce, report, tally: tally.clone() };
        let mode = if may_wait { Mode::start(sinks) } else { Mode::Direct(Mutex::new(sinks)) };
        Journal { mode, tally, gone }
    }

    /// Gives a record to the sinks; `None` where they have taken it already. `awaited` tells whether a
    /// client is made to wait for that, which is what bounds the queue.
    pub(super) fn submit(&self, host: &str, line: Vec<u8>, awaited: bool) -> Option<Taken> {
        match &self.mode {
            Mode::Direct(sinks) => {
                sinks.lock().unwrap_or_else(PoisonError::into_inner).write(host, &line);
                None
            }
            Mode::Thread { queue, waiting, .. } => {
                let before = waiting.fetch_add(line.len(), Ordering::Relaxed);
                if !awaited && before > MAX_UNAWAITED {
                    waiting.fetch_sub(line.len(), Ordering::Relaxed);
                    self.tally.discard(Dropped::SinkBehind);
                    return None;
                }
                let (taken, wait) = oneshot::channel();
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
            Mode::Direct(sinks) => sinks.lock().unwrap_or_else(PoisonError::into_inner).close(),
            Mode::Thread { queue, end, .. } => {
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

impl Mode {
    fn start(mut sinks: Sinks) -> Mode {
        let (queue, jobs) = mpsc::channel::<Job>();
        let (ended, end) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let counter = waiting.clone();
        thread::spawn(move || {
            sinks.run(&jobs, &counter);
            let _ = ended.send(sinks.close());
        });
        Mode::Thread { queue: Mutex::new(Some(queue)), waiting, end: Mutex::new(Some(end)) }
    }
}

struct Sinks {
    outputs: Vec<Output>,
    /// The first.
    error: Option<String>,
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
                    self.write(&job.host, &job.line);
                    waiting.fetch_sub(job.line.len(), Ordering::Relaxed);
                    if let Some(taken) = job.taken {
                        // The client may have left meanwhile.
                        let _ = taken.send(());
                    }
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

    fn write(&mut self, host: &str, line: &[u8]) {
        self.each(|output| output.sink.write(host, line));
        if self.outputs.is_empty() {
            self.tally.discard(Dropped::SinkFailed);
        } else {
            self.tally.wrote();
        }
    }

    fn close(&mut self) -> Option<String> {
        self.each(|output| output.sink.flush());
        for output in self.outputs.drain(..) {
            if let Err(error) = output.sink.close() {
                let error = with_causes(&error);
                (self.report)(&error);
                self.error.get_or_insert(error);
            }
        }
        self.error.take()
    }

    /// Does it with every sink, and leaves out from then on those that fail.
    fn each(&mut self, mut act: impl FnMut(&mut Output) -> Result<(), SinkError>) {
        let (report, first) = (&self.report, &mut self.error);
        self.outputs.retain_mut(|output| match act(output) {
            Ok(()) => true,
            Err(error) => {
                let error = with_causes(&error);
                report(&error);
                first.get_or_insert(error);
                false
            }
        });
        if self.outputs.is_empty() && !*self.announce.borrow() {
            self.announce.send_replace(true);
        }
    }
}

fn with_causes(error: &SinkError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
