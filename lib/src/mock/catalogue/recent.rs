//! Keeps what was made for recent requests. The memory is bounded, and reading takes no lock.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

/// How many values are kept at most. Each has one place, which a newer one takes over.
pub(super) const PLACES: u64 = 1024;

/// Values by hash.
pub(super) struct Recent<T> {
    places: Box<[CacheSlot<T>]>,
}

struct CacheSlot<T> {
    /// The last hash that was offered. A value is kept from the second time on, so that requests
    /// that never come again do not displace others.
    last: AtomicU64,
    kept: ArcSwapOption<T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        let place = |_| CacheSlot { last: AtomicU64::new(0), kept: ArcSwapOption::empty() };
        Recent { places: (0..PLACES).map(place).collect() }
    }
}

impl<T> fmt::Debug for Recent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

impl<T> Recent<T> {
    /// What `read` returns for the value in the place of this hash, which may be that of another.
    pub(super) fn get<R>(&self, hash: u64, read: impl FnOnce(&T) -> Option<R>) -> Option<R> {
        read(self.place(hash).kept.load().as_deref()?)
    }

    /// Keeps a value if its hash was also the last one that was offered for its place.
    pub(super) fn offer(&self, hash: u64, value: impl FnOnce() -> T) {
        let place = self.place(hash);
        if place.last.swap(hash, Ordering::Relaxed) == hash {
            place.kept.store(Some(value().into()));
        }
    }

    fn place(&self, hash: u64) -> &CacheSlot<T> {
        &self.places[usize::try_from(hash % PLACES).unwrap_or_default()]
    }
}
