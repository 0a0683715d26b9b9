//! The contents of the storage.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::change::{StorageChange, StorageError};
use super::file::StateFile;
use super::initial::Initial;
use super::kind::Kind;
use super::rule::{KindRule, id_text};

/// The content of the storage.
#[derive(Debug, Default)]
pub(in crate::mock) struct Contents {
    values: Map<String, Value>,
    /// In the order in which they were first named.
    kinds: Vec<Kind>,
    kind_by_name: HashMap<String, usize>,
    /// True if something has changed since the start or the last reset.
    pub(super) changed: bool,
    /// True if the state file does not have these contents yet.
    unwritten: bool,
    /// The file to which changes are written before they are applied.
    pub(super) file: Option<StateFile>,
}

impl Contents {
    /// The initial contents.
    pub(super) fn of(initial: &Initial) -> Contents {
        let mut contents = Contents::default();
        contents.restore(initial);
        contents
    }

    /// Replaces the contents by the initial ones, which the file, if any, gets at the next change
    /// or at the next start.
    pub(super) fn replace(&mut self, initial: &Initial) {
        let file = self.file.take();
        *self = Contents { file, unwritten: true, ..Contents::of(initial) };
    }

    /// The entities of a kind, if it is known.
    pub(in crate::mock) fn kind(&self, name: &str) -> Option<&Kind> {
        self.kind_by_name.get(name).map(|number| &self.kinds[*number])
    }

    /// All kinds.
    pub(in crate::mock) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The global values.
    pub(in crate::mock) fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    fn kind_mut(&mut self, name: &str) -> &mut Kind {
        let number = match self.kind_by_name.get(name) {
            Some(number) => *number,
            None => {
                self.kinds.push(Kind::new(KindRule::plain(name)));
                self.kind_by_name.insert(name.to_owned(), self.kinds.len() - 1);
                self.kinds.len() - 1
            }
        };
        &mut self.kinds[number]
    }

    /// Writes changes to the state file.
    pub(super) fn append(&mut self, changes: &[StorageChange]) -> Result<(), StorageError> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let written = if self.unwritten {
            let mut all = vec![StorageChange::Clear];
            all.extend(self.changes());
            all.extend_from_slice(changes);
            file.append(&all)
        } else {
            file.append(changes)
        };
        self.unwritten &= written.is_err();
        self.file = Some(file);
        written
    }

    pub(super) fn add_rule(&mut self, rule: KindRule) {
        self.kind_mut(&rule.name.clone()).set_rule(rule);
    }

    pub(super) fn make(&mut self, change: StorageChange) {
        match change {
            StorageChange::Put { kind, key, entity, scopes } => {
                self.kind_mut(&kind).put(&key, &entity, scopes);
            }
            StorageChange::Delete { kind, key } => drop(self.kind_mut(&kind).delete(&key)),
            StorageChange::Values(values) => self.values = values,
            StorageChange::Clear => {
                self.values.clear();
                self.kinds.iter_mut().for_each(Kind::clear);
            }
        }
    }

    /// Adds the initial contents.
    fn restore(&mut self, initial: &Initial) {
        for rule in &initial.rules {
            self.add_rule(rule.clone());
        }
        for (name, seeds) in &initial.entities {
            let kind = self.kind_mut(name);
            for seed in seeds {
                let mut entity = seed.entity.clone();
                let id = seed.id.clone().or_else(|| kind.rule().id_of(&entity));
                let id = id.unwrap_or_else(|| {
                    let id = kind.new_id();
                    let text = id_text(&id).unwrap_or_default();
                    kind.rule().set_id(&mut entity, id);
                    text
                });
                let scopes = seed.scopes.clone();
                let key = kind.rule().key(&id, scopes.as_deref().unwrap_or_default());
                kind.put(&key, &entity, scopes);
            }
        }
    }

    /// The changes that create the contents from nothing.
    pub(super) fn changes(&self) -> Vec<StorageChange> {
        let mut changes = Vec::new();
        if !self.values.is_empty() {
            changes.push(StorageChange::Values(self.values.clone()));
        }
        for kind in &self.kinds {
            for (key, item) in kind.entries() {
                changes.push(StorageChange::Put {
                    kind: kind.rule().name.to_string(),
                    key: key.to_owned(),
                    entity: item.value(),
                    scopes: Some(item.scopes().to_vec()),
                });
            }
        }
        changes
    }
}
