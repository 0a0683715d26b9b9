//! Backs off when `accept` fails because file descriptors have run out.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::limits::Report;

/// First and longest wait between failing accepts. Descriptors are freed only when connections end.
const ACCEPT_BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Delays `accept` while it fails for lack of descriptors, and reports this at a limited rate.
pub(super) struct Backoff {
    report: Report,
    wait: Duration,
    last_report: Option<Instant>,
}

impl Backoff {
    pub(super) fn new(report: Report) -> Self {
        Backoff { report, wait: ACCEPT_BACKOFF.0, last_report: None }
    }

    pub(super) fn reset(&mut self) {
        self.wait = ACCEPT_BACKOFF.0;
    }

    pub(super) async fn wait(&mut self, error: &io::Error) {
        // The client left while its connection was queued. This is not a fault of the server.
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::Interrupted
        ) {
            return;
        }
        if self
            .last_report
            .is_none_or(|last_report| last_report.elapsed() >= Duration::from_secs(1))
        {
            self.last_report = Some(Instant::now());
            (self.report)(&format!("cannot accept connections at the moment: {error}"));
        }
        sleep(self.wait).await;
        self.wait = (self.wait * 2).min(ACCEPT_BACKOFF.1);
    }
}
