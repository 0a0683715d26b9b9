//! Logs the served exchanges as lines. One thread writes them, before the client gets its response.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use tokio::sync::{mpsc, oneshot};

use crate::exchange::{Exchange, Redactor, timestamp, write_line};
use crate::stream::{Sink, SinkError};

/// Maximum number of queued lines; more make their requests wait.
const WAITING: usize = 1024;

/// Takes exchanges and writes each to all sinks.
pub struct Log {
    run: String,
    redactor: Option<Arc<Redactor>>,
    sender: mpsc::Sender<Job>,
    next: AtomicU64,
    writer: JoinHandle<Written>,
}

/// The result of the log.
#[derive(Debug, Default)]
pub struct Written {
    /// Exchanges in all sinks.
    pub written: u64,
    /// Exchanges that at least one sink did not accept.
    pub lost: u64,
    /// The first error, if any.
    pub error: Option<String>,
}

struct Job {
    host: String,
    line: Vec<u8>,
    done: oneshot::Sender<()>,
}

impl Log {
    /// Starts the writing thread. `redactor` replaces secrets first; `report` receives the first
    /// error of each sink.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        sinks: Vec<Box<dyn Sink>>,
        redactor: Option<Arc<Redactor>>,
        report: impl Fn(&str) + Send + 'static,
    ) -> std::io::Result<Log> {
        for sink in &sinks {
            if let Some((delivery_deadline, idle_limit)) = sink.delivery_deadline() {
                delivery_deadline.ends_after(idle_limit);
            }
        }
        let (sender, jobs) = mpsc::channel(WAITING);
        let writer = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(sinks, jobs, &report))?;
        let run = format!("{:016x}", rand::random::<u64>());
        Ok(Log { run, redactor, sender, next: AtomicU64::new(0), writer })
    }

    /// The name of the log file of a run, from its start time.
    pub fn file_name() -> String {
        // Not every system allows colons in file names.
        format!("mock-{}.jsonl", timestamp(SystemTime::now()).replace(':', "-"))
    }

    /// Random id of this run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The number of the next exchange within this run.
    pub fn next_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes an exchange; ready when it is written.
    pub async fn write(&self, mut exchange: Exchange<'_>) {
        if let Some(redactor) = &self.redactor {
            redactor.apply(&mut exchange);
        }
        let mut line = Vec::with_capacity(1024);
        write_line(&exchange, &mut line);
        let (done, written) = oneshot::channel();
        let job = Job { host: exchange.request.host.clone().into_owned(), line, done };
        if self.sender.send(job).await.is_ok() {
            // The thread answers every job. If it has ended, there is nothing to wait for.
            let _ = written.await;
        }
    }

    /// Writes the queue, closes the sinks and returns the result.
    pub fn finish(self) -> Written {
        drop(self.sender);
        self.writer.join().unwrap_or_else(|_| Written {
            error: Some("the thread that writes the log failed".to_owned()),
            ..Written::default()
        })
    }
}

fn write_all(
    sinks: Vec<Box<dyn Sink>>,
    mut jobs: mpsc::Receiver<Job>,
    report: &dyn Fn(&str),
) -> Written {
    let mut result = Written::default();
    // After a failure, a sink is no longer used, so its content is complete up to the failure.
    let mut sinks: Vec<Option<Box<dyn Sink>>> = sinks.into_iter().map(Some).collect();
    let failed = |error: &SinkError, result: &mut Written| {
        let why = match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        report(&format!("cannot write the served exchanges: {why}"));
        result.error.get_or_insert(why);
    };
    while let Some(job) = jobs.blocking_recv() {
        for slot in &mut sinks {
            let Some(sink) = slot else { continue };
            if let Err(error) = sink.write(&job.host, &job.line).and_then(|()| sink.flush()) {
                failed(&error, &mut result);
                *slot = None;
            }
        }
        if sinks.iter().all(Option::is_some) {
            result.written += 1;
        } else {
            result.lost += 1;
        }
        // The receiver may have ended with its request.
        let _ = job.done.send(());
    }
    for sink in sinks.into_iter().flatten() {
        if let Err(error) = sink.close() {
            failed(&error, &mut result);
        }
    }
    result
}
