//! The entities of one kind, in the order in which they were added.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::column::{self, ABSENT, COMPLEX};
use super::rule::{IdKind, KindRule, id_text, random_uuid};

/// An entity.
#[derive(Debug)]
pub(in crate::mock) struct Item {
    /// The entity as JSON: a parsed one would take several times the space.
    json: Box<[u8]>,
    /// Increases from item to item.
    number: u64,
    /// The parents, for each scope of the rule; `None` if there are none.
    scopes: Option<Box<Scopes>>,
    /// The catalogue whose schema last accepted the entity.
    valid_for: AtomicU64,
}

/// The parents of an entity, for each scope of its kind.
pub(in crate::mock) type Scopes = Vec<Option<Box<str>>>;

impl Item {
    /// The entity as JSON.
    pub(in crate::mock) fn json(&self) -> &[u8] {
        &self.json
    }

    /// The entity.
    pub(in crate::mock) fn value(&self) -> Value {
        // It was written by `Kind::put`.
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    /// Some members of the entity; null for those that it does not have.
    pub(in crate::mock) fn members(&self, names: &[&str]) -> Vec<Value> {
        let mut values = vec![Value::Null; names.len()];
        let mut reader = serde_json::Deserializer::from_slice(&self.json);
        // It was written by `Kind::put`, and only objects have members.
        let _ = serde::Deserializer::deserialize_map(
            &mut reader,
            Members { names, values: &mut values },
        );
        values
    }

    /// True for a mark that replaces a removed singleton, which would otherwise exist.
    pub(in crate::mock) fn is_removed(&self) -> bool {
        *self.json == *b"null"
    }

    /// Increases from item to item, and is kept when an entity is changed.
    pub(in crate::mock) fn number(&self) -> u64 {
        self.number
    }

    /// The parents.
    pub(in crate::mock) fn scopes(&self) -> &[Option<Box<str>>] {
        self.scopes.as_deref().map_or(&[], Vec::as_slice)
    }

    /// True if the entity is known to be valid by the schema of this catalogue.
    pub(in crate::mock) fn is_valid_for(&self, catalogue: u64) -> bool {
        self.valid_for.load(Ordering::Relaxed) == catalogue
    }

    /// Notes that the entity is valid by the schema of this catalogue.
    pub(in crate::mock) fn set_valid_for(&self, catalogue: u64) {
        self.valid_for.store(catalogue, Ordering::Relaxed);
    }
}

/// Reads some members of an object, and skips the others.
struct Members<'m> {
    names: &'m [&'m str],
    values: &'m mut [Value],
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match self.names.iter().position(|own| **own == *name) {
                Some(place) => self.values[place] = map.next_value()?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A condition of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mock) enum Test {
    /// A member is one of some texts.
    Member(String, Vec<String>),
    /// The parent in the scope with this number.
    Scope(usize, String),
}

/// The entities of a kind.
#[derive(Debug)]
pub(in crate::mock) struct Kind {
    rule: KindRule,
    /// Removed entities leave a gap.
    slots: Vec<Option<Item>>,
    slot_by_key: HashMap<Box<str>, u32>,
    /// A hash for each slot: of the rule's filters, then of its scopes.
    columns: Vec<Vec<u64>>,
    /// The number of the next new item.
    next_number: u64,
    greatest_integer: u64,
}

impl Kind {
    pub(in crate::mock) fn new(rule: KindRule) -> Kind {
        let columns = vec![Vec::new(); rule.filters.len() + rule.scopes.len()];
        Kind {
            rule,
            slots: Vec::new(),
            slot_by_key: HashMap::new(),
            columns,
            next_number: 0,
            greatest_integer: 0,
        }
    }

    /// The description of the kind in the specs.
    pub(in crate::mock) fn rule(&self) -> &KindRule {
        &self.rule
    }

    /// True if there are no entities.
    pub(in crate::mock) fn is_empty(&self) -> bool {
        self.slot_by_key.is_empty()
    }

    /// An entity by its key.
    pub(in crate::mock) fn get(&self, key: &str) -> Option<&Item> {
        let slot = *self.slot_by_key.get(key)?;
        self.at(slot)
    }

    /// The entity in a slot from [`Kind::matching`].
    pub(in crate::mock) fn at(&self, slot: u32) -> Option<&Item> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// All entities in order.
    pub(in crate::mock) fn items(&self) -> impl Iterator<Item = &Item> {
        self.slots.iter().flatten()
    }

    /// All keys with their entities, in order.
    pub(in crate::mock) fn entries(&self) -> Vec<(&str, &Item)> {
        let mut slots: Vec<(u32, &str)> =
            self.slot_by_key.iter().map(|(key, slot)| (*slot, key.as_ref())).collect();
        slots.sort_unstable();
        slots.into_iter().filter_map(|(slot, key)| Some((key, self.at(slot)?))).collect()
    }

    /// A new id.
    pub(in crate::mock) fn new_id(&self) -> Value {
        match self.rule.id {
            IdKind::Integer => (self.greatest_integer + 1).into(),
            IdKind::Digits => (self.greatest_integer + 1).to_string().into(),
            IdKind::Uuid => random_uuid().into(),
        }
    }

    /// Whether an entity has these parents in a scope; `None` if it is missing.
    pub(in crate::mock) fn is_in_scope(
        &self,
        key: &str,
        number: usize,
        parents: &str,
    ) -> Option<bool> {
        let slot = *self.slot_by_key.get(key)? as usize;
        let column = self.columns.get(self.rule.filters.len() + number)?;
        Some(column[slot] == column::text_hash(parents))
    }

    /// The slots of the entities that satisfy all tests, in order.
    pub(in crate::mock) fn matching(&self, tests: &[Test]) -> Vec<u32> {
        let tests: Vec<Prepared<'_>> =
            tests.iter().map(|test| Prepared::of(test, &self.rule)).collect();
        let mut found = Vec::new();
        for (slot, item) in (0_u32..).zip(&self.slots) {
            if let Some(item) = item
                && tests.iter().all(|test| test.holds(self, slot, item))
            {
                found.push(slot);
            }
        }
        found
    }

    /// Adds or replaces an entity. A replaced one keeps its place, and its parents if none are
    /// given.
    pub(in crate::mock) fn put(&mut self, key: &str, entity: &Value, scopes: Option<Scopes>) {
        if let Some(number) = self.rule.id_of(entity).and_then(|id| id.parse::<u64>().ok()) {
            // The next id must be a number too.
            self.greatest_integer = self.greatest_integer.max(number.min(u64::MAX - 1));
        }
        let json = entity.to_string().into_bytes().into_boxed_slice();
        let scopes = scopes.filter(|scopes| scopes.iter().any(Option::is_some)).map(Box::new);
        let slot = match self.slot_by_key.get(key) {
            Some(&slot) => slot as usize,
            None => {
                let slot = self.slots.len();
                let Ok(short) = u32::try_from(slot) else { return };
                self.slot_by_key.insert(key.into(), short);
                self.slots.push(None);
                self.columns.iter_mut().for_each(|column| column.push(ABSENT));
                slot
            }
        };
        let (number, scopes) = match self.slots[slot].take() {
            Some(before) => (before.number, scopes.or(before.scopes)),
            None => {
                self.next_number += 1;
                (self.next_number, scopes)
            }
        };
        self.slots[slot] = Some(Item { json, number, scopes, valid_for: AtomicU64::new(0) });
        self.fill_columns(slot, entity);
    }

    fn fill_columns(&mut self, slot: usize, entity: &Value) {
        let Some(item) = &self.slots[slot] else { return };
        let filters = self.rule.filters.len();
        for (column, name) in self.columns.iter_mut().zip(&self.rule.filters) {
            column[slot] = column::value_hash(entity.get(name));
        }
        for (number, property) in self.rule.scopes.iter().enumerate() {
            let own = item.scopes().get(number).and_then(|scope| scope.as_deref());
            let named = || property.as_ref().and_then(|name| entity.get(name)).and_then(id_text);
            self.columns[filters + number][slot] = match own {
                Some(parents) => column::text_hash(parents),
                None => named().map_or(ABSENT, |parent| column::text_hash(&parent)),
            };
        }
    }

    /// Removes an entity; true if it was there.
    pub(super) fn delete(&mut self, key: &str) -> bool {
        let Some(slot) = self.slot_by_key.remove(key) else { return false };
        self.slots[slot as usize] = None;
        if self.slots.len() > 32 + 2 * self.slot_by_key.len() {
            self.close_gaps();
        }
        true
    }

    pub(super) fn clear(&mut self) {
        *self = Kind::new(self.rule.clone());
    }

    /// Sets another rule. The entities stay.
    pub(super) fn set_rule(&mut self, rule: KindRule) {
        if rule == self.rule {
            return;
        }
        let before = std::mem::replace(self, Kind::new(rule));
        let keys: HashMap<u32, Box<str>> =
            before.slot_by_key.into_iter().map(|(key, slot)| (slot, key)).collect();
        for (slot, item) in (0_u32..).zip(before.slots) {
            if let (Some(item), Some(key)) = (item, keys.get(&slot)) {
                let value = item.value();
                let scopes = item.scopes.map(|scopes| *scopes);
                // The old parents are valid only if the paths are the same.
                let scopes = scopes.filter(|scopes| scopes.len() == self.rule.scopes.len());
                let key = match self.rule.id_of(&value) {
                    Some(id) if !key.contains('\0') => id,
                    _ => key.to_string(),
                };
                self.put(&key, &value, scopes);
            }
        }
    }

    fn close_gaps(&mut self) {
        let mut new_slots = vec![u32::MAX; self.slots.len()];
        let mut next = 0_u32;
        for (slot, item) in self.slots.iter().enumerate() {
            if item.is_some() {
                new_slots[slot] = next;
                next += 1;
            }
        }
        for column in &mut self.columns {
            let mut slots = self.slots.iter();
            column.retain(|_| slots.next().is_some_and(Option::is_some));
        }
        self.slots.retain(Option::is_some);
        for slot in self.slot_by_key.values_mut() {
            *slot = new_slots[*slot as usize];
        }
    }
}

/// A test with the hashes of its values.
struct Prepared<'t> {
    column: Option<usize>,
    hashes: Vec<u64>,
    member: Option<(&'t str, &'t [String])>,
}

impl<'t> Prepared<'t> {
    fn of(test: &'t Test, rule: &KindRule) -> Prepared<'t> {
        match test {
            Test::Member(name, texts) => Prepared {
                column: rule.filters.iter().position(|known| known == name),
                hashes: texts.iter().flat_map(|text| column::text_hashes(text)).collect(),
                member: Some((name, texts)),
            },
            Test::Scope(number, parents) => Prepared {
                column: Some(rule.filters.len() + number),
                hashes: vec![column::text_hash(parents)],
                member: None,
            },
        }
    }

    fn holds(&self, kind: &Kind, slot: u32, item: &Item) -> bool {
        let column = self.column.and_then(|number| kind.columns.get(number));
        match (column.map(|column| column[slot as usize]), self.member) {
            (Some(COMPLEX) | None, Some((name, texts))) => {
                column::is_one_of(&item.members(&[name])[0], texts)
            }
            (Some(hash), _) => self.hashes.contains(&hash),
            (None, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind() -> Kind {
        let mut rule = KindRule::plain("Pet");
        rule.id = IdKind::Integer;
        rule.filters = vec!["status".to_owned()];
        rule.scopes = vec![Some("userId".to_owned())];
        Kind::new(rule)
    }

    fn ids(kind: &Kind, tests: &[Test]) -> Vec<u64> {
        let slots = kind.matching(tests);
        slots.iter().map(|slot| kind.at(*slot).unwrap().value()["id"].as_u64().unwrap()).collect()
    }

    #[test]
    fn entities_are_filtered_by_members_and_parents() {
        let mut kind = kind();
        for (id, status) in [(1, "sold"), (2, "free"), (3, "sold")] {
            kind.put(&id.to_string(), &json!({"id": id, "status": status, "n": [id]}), None);
        }
        kind.put("9", &json!({"id": 9, "userId": 4}), None);
        kind.put("8", &json!({"id": 8}), Some(vec![Some("4".into())]));
        let member = |name: &str, text: &str| Test::Member(name.to_owned(), vec![text.to_owned()]);
        assert_eq!(ids(&kind, &[]), [1, 2, 3, 9, 8]);
        assert_eq!(ids(&kind, &[member("status", "sold")]), [1, 3]);
        assert_eq!(ids(&kind, &[member("status", "sold"), member("n", "3")]), [3]);
        assert_eq!(ids(&kind, &[Test::Scope(0, "4".to_owned())]), [9, 8]);
        assert_eq!(kind.new_id(), 10);
        assert!(kind.delete("1") && !kind.delete("1"));
        kind.put("2", &json!({"id": 2, "status": "sold"}), None);
        assert_eq!(ids(&kind, &[member("status", "sold")]), [2, 3]);
    }

    #[test]
    fn gaps_are_closed() {
        let mut kind = kind();
        for id in 0..1000 {
            kind.put(&id.to_string(), &json!({"id": id, "status": id % 2}), None);
        }
        for id in 0..990 {
            assert!(kind.delete(&id.to_string()));
        }
        assert!(kind.slots.len() < 100);
        assert_eq!(ids(&kind, &[Test::Member("status".into(), vec!["1".into()])]).len(), 5);
        assert_eq!(kind.get("995").unwrap().value()["id"], 995);
        assert_eq!(kind.get("5").map(Item::number), None);
        assert_eq!(kind.items().count(), 10);
    }
}
