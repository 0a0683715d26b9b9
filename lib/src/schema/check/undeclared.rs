//! Properties that a schema allows but does not declare, with its references and combinations
//! followed.

use serde_json::{Map, Value};

use super::containers::Declared;
use super::discriminator::named_branch;
use super::place::At;
use super::walk::{Check, Evidence, MAX_HOPS, MAX_STEPS, UNDECLARED};
use crate::schema::node::{Node, NodeId};

impl<'s> Check<'s> {
    /// Reports the properties of a value, and of the values in it, that none of the schemas
    /// declares. A schema without properties, or with a schema for additional ones, is open.
    pub(super) fn undeclared(&mut self, ids: &[NodeId], value: &Value, at: &At<'_>) {
        if !matches!(value, Value::Object(_) | Value::Array(_)) {
            return;
        }
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return;
        }
        let mut nodes = Vec::new();
        for id in ids {
            self.expand(*id, value, &mut nodes, 0);
        }
        match value {
            Value::Object(map) => self.members(&nodes, map, at),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let schema =
                        |node: &&Node| node.prefix_items.get(index).copied().or(node.items);
                    let schemas: Vec<NodeId> = nodes.iter().filter_map(schema).collect();
                    self.undeclared(&schemas, item, &At::Index(at, index));
                }
            }
            _ => {}
        }
    }

    fn members(&mut self, nodes: &[&'s Node], map: &Map<String, Value>, at: &At<'_>) {
        let declaring = nodes.iter().find(|node| !node.properties.is_empty()).copied();
        let tables: Vec<Declared<'_>> =
            nodes.iter().map(|node| Declared::new(&node.properties, map.len())).collect();
        for (name, child) in map {
            let mut schemas = Vec::new();
            let (mut named, mut known) = (false, false);
            for (node, table) in nodes.iter().zip(&tables) {
                let mut own = false;
                if let Some(schema) = table.get(name) {
                    (own, named) = (true, true);
                    schemas.push(schema);
                }
                for (pattern, schema) in &node.pattern_properties {
                    if pattern.accepts(name) {
                        own = true;
                        schemas.push(*schema);
                    }
                }
                let rest = node.additional_properties.or(node.unevaluated_properties);
                if let Some(schema) = rest.filter(|_| !own) {
                    own = true;
                    schemas.push(schema);
                }
                known |= own;
            }
            let inner = if named { At::Key(at, name) } else { At::Member(at, name) };
            if let Some(node) = declaring.filter(|_| !known) {
                let why = || "is not in the spec".to_owned();
                self.problem(&inner, node, UNDECLARED, Evidence::Name(name), why);
            }
            self.undeclared(&schemas, child, &inner);
        }
    }

    /// Collects the schemas that apply to a value: the schema, its references, and the branches
    /// that the value matches.
    fn expand(&mut self, id: NodeId, value: &Value, nodes: &mut Vec<&'s Node>, hops: u32) {
        let set = self.set;
        let node = set.node(id);
        if hops > MAX_HOPS || nodes.iter().any(|known| std::ptr::eq(*known, node)) {
            return;
        }
        if let Some(target) = node.reference {
            return self.expand(target, value, nodes, hops + 1);
        }
        nodes.push(node);
        for branch in &node.all_of {
            self.expand(*branch, value, nodes, hops + 1);
        }
        for branches in [&node.any_of, &node.one_of] {
            if let Some(branch) = named_branch(node, value).filter(|id| branches.contains(id)) {
                self.expand(branch, value, nodes, hops + 1);
                continue;
            }
            let fit: Vec<NodeId> =
                branches.iter().copied().filter(|id| self.fits(*id, value, hops + 1)).collect();
            // If no branch matches, that is reported as a problem of its own.
            for branch in if fit.is_empty() { branches } else { &fit } {
                self.expand(*branch, value, nodes, hops + 1);
            }
        }
        if let Some((condition, then, otherwise)) = node.if_then_else {
            let holds = self.fits(condition, value, hops + 1);
            let parts = if holds { [Some(condition), then] } else { [otherwise, None] };
            for part in parts.into_iter().flatten() {
                self.expand(part, value, nodes, hops + 1);
            }
        }
        if let Value::Object(map) = value {
            for (name, schema) in &node.dependent_schemas {
                if map.contains_key(name) {
                    self.expand(*schema, value, nodes, hops + 1);
                }
            }
        }
    }
}
