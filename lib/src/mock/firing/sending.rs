//! Sends the requests of callbacks and webhooks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::outgoing::Outgoing;
use crate::net::{GuardedClient, Report, ThrottledReport};

/// Maximum number of requests that wait or are in progress; more are dropped.
const WAITING: usize = 1000;
/// Sends requests in the background.
pub(in crate::mock) struct Sending {
    waiting: Arc<AtomicUsize>,
    failures: Arc<ThrottledReport>,
    trace: Option<Report>,
}

impl Sending {
    /// Failures go to `report`, and each request to `trace`.
    pub(in crate::mock) fn new(report: Report, trace: Option<Report>) -> Sending {
        let failures = Arc::new(ThrottledReport::new(report));
        Sending { waiting: Arc::default(), failures, trace }
    }

    /// Sends requests in order, after the answer: when `answered` is ready.
    pub(in crate::mock) fn send(
        &self,
        client: &Arc<GuardedClient>,
        all: Vec<Outgoing>,
        answered: oneshot::Receiver<()>,
    ) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.failures.report("dropped", "", || {
                format!("callbacks are dropped: {WAITING} are under way; their receivers are slow")
            });
            return;
        }
        let (client, waiting) = (Arc::clone(client), Arc::clone(&self.waiting));
        let (failures, trace) = (Arc::clone(&self.failures), self.trace.clone());
        tokio::spawn(async move {
            let _ = answered.await;
            for one in all {
                match one.send(&client).await {
                    Ok(line) => {
                        if let Some(trace) = &trace {
                            trace(&line);
                        }
                    }
                    Err(why) => failures
                        .report("failed", &one.name, || format!("callback {}: {why}", one.name)),
                }
            }
            waiting.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
