//! Limits the time that a sink waits for others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A deadline that the writer of a sink shares with the code that ends it. By default there is
/// none.
#[derive(Clone, Debug, Default)]
pub struct DeliveryDeadline(Arc<Mutex<Limits>>);

#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    end: Option<Instant>,
    idle_limit: Option<Duration>,
}

impl DeliveryDeadline {
    /// Ends the wait at `end`.
    pub fn ends_at(&self, end: Instant) {
        self.limits(|limits| limits.end = Some(end));
    }

    /// Ends the wait when nothing was delivered for `idle_limit`.
    pub fn ends_after(&self, idle_limit: Duration) {
        self.limits(|limits| limits.idle_limit = Some(idle_limit));
    }

    /// True if the wait must end. `since` is the time of the last delivery.
    pub fn is_at_end(&self, since: Instant) -> bool {
        let Limits { end, idle_limit } = self.limits(|limits| *limits);
        end.is_some_and(|end| Instant::now() >= end)
            || idle_limit.is_some_and(|idle_limit| since.elapsed() >= idle_limit)
    }

    fn limits<T>(&self, change: impl FnOnce(&mut Limits) -> T) -> T {
        change(&mut self.0.lock())
    }
}
