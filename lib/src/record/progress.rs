//! The progress of a run, for display.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, interval};

use super::journal::Journal;
use super::tally::Tally;

/// Interval of the updates.
const UPDATE_INTERVAL: Duration = Duration::from_millis(500);

/// Maximum number of distinct hosts that are counted, because a client can invent hosts.
const MAX_HOSTS: usize = 10_000;

/// The progress so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Requests received.
    pub seen: u64,
    /// Exchanges that at least one sink has accepted.
    pub written: u64,
    /// Requests without a record.
    pub dropped: u64,
    /// Recent requests per second.
    pub rate: u64,
    /// Number of different target hosts.
    pub hosts: usize,
    /// Bytes of records queued for a sink.
    pub waiting: usize,
}

/// Receives the progress twice a second.
pub type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// The hosts of a run; collected only if the progress is displayed.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<HashSet<String>>);

impl Hosts {
    pub(super) fn add(&self, host: &str) {
        let mut hosts = self.0.lock();
        if hosts.len() < MAX_HOSTS && !hosts.contains(host) {
            hosts.insert(host.to_owned());
        }
    }

    fn count(&self) -> usize {
        self.0.lock().len()
    }
}

/// Sends the progress until dropped; without a receiver, it only waits.
pub(super) async fn send_updates(
    watch: Option<&(OnProgress, Hosts)>,
    tally: &Tally,
    journal: &Journal,
) {
    let Some((watch, hosts)) = watch else { return std::future::pending().await };
    let mut ticks = interval(UPDATE_INTERVAL);
    let (mut seen, mut at) = (0, Instant::now());
    loop {
        ticks.tick().await;
        let summary = tally.summary(None);
        let millis = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        watch(&Progress {
            seen: summary.seen,
            written: summary.written,
            dropped: summary.dropped.values().sum(),
            rate: (summary.seen - seen) * 1000 / millis,
            hosts: hosts.count(),
            waiting: journal.waiting(),
        });
        (seen, at) = (summary.seen, Instant::now());
    }
}
