//! How long a sink may wait that waits for others, which somebody else decides.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shared by who writes to a sink and who ends it. Without limits, it is endless.
#[derive(Clone, Debug, Default)]
pub struct Patience(Arc<Mutex<Limits>>);

#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    end: Option<Instant>,
    silence: Option<Duration>,
}

impl Patience {
    /// No longer than until `end`.
    pub fn ends_at(&self, end: Instant) {
        self.limits(|limits| limits.end = Some(end));
    }

    /// No longer than `silence` after something has moved.
    pub fn ends_after(&self, silence: Duration) {
        self.limits(|limits| limits.silence = Some(silence));
    }

    /// True where nothing has moved since `since`, and no more waiting is wanted.
    pub fn is_at_end(&self, since: Instant) -> bool {
        let Limits { end, silence } = self.limits(|limits| *limits);
        end.is_some_and(|end| Instant::now() >= end)
            || silence.is_some_and(|silence| since.elapsed() >= silence)
    }

    fn limits<T>(&self, act: impl FnOnce(&mut Limits) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
