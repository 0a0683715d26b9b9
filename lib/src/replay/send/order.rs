//! Keeps requests with the same carried value in order, even on different connections.
//!
//! Requests for the same item, or of one session, must not overtake each other if one of them
//! changes something. Otherwise a deleted item could still be found.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use twox_hash::XxHash3_64;

use crate::replay::carry::{Use, ValueSource};

/// Maximum number of values; beyond that, values whose requests are done are removed.
const MAX_VALUES: usize = 50_000;

/// Whether a request is done.
#[derive(Debug, Default)]
pub(super) struct Done {
    is_set: AtomicBool,
    changed: Notify,
}

impl Done {
    pub(super) fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    pub(super) async fn wait(&self) {
        loop {
            let changed = self.changed.notified();
            if self.is_set() {
                return;
            }
            changed.await;
        }
    }
}

/// The requests that use a value: the last one that changes something, and all later ones.
#[derive(Debug, Default)]
struct Users {
    change: Option<Arc<Done>>,
    reads: Vec<Arc<Done>>,
}

impl Users {
    fn forget_done(&mut self) {
        self.change.take_if(|done| done.is_set());
        self.reads.retain(|done| !done.is_set());
    }
}

/// The requests by carried value.
#[derive(Debug, Default)]
pub(super) struct Order(HashMap<u64, Users>);

impl Order {
    /// The earlier requests that the next one waits for, and its own mark.
    pub(super) fn next(&mut self, uses: &[Use], safe: bool) -> (Vec<Arc<Done>>, Option<Arc<Done>>) {
        let carried = uses.iter().filter(|used| matches!(used.source, ValueSource::Answers(_)));
        let mut keys: Vec<u64> =
            carried.map(|used| XxHash3_64::oneshot(used.old.as_bytes())).collect();
        if keys.is_empty() {
            return (Vec::new(), None);
        }
        keys.sort_unstable();
        keys.dedup();
        if self.0.len() >= MAX_VALUES {
            self.0.retain(|_, users| {
                users.forget_done();
                users.change.is_some() || !users.reads.is_empty()
            });
        }
        let own = Arc::new(Done::default());
        let mut earlier: Vec<Arc<Done>> = Vec::new();
        for key in keys {
            let users = self.0.entry(key).or_default();
            users.forget_done();
            earlier.extend(users.change.clone());
            if safe {
                users.reads.push(Arc::clone(&own));
            } else {
                earlier.append(&mut users.reads);
                users.change = Some(Arc::clone(&own));
            }
        }
        (earlier, Some(own))
    }
}
