//! Accepting while descriptors are short.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::serve::Report;

/// The waits between failing accepts: descriptors run out, and come back only when connections end.
const ACCEPT_BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Slows down accepting where it fails for want of descriptors, and tells so now and then.
pub(super) struct Backoff {
    report: Report,
    wait: Duration,
    told: Option<Instant>,
}

impl Backoff {
    pub(super) fn new(report: Report) -> Self {
        Backoff { report, wait: ACCEPT_BACKOFF.0, told: None }
    }

    pub(super) fn reset(&mut self) {
        self.wait = ACCEPT_BACKOFF.0;
    }

    pub(super) async fn wait(&mut self, error: &io::Error) {
        // The client gave up while it queued: nothing is wrong with us.
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::Interrupted
        ) {
            return;
        }
        if self.told.is_none_or(|told| told.elapsed() >= Duration::from_secs(1)) {
            self.told = Some(Instant::now());
            (self.report)(&format!("cannot accept connections for now: {error}"));
        }
        sleep(self.wait).await;
        self.wait = (self.wait * 2).min(ACCEPT_BACKOFF.1);
    }
}
