//! `unevaluatedProperties` and `unevaluatedItems`: checks what no other keyword of a schema
//! evaluates, including its combinations and references (JSON Schema 2020-12, core, section 11).

use std::collections::HashSet;

use serde_json::Value;

use super::place::At;
use super::walk::{Check, MAX_HOPS};
use crate::schema::node::{Node, NodeId};

/// Evaluated properties, or indices of items.
#[derive(Default)]
pub(super) struct Looked<'v> {
    all: bool,
    names: HashSet<&'v str>,
    /// This many items from the start, and these other indices.
    first: usize,
    items: HashSet<usize>,
}

impl Check<'_> {
    /// Checks the part of a value that the rest of `node` does not evaluate.
    pub(super) fn unevaluated(
        &mut self,
        node: &Node,
        value: &Value,
        at: &At<'_>,
        hops: u32,
    ) -> bool {
        let mut valid = true;
        match value {
            Value::Object(map) => {
                let Some(schema) = node.unevaluated_properties else { return true };
                let mut looked = Looked::default();
                self.look(node, value, &mut looked, hops);
                for (name, child) in map.iter().filter(|_| !looked.all) {
                    if !looked.names.contains(name.as_str()) {
                        valid &= self.value(schema, child, &At::Member(at, name), 0);
                    }
                }
            }
            Value::Array(items) => {
                let Some(schema) = node.unevaluated_items else { return true };
                let mut looked = Looked::default();
                self.look(node, value, &mut looked, hops);
                for (index, child) in items.iter().enumerate().filter(|_| !looked.all) {
                    if index >= looked.first && !looked.items.contains(&index) {
                        valid &= self.value(schema, child, &At::Index(at, index), 0);
                    }
                }
            }
            _ => {}
        }
        valid
    }

    /// Notes the parts of a value that an accepting schema evaluates, without its own
    /// `unevaluated…` keywords.
    fn look<'v>(&mut self, node: &Node, value: &'v Value, looked: &mut Looked<'v>, hops: u32) {
        if hops > MAX_HOPS {
            return;
        }
        match value {
            Value::Object(map) => {
                looked.all |= node.additional_properties.is_some();
                let known = |name: &str| {
                    node.properties.iter().any(|(key, _)| key == name)
                        || node.pattern_properties.iter().any(|(p, _)| p.accepts(name))
                };
                looked.names.extend(map.keys().map(String::as_str).filter(|name| known(name)));
                for (name, schema) in &node.dependent_schemas {
                    if map.contains_key(name) {
                        self.look_into(*schema, value, looked, hops);
                    }
                }
            }
            Value::Array(items) => {
                looked.all |= node.items.is_some();
                looked.first = looked.first.max(node.prefix_items.len());
                if let Some(contains) = &node.contains {
                    for (index, item) in items.iter().enumerate() {
                        if self.fits(contains.schema, item, 0) {
                            looked.items.insert(index);
                        }
                    }
                }
            }
            _ => return,
        }
        for branch in &node.all_of {
            self.look_into(*branch, value, looked, hops);
        }
        for branch in node.any_of.iter().chain(&node.one_of) {
            if self.fits(*branch, value, hops + 1) {
                self.look_into(*branch, value, looked, hops);
            }
        }
        if let Some((condition, then, otherwise)) = node.if_then_else {
            let holds = self.fits(condition, value, hops + 1);
            let parts = if holds { [Some(condition), then] } else { [otherwise, None] };
            for part in parts.into_iter().flatten() {
                self.look_into(part, value, looked, hops);
            }
        }
    }

    fn look_into<'v>(&mut self, id: NodeId, value: &'v Value, looked: &mut Looked<'v>, hops: u32) {
        let set = self.set;
        let mut node = set.node(id);
        for _ in 0..MAX_HOPS {
            let Some(target) = node.reference else { break };
            node = set.node(target);
        }
        self.look(node, value, looked, hops + 1);
        // A nested schema with the keyword evaluates everything.
        looked.all |= match value {
            Value::Object(_) => node.unevaluated_properties.is_some(),
            _ => node.unevaluated_items.is_some(),
        };
    }
}
