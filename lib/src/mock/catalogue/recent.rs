//! A cache for recent requests, of a fixed number of slots, with reads that take no lock.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

/// Maximum number of values. A new value replaces the one in its slot.
pub(super) const SLOTS: u64 = 1024;

/// Values by hash.
pub(super) struct Recent<T> {
    slots: Box<[CacheSlot<T>]>,
}

struct CacheSlot<T> {
    /// The last hash that was offered. A value is kept from the second time on, so that requests
    /// that never come again do not displace others.
    last: AtomicU64,
    kept: ArcSwapOption<T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        let slot = |_| CacheSlot { last: AtomicU64::new(0), kept: ArcSwapOption::empty() };
        Recent { slots: (0..SLOTS).map(slot).collect() }
    }
}

impl<T> fmt::Debug for Recent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

impl<T> Recent<T> {
    /// Calls `read` with the value in the slot of this hash. The value may belong to another hash.
    pub(super) fn get<R>(&self, hash: u64, read: impl FnOnce(&T) -> Option<R>) -> Option<R> {
        read(self.slot(hash).kept.load().as_deref()?)
    }

    /// Stores a value if the previous offer to its slot had the same hash.
    pub(super) fn offer(&self, hash: u64, value: impl FnOnce() -> T) {
        let slot = self.slot(hash);
        if slot.last.swap(hash, Ordering::Relaxed) == hash {
            slot.kept.store(Some(value().into()));
        }
    }

    fn slot(&self, hash: u64) -> &CacheSlot<T> {
        &self.slots[usize::try_from(hash % SLOTS).unwrap_or_default()]
    }
}
