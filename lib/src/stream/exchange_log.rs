//! Writes the exchanges that the mock and replay answer. One thread writes them, before the client
//! gets its response.
//!
//! The recorder has a writer of its own, `record::journal`, since it has other duties: it may drop
//! or delay records, sync them, go on without a sink, and it counts each outcome. Here every
//! exchange is written, and its client waits for that.

use std::error::Error as _;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::sink::{Notify, Sink, SinkError};
use crate::exchange::{Exchange, Redactor, write_line};

/// Maximum number of queued lines; more make their requests wait.
const WAITING: usize = 1024;

/// Takes exchanges and writes each to all sinks.
pub struct ExchangeLog {
    run: String,
    redactor: Option<Arc<Redactor>>,
    sender: mpsc::Sender<Job>,
    /// The number of the next exchange. Its lock also keeps the lines in the order of the numbers.
    next: Mutex<u64>,
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
    done: oneshot::Sender<Result<(), String>>,
}

impl ExchangeLog {
    /// Starts the writing thread. `redactor` replaces secrets first. `report` receives the first
    /// error of each sink; `what` names in it what is lost.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        mut sinks: Vec<Box<dyn Sink>>,
        redactor: Option<Arc<Redactor>>,
        what: &'static str,
        report: Notify,
    ) -> std::io::Result<ExchangeLog> {
        for sink in &mut sinks {
            sink.report_to(report.clone());
            if let Some((delivery_deadline, idle_limit)) = sink.delivery_deadline() {
                delivery_deadline.ends_after(idle_limit);
            }
        }
        let (sender, jobs) = mpsc::channel(WAITING);
        let report = move |why: &str| report(&format!("cannot write {what}: {why}"));
        let writer = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(sinks, jobs, &report))?;
        let run = format!("{:016x}", rand::random::<u64>());
        Ok(ExchangeLog { run, redactor, sender, next: Mutex::default(), writer })
    }

    /// Writes an exchange with the id of this run and its number in it; ready when it is written.
    ///
    /// # Errors
    /// Why it is not in all sinks.
    pub async fn write(&self, mut exchange: Exchange<'_>) -> Result<(), String> {
        if let Some(redactor) = &self.redactor {
            redactor.apply(&mut exchange);
        }
        exchange.meta.run = Some(self.run.as_str().into());
        let ended = || "the thread that writes the log failed".to_owned();
        let place = self.sender.reserve().await.map_err(|_| ended())?;
        let (done, written) = oneshot::channel();
        {
            let mut next = self.next.lock();
            exchange.meta.seq = Some(*next);
            *next += 1;
            let mut line = Vec::with_capacity(1024);
            write_line(&exchange, &mut line);
            place.send(Job { host: exchange.request.host.clone().into_owned(), line, done });
        }
        written.await.map_err(|_| ended())?
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
        report(&why);
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
        let written = match &result.error {
            Some(why) if !sinks.iter().all(Option::is_some) => Err(why.clone()),
            _ => Ok(()),
        };
        match written {
            Ok(()) => result.written += 1,
            Err(_) => result.lost += 1,
        }
        // The receiver may have ended with its request.
        let _ = job.done.send(written);
    }
    for sink in sinks.into_iter().flatten() {
        if let Err(error) = sink.close() {
            failed(&error, &mut result);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::io;

    use super::*;

    /// Accepts a number of lines.
    struct Few {
        rest: usize,
        lines: Arc<Mutex<Vec<String>>>,
    }

    impl Sink for Few {
        fn write(&mut self, _: &str, line: &[u8]) -> Result<(), SinkError> {
            let Some(rest) = self.rest.checked_sub(1) else {
                let cause = io::ErrorKind::StorageFull.into();
                return Err(SinkError::Write { name: "few".to_owned(), cause });
            };
            self.rest = rest;
            self.lines.lock().push(String::from_utf8(line.to_vec()).unwrap());
            Ok(())
        }

        fn flush(&mut self) -> Result<(), SinkError> {
            Ok(())
        }

        fn close(self: Box<Self>) -> Result<(), SinkError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn numbers_follow_the_lines_and_losses_are_told() {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let reports = Arc::<Mutex<Vec<String>>>::default();
        let report: Notify = {
            let reports = reports.clone();
            Arc::new(move |line: &str| reports.lock().push(line.to_owned()))
        };
        let few = Few { rest: 2, lines: lines.clone() };
        let log = ExchangeLog::start(vec![Box::new(few)], None, "it", report).unwrap();
        let exchange = || {
            let mut exchange = Exchange::default();
            exchange.request.host = Cow::Borrowed("a.test");
            exchange
        };
        for expected in [true, true, false, false] {
            assert_eq!(log.write(exchange()).await.is_ok(), expected);
        }
        let Written { written, lost, error } = log.finish();
        assert_eq!((written, lost, error.is_some()), (2, 2, true));
        for (number, line) in lines.lock().iter().enumerate() {
            assert!(line.contains(&format!("\"seq\":{number}")), "{line}");
        }
        let reports = reports.lock();
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert!(reports[0].starts_with("cannot write it: few"), "{reports:?}");
    }
}
