//! The sinks of a run. Each record goes to all of them, and a failing sink is abandoned or retried.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::delivery::{DeliveryPolicy, Durability, OnSinkError, Output};
use super::tally::{Dropped, Tally};
use crate::net::Report;
use crate::stream::SinkError;

/// Shortest time between two reports of a failing sink.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// No sink has the record, so its client must not get the complete response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the exchange could not be recorded")]
pub(super) struct Unrecorded;

/// Whether a client may receive the end of its response.
pub(super) type Outcome = Result<(), Unrecorded>;

pub(super) struct Sinks {
    /// True if there was one sink from the start: a record that it does not accept is lost.
    is_only_one: bool,
    outputs: Vec<Output>,
    delivery: DeliveryPolicy,
    /// The first error.
    error: Option<String>,
    reported: Option<Instant>,
    /// Set to `true` when no sink is left.
    gone: watch::Sender<bool>,
    report: Report,
    tally: Arc<Tally>,
}

impl Sinks {
    pub(super) fn new(
        outputs: Vec<Output>,
        delivery: DeliveryPolicy,
        gone: watch::Sender<bool>,
        report: Report,
        tally: Arc<Tally>,
    ) -> Self {
        let is_only_one = outputs.len() == 1;
        Sinks { is_only_one, outputs, delivery, error: None, reported: None, gone, report, tally }
    }

    /// Passes a record to all sinks. It counts as recorded if at least one accepts it.
    pub(super) fn write(&mut self, host: &str, line: &[u8]) -> Outcome {
        let written = self.each(|output| output.sink.write(host, line));
        if written {
            self.tally.wrote();
        } else {
            self.tally.discard(Dropped::SinkFailed);
        }
        self.outcome(written)
    }

    pub(super) fn flush(&mut self) {
        self.each(|output| output.sink.flush());
    }

    /// Waits until the written records are as durable as configured.
    pub(super) fn settle(&mut self) -> Outcome {
        let settled = match self.delivery.durability {
            Durability::Fsync => self.each(|output| output.sink.sync()),
            Durability::Acked => self.each(|output| output.sink.confirm()),
            Durability::Kernel | Durability::Buffered => true,
        };
        self.outcome(settled)
    }

    /// With `--on-sink-error drop`, clients get their responses in any case.
    fn outcome(&self, done: bool) -> Outcome {
        if done || self.delivery.on_error == OnSinkError::Drop { Ok(()) } else { Err(Unrecorded) }
    }

    /// Flushes and closes the sinks; returns the first error of any of them.
    pub(super) fn close(&mut self) -> Option<String> {
        self.flush();
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

    /// After a panic no sink can be trusted, because it is not known which one panicked.
    pub(super) fn panicked(&mut self) {
        self.outputs.clear();
        let error = "the thread that writes records failed".to_owned();
        (self.report)(&error);
        self.error.get_or_insert(error);
        self.gone.send_replace(true);
    }

    /// Counts records that a sink had accepted but could not deliver. A message must say where they
    /// are now.
    fn unsent(&mut self, error: &SinkError) {
        if let SinkError::Unsent(unsent) = error {
            if self.is_only_one {
                self.tally.set_aside(unsent.taken);
            }
            self.error = Some(error.to_string());
        }
    }

    /// Applies `act` to every sink; true if it succeeded for at least one. A failing sink is
    /// removed if it can never recover, and always with `--on-sink-error stop`.
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
                        // Only the first error is kept, because others follow from it. But records
                        // that were kept aside must be reported.
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
        if self.outputs.is_empty() && stop && !*self.gone.borrow() {
            self.gone.send_replace(true);
        }
        done
    }

    fn failed(&mut self, error: &SinkError) {
        let mut text = with_causes(error);
        if let Some(advice) = advice(error) {
            text.push_str("; ");
            text.push_str(advice);
        }
        if self.reported.is_none_or(|reported| reported.elapsed() >= REPORT_EVERY) {
            self.reported = Some(Instant::now());
            (self.report)(&text);
        }
        self.error.get_or_insert(text);
    }
}

/// The pipe has lost its reader for good.
fn is_gone(error: &SinkError) -> bool {
    matches!(error, SinkError::Write { cause, .. } if cause.kind() == io::ErrorKind::BrokenPipe)
}

fn with_causes(error: &SinkError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// The remedy for the user.
fn advice(error: &SinkError) -> Option<&'static str> {
    let (SinkError::Open { cause, .. } | SinkError::Write { cause, .. }) = error else {
        return None;
    };
    Some(match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space there, or write records elsewhere with -o or -l"
        }
        io::ErrorKind::FileTooLarge => {
            "raise the file size limit (ulimit -f), or limit the size of logs with --rotate-size"
        }
        io::ErrorKind::BrokenPipe => "its reader has ended",
        _ => "write records elsewhere with -o or -l",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: io::ErrorKind) -> SinkError {
        SinkError::Write { name: "out.jsonl".to_owned(), cause: kind.into() }
    }

    #[test]
    fn each_error_says_what_to_do() {
        for (kind, part) in [
            (io::ErrorKind::StorageFull, "free some space"),
            (io::ErrorKind::FileTooLarge, "ulimit -f"),
            (io::ErrorKind::PermissionDenied, "-o or -l"),
        ] {
            assert!(advice(&error(kind)).is_some_and(|advice| advice.contains(part)), "{kind}");
        }
    }
}
