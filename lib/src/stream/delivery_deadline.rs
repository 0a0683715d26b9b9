//! How long a sink may wait that waits for others, which somebody else decides.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shared by who writes to a sink and who ends it. Without limits, it is endless.
#[derive(Clone, Debug, Default)]
pub struct DeliveryDeadline(Arc<Mutex<Limits>>);

#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    end: Option<Instant>,
    idle_limit: Option<Duration>,
}

impl DeliveryDeadline {
    /// No longer than until `end`.
    pub fn ends_at(&self, end: Instant) {
        self.limits(|limits| limits.end = Some(end));
    }

    /// No longer than `idle_limit` after something has moved.
    pub fn ends_after(&self, idle_limit: Duration) {
        self.limits(|limits| limits.idle_limit = Some(idle_limit));
    }

    /// True where nothing has moved since `since`, and no more waiting is wanted.
    pub fn is_at_end(&self, since: Instant) -> bool {
        let Limits { end, idle_limit } = self.limits(|limits| *limits);
        end.is_some_and(|end| Instant::now() >= end)
            || idle_limit.is_some_and(|idle_limit| since.elapsed() >= idle_limit)
    }

    fn limits<T>(&self, change: impl FnOnce(&mut Limits) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
