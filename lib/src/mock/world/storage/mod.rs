//! The storage: named values and entities, which operations, callbacks and the admin port change.
//!
//! Every change is computed under the write lock, written to the state file, and only then applied.
//! The file therefore contains every change that a response has confirmed.

mod change;
mod column;
mod contents;
mod file;
mod initial;
mod kind;
mod rule;

use std::path::Path;

use parking_lot::RwLock;

pub(in crate::mock) use change::StorageChange;
pub use change::StorageError;
pub(in crate::mock) use contents::Contents;
use file::{Opened, StateFile};
pub use initial::DataError;
pub(in crate::mock) use initial::{Initial, Seed};
pub(in crate::mock) use kind::{Item, Kind, Scopes, Test};
pub(in crate::mock) use rule::{IdKind, KindRule, id_text};

/// Named values and entities. All requests share it.
#[derive(Debug, Default)]
pub struct Storage {
    contents: RwLock<Contents>,
    /// The content that a reset restores.
    initial: RwLock<Initial>,
}

impl Storage {
    /// A storage with its contents at the start.
    pub(in crate::mock) fn new(initial: Initial) -> Storage {
        Storage { contents: Contents::of(&initial).into(), initial: initial.into() }
    }

    /// Keeps the contents in a file from now on. Existing contents of the file replace them.
    /// Returns a warning about a torn last line.
    ///
    /// # Errors
    /// The file cannot be used, another mock uses it, or a line is not a change of the state.
    pub fn keep_in(&self, path: &Path) -> Result<Option<String>, StorageError> {
        let mut contents = self.contents.write();
        let mut apply = |change| contents.make(change);
        let Opened { file, is_old, warning } = StateFile::open(path, &mut apply)?;
        contents.changed |= is_old;
        contents.file = Some(file.compact(contents.values(), contents.kinds())?);
        Ok(warning)
    }

    /// Removes all values and entities.
    ///
    /// # Errors
    /// The state file cannot be written.
    pub fn clear(&self) -> Result<(), StorageError> {
        self.change(|_| (vec![StorageChange::Clear], ()))
    }

    /// Restores the contents of the start.
    ///
    /// # Errors
    /// The state file cannot be written.
    pub fn reset(&self) -> Result<(), StorageError> {
        let initial = self.initial.read().clone();
        self.change(|_| {
            let mut changes = vec![StorageChange::Clear];
            changes.extend(Contents::of(&initial).changes());
            (changes, ())
        })?;
        self.contents.write().changed = false;
        Ok(())
    }

    /// Sets the kinds and initial entities of changed specs. Contents that were changed stay;
    /// others are replaced.
    pub(in crate::mock) fn set_initial(&self, initial: Initial) {
        let mut contents = self.contents.write();
        if contents.changed {
            for rule in &initial.rules {
                contents.add_rule(rule.clone());
            }
        } else {
            contents.replace(&initial);
        }
        *self.initial.write() = initial;
    }

    /// Reads the contents.
    pub(in crate::mock) fn read<T>(&self, read: impl FnOnce(&Contents) -> T) -> T {
        read(&self.contents.read())
    }

    /// Changes the contents under the lock: `decide` reads them, and the changes that it returns
    /// are applied together.
    ///
    /// # Errors
    /// The state file cannot be written; nothing is changed.
    pub(in crate::mock) fn change<T>(
        &self,
        decide: impl FnOnce(&Contents) -> (Vec<StorageChange>, T),
    ) -> Result<T, StorageError> {
        let mut contents = self.contents.write();
        let (changes, result) = decide(&contents);
        if changes.is_empty() {
            return Ok(result);
        }
        contents.append(&changes)?;
        contents.changed = true;
        changes.into_iter().for_each(|change| contents.make(change));
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    fn initial(data: &Value) -> Initial {
        Initial::of_documents([&json!({"x-hmt-data": data})].into_iter()).expect("well-formed")
    }

    impl Storage {
        pub(in crate::mock) fn values(&self) -> Map<String, Value> {
            self.read(|contents| contents.values().clone())
        }

        /// The entities of a kind by their ids.
        pub(in crate::mock) fn entities(&self, kind: &str) -> Map<String, Value> {
            self.read(|contents| {
                let all = contents.kind(kind).into_iter().flat_map(Kind::entries);
                let present = all.filter(|(_, item)| !item.is_removed());
                present.map(|(key, item)| (key.to_owned(), item.value())).collect()
            })
        }

        /// Adds an entity with its id, or with a new one, which is returned.
        pub(in crate::mock) fn insert(&self, kind: &str, mut entity: Value) -> String {
            let inserted = self.change(|contents| {
                let plain = Kind::new(KindRule::plain(kind));
                let known = contents.kind(kind).unwrap_or(&plain);
                let id = known.rule().id_of(&entity).unwrap_or_else(|| {
                    let id = known.new_id();
                    known.rule().set_id(&mut entity, id.clone());
                    id_text(&id).unwrap()
                });
                let (kind, key) = (kind.to_owned(), id.clone());
                (vec![StorageChange::Put { kind, key, entity, scopes: None }], id)
            });
            inserted.unwrap()
        }
    }

    #[test]
    fn storage_begins_as_declared_and_is_reset_to_it() {
        let storage = Storage::new(initial(&json!({"Pet": [{"id": 1}, {"id": 2}]})));
        assert_eq!(storage.entities("Pet").len(), 2);
        let values = Map::from_iter([("n".to_owned(), 5.into())]);
        storage.change(|_| (vec![StorageChange::Values(values)], ())).unwrap();
        assert_eq!(storage.values()["n"], 5);
        storage.clear().unwrap();
        assert!(storage.values().is_empty() && storage.entities("Pet").is_empty());
        storage.reset().unwrap();
        assert_eq!(Value::from(storage.entities("Pet")), json!({"1": {"id": 1}, "2": {"id": 2}}));
    }

    #[test]
    fn a_changed_storage_outlives_changed_specs() {
        let [one, two] = [1, 2].map(|id| initial(&json!({"Pet": [{"id": id}]})));
        let storage = Storage::new(one);
        storage.set_initial(two);
        assert!(storage.entities("Pet").contains_key("2"));
        storage.insert("Pet", json!({"id": 7}));
        storage.set_initial(Initial::default());
        assert_eq!(storage.entities("Pet").len(), 2);
    }

    #[test]
    fn concurrent_changes_are_whole() {
        const THREADS: u64 = 4;
        const ROUNDS: u64 = 300;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.jsonl");
        let storage = Storage::default();
        storage.keep_in(&path).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let storage = &storage;
                scope.spawn(move || {
                    let mut own: Vec<String> = Vec::new();
                    for round in 0..ROUNDS {
                        let id = storage.insert("Pet", json!({"by": thread, "n": round}));
                        let read = storage.read(|all| all.kind("Pet")?.get(&id).map(Item::value));
                        assert_eq!(read.unwrap()["n"], round);
                        own.push(id);
                        if round % 3 == 0 {
                            let key = own.swap_remove((round as usize * 7) % own.len());
                            let kind = "Pet".to_owned();
                            let gone = StorageChange::Delete { kind, key: key.clone() };
                            storage.change(|_| (vec![gone], ())).unwrap();
                            storage
                                .read(|all| assert!(all.kind("Pet").unwrap().get(&key).is_none()));
                        }
                        // The number of entities always agrees with the list of a thread.
                        let test = [Test::Member("by".to_owned(), vec![thread.to_string()])];
                        let listed =
                            storage.read(|all| all.kind("Pet").unwrap().matching(&test).len());
                        assert_eq!(listed, own.len());
                    }
                });
            }
        });
        let all = storage.entities("Pet");
        assert_eq!(all.len() as u64, THREADS * (ROUNDS - ROUNDS.div_ceil(3)));
        drop(storage);
        let again = Storage::default();
        again.keep_in(&path).unwrap();
        assert_eq!(again.entities("Pet"), all);
    }
}
