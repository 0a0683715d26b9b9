//! The description of a kind of entities in the specs.

use std::sync::Arc;

use serde_json::{Map, Value};

/// How the entities of a kind are identified and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mock) struct KindRule {
    /// The name of the kind.
    pub(in crate::mock) name: Arc<str>,
    /// The names of the members that lead from an entity to its id.
    pub(in crate::mock) id_path: Vec<String>,
    /// The kind of ids that new entities get.
    pub(in crate::mock) id: IdKind,
    /// The members that requests filter by.
    pub(in crate::mock) filters: Vec<String>,
    /// If entities have parents: for each path with entities below it, the member that names the
    /// parent, if there is one.
    pub(in crate::mock) scopes: Vec<Option<String>>,
    /// Entities of different parents may have the same id.
    pub(in crate::mock) keyed_by_scope: bool,
}

/// The kind of generated ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) enum IdKind {
    /// The greatest id so far, plus 1.
    Integer,
    /// The same as text.
    Digits,
    /// A random UUID.
    Uuid,
}

impl KindRule {
    /// The rule for a kind that no spec describes.
    pub(in crate::mock) fn plain(name: &str) -> KindRule {
        KindRule {
            name: name.into(),
            id_path: vec!["id".to_owned()],
            id: IdKind::Uuid,
            filters: Vec::new(),
            scopes: Vec::new(),
            keyed_by_scope: false,
        }
    }

    /// The id of an entity as text; `None` if it has none.
    pub(in crate::mock) fn id_of(&self, entity: &Value) -> Option<String> {
        let mut value = entity;
        for name in &self.id_path {
            value = value.get(name)?;
        }
        id_text(value)
    }

    /// The key of an entity: its id, with its parents if entities of different parents can have the
    /// same id.
    pub(in crate::mock) fn key(&self, id: &str, scopes: &[Option<Box<str>>]) -> String {
        match scopes.first() {
            Some(Some(parents)) if self.keyed_by_scope => format!("{parents}\0{id}"),
            _ => id.to_owned(),
        }
    }

    /// The parents that the entity itself names.
    pub(in crate::mock) fn scopes_of(&self, entity: &Value) -> Vec<Option<Box<str>>> {
        let named = |property: &Option<String>| {
            let value = property.as_ref().and_then(|name| entity.get(name));
            value.and_then(id_text).map(String::into_boxed_str)
        };
        self.scopes.iter().map(named).collect()
    }

    /// Sets the id of an entity.
    pub(in crate::mock) fn set_id(&self, entity: &mut Value, id: Value) {
        let Some((last, parents)) = self.id_path.split_last() else { return };
        let mut value = entity;
        for name in parents {
            let Some(members) = value.as_object_mut() else { return };
            value = members.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
        }
        if let Some(members) = value.as_object_mut() {
            match members.get_mut(last) {
                Some(known) => *known = id,
                // People expect the id first.
                None => drop(members.shift_insert(0, last.clone(), id)),
            }
        }
    }
}

/// An id as text; `None` for values that cannot be ids.
pub(in crate::mock) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A random UUID (RFC 9562, version 4).
pub(in crate::mock) fn random_uuid() -> String {
    let bits: u128 = rand::random();
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_read_and_set_where_the_rule_says() {
        let mut rule = KindRule::plain("Pet");
        let mut pet = json!({"name": "Ann"});
        assert_eq!(rule.id_of(&pet), None);
        rule.set_id(&mut pet, 7.into());
        assert_eq!(pet.to_string(), r#"{"id":7,"name":"Ann"}"#);
        assert_eq!(rule.id_of(&pet).as_deref(), Some("7"));
        rule.id_path = vec!["meta".to_owned(), "key".to_owned()];
        rule.set_id(&mut pet, "x".into());
        assert_eq!(pet["meta"]["key"], "x");
        assert_eq!(rule.id_of(&pet).as_deref(), Some("x"));
    }

    #[test]
    fn uuids_are_of_version_4() {
        let uuid = random_uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4", "{uuid}");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        assert_ne!(uuid, random_uuid());
    }
}
