//! The part of the storage that callbacks get, and their changes to it.

use serde_json::{Map, Value};

use super::super::world::{Contents, StorageChange, World};

/// A copy of the values that a callback gets.
#[derive(Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) values: Map<String, Value>,
    /// Only for callbacks that ask for them.
    pub(super) entities: Option<Entities>,
}

/// All entities.
#[derive(Debug, PartialEq)]
pub(super) struct Entities {
    /// `{KIND: {ID: ENTITY}}`
    pub(super) by_id: Map<String, Value>,
    /// `{KIND: [NAME…]}`: the members that lead from an entity to its id.
    pub(super) id_paths: Map<String, Value>,
}

impl Stored {
    pub(super) fn of(world: &World, entities: bool) -> Stored {
        world.storage().read(|contents| Stored {
            values: contents.values().clone(),
            entities: entities.then(|| Entities::of(contents)),
        })
    }

    /// Writes the changes of a callback to the storage, and keeps the rest of its current content.
    ///
    /// # Errors
    /// The changes cannot be stored.
    pub(super) fn commit(
        &self,
        world: &World,
        new_values: Option<&Map<String, Value>>,
        new_entities: Option<&Map<String, Value>>,
    ) -> Result<(), String> {
        let committed = world.storage().change(|contents| {
            let mut changes = Vec::new();
            if let Some(after) = new_values {
                let mut values = contents.values().clone();
                merge(&mut values, &self.values, after);
                if values != *contents.values() {
                    changes.push(StorageChange::Values(values));
                }
            }
            let known = self.entities.as_ref().map(|entities| &entities.by_id);
            for (kind, after) in new_entities.into_iter().flatten() {
                let Some(after) = after.as_object() else { return (Vec::new(), Err(kind.clone())) };
                let empty = Map::new();
                let before = known.and_then(|known| known.get(kind)?.as_object()).unwrap_or(&empty);
                if let Err(key) = entity_changes(kind, before, after, &mut changes) {
                    return (Vec::new(), Err(key));
                }
            }
            (changes, Ok(()))
        });
        match committed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(place)) => {
                Err(format!("answered with entities in which {place} is not an object"))
            }
            Err(error) => Err(format!("changed the storage, which cannot be written: {error}")),
        }
    }
}

impl Entities {
    fn of(contents: &Contents) -> Entities {
        let mut entities = Entities { by_id: Map::new(), id_paths: Map::new() };
        for kind in contents.kinds() {
            let rule = kind.rule();
            let all: Map<String, Value> = kind
                .entries()
                .into_iter()
                .map(|(key, item)| (key.to_owned(), item.value()))
                .collect();
            entities.by_id.insert(rule.name.to_string(), all.into());
            entities.id_paths.insert(rule.name.to_string(), rule.id_path.clone().into());
        }
        entities
    }
}

/// The changes between two sets of entities of a kind.
///
/// # Errors
/// The place of an entity that is not an object.
fn entity_changes(
    kind: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    changes: &mut Vec<StorageChange>,
) -> Result<(), String> {
    let kind = kind.to_owned();
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        changes.push(StorageChange::Delete { kind: kind.clone(), key: key.clone() });
    }
    for (key, entity) in after.iter().filter(|(key, entity)| before.get(*key) != Some(entity)) {
        if !entity.is_object() {
            return Err(format!("{kind} {key}"));
        }
        let (kind, key, entity) = (kind.clone(), key.clone(), entity.clone());
        changes.push(StorageChange::Put { kind, key, entity, scopes: None });
    }
    Ok(())
}

/// Applies the changes from `before` to `after` to `now`.
fn merge(now: &mut Map<String, Value>, before: &Map<String, Value>, after: &Map<String, Value>) {
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        now.shift_remove(name);
    }
    for (name, value) in after {
        if before.get(name) != Some(value) {
            now.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_changed_is_changed() {
        let map = |value: Value| value.as_object().unwrap().clone();
        let mut now = map(json!({"a": 1, "b": 2, "new": 3}));
        merge(&mut now, &map(json!({"a": 1, "b": 1, "c": 1})), &map(json!({"a": 5, "b": 1})));
        assert_eq!(Value::from(now), json!({"a": 5, "b": 2, "new": 3}));
    }
}
