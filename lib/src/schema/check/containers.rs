//! Checks arrays and objects.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::place::At;
use super::problem::Direction;
use super::walk::{Check, Evidence};
use crate::schema::node::{Node, NodeId};
use crate::schema::number::{canonical, equal};

impl Check<'_> {
    pub(super) fn array(&mut self, node: &Node, items: &[Value], at: &At<'_>) -> bool {
        let mut valid = true;
        let length = items.len() as u64;
        if let Some(min) = node.min_items.filter(|min| length < *min) {
            valid = self.problem(at, node, "minItems", Evidence::None, || {
                format!("has fewer than {min} items")
            });
        }
        if let Some(max) = node.max_items.filter(|max| length > *max) {
            valid = self.problem(at, node, "maxItems", Evidence::None, || {
                format!("has more than {max} items")
            });
        }
        if node.unique_items && !all_different(items) {
            valid = self.problem(at, node, "uniqueItems", Evidence::None, || {
                "has duplicate items".to_owned()
            });
        }
        for (index, item) in items.iter().enumerate() {
            if self.done(valid) {
                return false;
            }
            let schema = node.prefix_items.get(index).copied().or(node.items);
            if let Some(schema) = schema {
                valid &= self.value(schema, item, &At::Index(at, index), 0);
            }
        }
        if let Some(contains) = &node.contains {
            let count =
                items.iter().filter(|item| self.fits(contains.schema, item, 0)).count() as u64;
            if count < contains.min || contains.max.is_some_and(|max| count > max) {
                valid = self.problem(at, node, "contains", Evidence::None, || {
                    format!("has {count} items that match contains")
                });
            }
        }
        valid
    }

    pub(super) fn object(
        &mut self,
        node: &Node,
        map: &Map<String, Value>,
        value: &Value,
        at: &At<'_>,
    ) -> bool {
        let mut valid = true;
        for name in &node.required {
            if !map.contains_key(name) && !self.excused(node, name) {
                let why = || format!("lacks the required property {name:?}");
                valid = self.problem(at, node, "required", Evidence::Name(name), why);
            }
        }
        let length = map.len() as u64;
        if let Some(min) = node.min_properties.filter(|min| length < *min) {
            valid = self.problem(at, node, "minProperties", Evidence::None, || {
                format!("has fewer than {min} properties")
            });
        }
        if let Some(max) = node.max_properties.filter(|max| length > *max) {
            valid = self.problem(at, node, "maxProperties", Evidence::None, || {
                format!("has more than {max} properties")
            });
        }
        for (name, needs) in &node.dependent_required {
            if map.contains_key(name)
                && let Some(missing) = needs.iter().find(|need| !map.contains_key(*need))
            {
                valid = self.problem(at, node, "dependentRequired", Evidence::None, || {
                    format!("has {name:?}, so {missing:?} is required")
                });
            }
        }
        for (name, schema) in &node.dependent_schemas {
            if map.contains_key(name) {
                valid &= self.value(*schema, value, at, 1);
            }
        }
        let declared = Declared::new(&node.properties, map.len());
        for (name, child) in map {
            if self.done(valid) {
                return false;
            }
            let mut inner = At::Member(at, name);
            let mut known = false;
            if let Some(schema) = declared.get(name) {
                inner = At::Key(at, name);
                known = true;
                valid &= self.value(schema, child, &inner, 0);
            }
            for (pattern, schema) in &node.pattern_properties {
                if pattern.accepts(name) {
                    known = true;
                    valid &= self.value(*schema, child, &inner, 0);
                }
            }
            if let Some(schema) = node.additional_properties.filter(|_| !known) {
                valid &= self.value(schema, child, &inner, 0);
            }
            if let Some(schema) = node.property_names
                && !self.fits(schema, &Value::String(name.clone()), 0)
            {
                let why = || "is not an allowed name".to_owned();
                valid = self.problem(&inner, node, "propertyNames", Evidence::None, why);
            }
        }
        valid
    }

    /// True if a required property may be absent in this direction.
    fn excused(&self, node: &Node, name: &str) -> bool {
        let Some((_, schema)) = node.properties.iter().find(|(key, _)| key == name) else {
            return false;
        };
        let mut property = self.set.node(*schema);
        for _ in 0..16 {
            let Some(target) = property.reference else { break };
            property = self.set.node(target);
        }
        match self.direction {
            Direction::Request => property.read_only,
            Direction::Response => property.write_only,
        }
    }
}

/// Properties by name: a map if a linear search for many names would be quadratic.
pub(super) enum Declared<'n> {
    Few(&'n [(String, NodeId)]),
    Many(HashMap<&'n str, NodeId>),
}

impl<'n> Declared<'n> {
    /// `names` is how many names are looked up.
    pub(super) fn new(properties: &'n [(String, NodeId)], names: usize) -> Self {
        if properties.len() <= 32 || names <= 16 {
            Declared::Few(properties)
        } else {
            Declared::Many(properties.iter().map(|(name, id)| (name.as_str(), *id)).collect())
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<NodeId> {
        match self {
            Declared::Few(list) => list.iter().find(|(key, _)| key == name).map(|(_, id)| *id),
            Declared::Many(map) => map.get(name).copied(),
        }
    }
}

fn all_different(items: &[Value]) -> bool {
    if items.len() <= 8 {
        return items.iter().enumerate().all(|(i, a)| !items[..i].iter().any(|b| equal(a, b)));
    }
    let mut seen = HashSet::with_capacity(items.len());
    items.iter().all(|item| {
        let mut text = String::new();
        canonical(item, &mut text);
        seen.insert(text)
    })
}
