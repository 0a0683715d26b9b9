//! What a mock remembers between requests: named values, entities, the scope.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Map, Value};

/// Named values and entities. Both are empty or as the specs' `x-hmt-data` has them when the mock starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// Values by name.
    pub values: Map<String, Value>,
    /// Entities by the name of their kind, in order.
    pub entities: BTreeMap<String, Vec<Value>>,
}

/// The state of a running mock.
#[derive(Debug, Default)]
pub struct State {
    initial: Storage,
    storage: Mutex<Storage>,
    scope: RwLock<Option<Arc<str>>>,
}

/// What is wrong with `x-hmt-data`.
#[derive(Debug, thiserror::Error)]
#[error("{pointer}: must be an {kind}")]
pub struct DataError {
    pointer: String,
    kind: &'static str,
}

impl State {
    /// The state that the roots of some documents declare.
    ///
    /// # Errors
    /// An `x-hmt-data` that is not `{NAME: [entity…]}`.
    pub fn new<'v>(roots: impl Iterator<Item = &'v Value>) -> Result<State, DataError> {
        let mut initial = Storage::default();
        for root in roots {
            let Some(data) = root.get("x-hmt-data") else { continue };
            let wrong = |pointer: String, kind| DataError { pointer, kind };
            let data = data.as_object().ok_or_else(|| wrong("/x-hmt-data".into(), "object"))?;
            for (name, entities) in data {
                let entities = entities
                    .as_array()
                    .ok_or_else(|| wrong(format!("/x-hmt-data/{name}"), "array"))?;
                let kind = initial.entities.entry(name.clone()).or_default();
                kind.extend(entities.iter().cloned());
            }
        }
        let storage = Mutex::new(initial.clone());
        Ok(State { initial, storage, scope: RwLock::default() })
    }

    /// Runs `change` on the storage, alone.
    pub fn with_storage<T>(&self, change: impl FnOnce(&mut Storage) -> T) -> T {
        // A panic under the lock leaves a storage that is whole: every change is a call on one map.
        change(&mut self.storage.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Empties values and entities.
    pub fn clear(&self) {
        self.with_storage(|storage| *storage = Storage::default());
    }

    /// Puts everything back as it was at the start.
    pub fn reset(&self) {
        self.with_storage(|storage| storage.clone_from(&self.initial));
    }

    /// The name under which served exchanges are logged now.
    pub fn scope(&self) -> Option<Arc<str>> {
        self.scope.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the name under which served exchanges are logged.
    pub fn set_scope(&self, name: Option<&str>) {
        *self.scope.write().unwrap_or_else(PoisonError::into_inner) = name.map(Arc::from);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn resets_to_the_declared_data() {
        let root = json!({"x-hmt-data": {"Pet": [{"id": 1}]}});
        let state = State::new([&root].into_iter()).unwrap();
        state.with_storage(|storage| storage.values.insert("n".into(), json!(1)));
        state.clear();
        assert_eq!(state.with_storage(|storage| storage.clone()), Storage::default());
        state.reset();
        let entities = state.with_storage(|storage| storage.entities.clone());
        assert_eq!(entities["Pet"], [json!({"id": 1})]);
        let wrong = json!({"x-hmt-data": {"Pet": 1}});
        let error = State::new([&wrong].into_iter()).unwrap_err();
        assert_eq!(error.to_string(), "/x-hmt-data/Pet: must be an array");
    }

    #[test]
    fn the_scope_is_set_and_taken_back() {
        let state = State::default();
        state.set_scope(Some("a"));
        assert_eq!(state.scope().as_deref(), Some("a"));
        state.set_scope(None);
        assert_eq!(state.scope(), None);
    }
}
