//! What lives on between requests: storage, overrides, faults, the journal, the scope, and the
//! count of dynamic answers.

mod faults;
mod journal;
mod overrides;
mod storage;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub(super) use faults::{Faults, Refusal};
pub(super) use journal::{Entry, Journal, Served};
pub use overrides::Override;
pub(super) use overrides::{Match, Overrides, PathMatch};
pub use storage::{DataError, Storage};

use super::faults::FaultRule;

/// The part of a mock that requests and admin endpoints change.
#[derive(Debug)]
pub struct World {
    /// What a reset restores.
    initial: Mutex<Storage>,
    storage: Mutex<Storage>,
    scope: RwLock<Option<Arc<str>>>,
    /// The seed of the next dynamic answer.
    next_seed: AtomicU64,
    overrides: Overrides,
    faults: Faults,
    journal: Journal,
}

impl World {
    /// A world whose storage is `initial`. With a seed, dynamic answers and faults are the same
    /// sequence in each run. `journal` is how many requests it keeps.
    pub fn new(initial: Storage, seed: Option<u64>, journal: usize) -> World {
        World {
            storage: Mutex::new(initial.clone()),
            initial: Mutex::new(initial),
            scope: RwLock::default(),
            next_seed: AtomicU64::new(seed.unwrap_or_else(rand::random)),
            overrides: Overrides::default(),
            faults: Faults::new(seed),
            journal: Journal::new(journal),
        }
    }

    /// Runs `change` on the storage, exclusively.
    pub fn with_storage<T>(&self, change: impl FnOnce(&mut Storage) -> T) -> T {
        change(&mut locked(&self.storage))
    }

    /// Empties values and entities.
    pub fn clear(&self) {
        self.with_storage(|storage| *storage = Storage::default());
    }

    /// Resets the storage to what the specs declare.
    pub fn reset(&self) {
        let initial = locked(&self.initial).clone();
        self.with_storage(|storage| *storage = initial);
    }

    /// Sets what changed specs declare. An unchanged storage follows them; a changed one stays
    /// until a reset.
    pub fn set_initial(&self, initial: Storage) {
        let before = std::mem::replace(&mut *locked(&self.initial), initial.clone());
        self.with_storage(|storage| {
            if *storage == before {
                *storage = initial;
            }
        });
    }

    /// The current scope name of logged exchanges.
    pub fn scope(&self) -> Option<Arc<str>> {
        self.scope.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets or removes the name.
    pub fn set_scope(&self, name: Option<&str>) {
        *self.scope.write().unwrap_or_else(PoisonError::into_inner) = name.map(Arc::from);
    }

    /// Puts other overrides in place; the first has precedence.
    pub fn set_overrides(&self, overrides: Vec<Override>) {
        self.overrides.replace(overrides);
    }

    /// Puts other rules for faults in place.
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

    /// The seed of a dynamic answer: another one for each.
    pub(super) fn dynamic_seed(&self) -> u64 {
        // An odd step far from 0, so that the consecutive seeds of headers do not collide.
        self.next_seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }
}

/// After a panic under one of the locks the value is consistent: every change is a call on one map.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn initial(root: &serde_json::Value) -> Storage {
        Storage::of_documents([root].into_iter()).expect("well-formed data")
    }

    #[test]
    fn storage_begins_as_declared_and_is_reset_to_it() {
        let root = json!({"x-hmt-data": {"pet": [{"id": 1}, {"id": 2}]}});
        let world = World::new(initial(&root), None, 0);
        world.with_storage(|storage| {
            assert_eq!(storage.entities["pet"].len(), 2);
            storage.values.insert("n".to_owned(), 5.into());
        });
        world.clear();
        world.with_storage(|storage| assert_eq!(*storage, Storage::default()));
        world.reset();
        world.with_storage(|storage| assert_eq!(storage.entities["pet"].len(), 2));
    }

    #[test]
    fn a_changed_storage_outlives_changed_specs() {
        let [one, two] = [1, 2].map(|id| initial(&json!({"x-hmt-data": {"pet": [{"id": id}]}})));
        let world = World::new(one, None, 0);
        world.set_initial(two.clone());
        world.with_storage(|storage| assert_eq!(*storage, two));
        world.clear();
        world.set_initial(Storage::default());
        world.set_initial(two.clone());
        world.with_storage(|storage| storage.values.insert("n".to_owned(), 1.into()));
        world.set_initial(Storage::default());
        world.with_storage(|storage| assert_eq!(storage.values["n"], 1));
    }

    #[test]
    fn the_scope_is_set_and_taken_back() {
        let world = World::new(Storage::default(), None, 0);
        world.set_scope(Some("a"));
        assert_eq!(world.scope().as_deref(), Some("a"));
        world.set_scope(None);
        assert_eq!(world.scope(), None);
    }
}
