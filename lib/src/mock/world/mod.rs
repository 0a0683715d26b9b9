//! The state that persists between requests: storage, overrides, faults, the journal, the scope,
//! and the count of dynamic answers.

mod faults;
mod journal;
mod overrides;
mod storage;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

pub(super) use faults::{FaultRefusal, Faults};
pub(super) use journal::{Entry, Journal, Served};
pub use overrides::Override;
pub(super) use overrides::{Match, Overrides, PathMatch};
pub(super) use storage::{
    Contents, IdKind, Initial, Item, Kind, KindRule, Scopes, Seed, StorageChange, Test, id_text,
};
pub use storage::{DataError, Storage, StorageError};

use super::faults::FaultRule;

/// The part of a mock that requests and admin endpoints change.
#[derive(Debug)]
pub struct World {
    storage: Storage,
    scope: RwLock<Option<Arc<str>>>,
    /// The seed of the next dynamic answer.
    next_seed: AtomicU64,
    overrides: Overrides,
    faults: Faults,
    journal: Journal,
}

impl World {
    /// A world whose storage is `initial`. With a seed, dynamic answers and faults are the same
    /// sequence in each run. `journal` is the number of requests to keep.
    pub(super) fn new(initial: Initial, seed: Option<u64>, journal: usize) -> World {
        World {
            storage: Storage::new(initial),
            scope: RwLock::default(),
            next_seed: AtomicU64::new(seed.unwrap_or_else(rand::random)),
            overrides: Overrides::default(),
            faults: Faults::new(seed),
            journal: Journal::new(journal),
        }
    }

    /// Named values and entities.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The current scope name of logged exchanges.
    pub fn scope(&self) -> Option<Arc<str>> {
        self.scope.read().clone()
    }

    /// Sets or removes the name.
    pub fn set_scope(&self, name: Option<&str>) {
        *self.scope.write() = name.map(Arc::from);
    }

    /// Replaces the overrides; the first has precedence.
    pub fn set_overrides(&self, overrides: Vec<Override>) {
        self.overrides.replace(overrides);
    }

    /// Replaces the rules for faults.
    pub fn set_faults(&self, rules: Vec<FaultRule>) {
        self.faults.replace(rules);
    }

    pub(super) fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// A new seed for each dynamic answer.
    pub(super) fn dynamic_seed(&self) -> u64 {
        // An odd step far from 0, so that the consecutive seeds of headers do not collide.
        self.next_seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_set_and_taken_back() {
        let world = World::new(Initial::default(), None, 0);
        world.set_scope(Some("a"));
        assert_eq!(world.scope().as_deref(), Some("a"));
        world.set_scope(None);
        assert_eq!(world.scope(), None);
    }
}
