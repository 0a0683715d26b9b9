//! How a run stands, for somebody who looks on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::recorder::Recorder;

/// How often it is told.
const EVERY: Duration = Duration::from_millis(500);

/// Hosts told apart; a client may invent more.
const MAX_HOSTS: usize = 10_000;

/// What has been until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Requests that came.
    pub seen: u64,
    /// Exchanges that at least one sink took.
    pub written: u64,
    /// Those that no sink took.
    pub dropped: u64,
    /// Requests a second, lately.
    pub rate: u64,
    /// Hosts that were asked.
    pub hosts: usize,
    /// Bytes of records that wait for a sink.
    pub waiting: usize,
}

/// Told of it twice a second.
pub type Watch = Arc<dyn Fn(&Progress) + Send + Sync>;

/// The hosts of a run, where somebody looks on.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<HashSet<String>>);

impl Hosts {
    pub(super) fn add(&self, host: &str) {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() < MAX_HOSTS && !hosts.contains(host) {
            hosts.insert(host.to_owned());
        }
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Tells how the run stands until dropped; waits for ever where nobody looks on.
pub(super) async fn tell(recorder: &Recorder) {
    let Some((watch, hosts)) = &recorder.watch else { return std::future::pending().await };
    let mut ticks = interval(EVERY);
    let (mut seen, mut at) = (0, Instant::now());
    loop {
        ticks.tick().await;
        let summary = recorder.tally.summary(None);
        let millis = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        watch(&Progress {
            seen: summary.seen,
            written: summary.written,
            dropped: summary.dropped.values().sum(),
            rate: (summary.seen - seen) * 1000 / millis,
            hosts: hosts.count(),
            waiting: recorder.journal.waiting(),
        });
        (seen, at) = (summary.seen, Instant::now());
    }
}
