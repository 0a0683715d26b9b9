//! Makes a value invalid for a denied schema: values of overlapping branches of `oneOf` must match
//! one of them only.

use super::compile::Compiler;
use super::conjunction::ALL_TYPES;
use crate::schema::{Node, NodeId, Types};

/// Levels of the value below which no difference is searched.
const MAX_DEPTH: u32 = 4;

/// One change that makes a value invalid for the denied schema and leaves it valid otherwise.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Contrary<'s> {
    /// The property, which the denied schema requires, is absent.
    Absent(&'s str),
    /// The property, which the denied schema does not allow, is present.
    Present(&'s str),
    /// The property is present, and violates this schema.
    Property(&'s str, NodeId),
    /// All items violate this schema.
    Items(NodeId),
}

impl<'s> Compiler<'s> {
    /// The least strange change of values of `own`, a conjunction of schemas without references, if
    /// one is necessary and known.
    pub(super) fn contrary(
        &self,
        own: &[&'s Node],
        required: &[&'s str],
        denied: NodeId,
        depth: u32,
    ) -> Option<Contrary<'s>> {
        let denied = self.in_order([denied].into_iter());
        let declared = |name: &str| own.iter().any(|node| has(node, name));
        let needed = || denied.iter().flat_map(|node| &node.required).map(String::as_str);
        // What is neither declared nor required is usually absent.
        if needed().any(|name| !declared(name) && !required.contains(&name)) {
            return None;
        }
        if let Some(name) = needed().rfind(|name| !required.contains(name)) {
            return Some(Contrary::Absent(name));
        }
        let closed = denied.iter().find(|node| {
            node.pattern_properties.is_empty() && self.refuses_others(node.additional_properties)
        });
        if let Some(closed) = closed {
            let surplus = |name: &&str| !has(closed, name);
            if required.iter().any(&surplus) {
                return None;
            }
            let names = own.iter().flat_map(|node| &node.properties).map(|(n, _)| n.as_str());
            if let Some(name) = { names }.find(surplus) {
                return Some(Contrary::Present(name));
            }
        }
        self.contrary_property(own, &denied, depth).or_else(|| {
            let items = |nodes: &[&Node]| -> Vec<NodeId> {
                nodes.iter().filter_map(|node| node.items).collect()
            };
            let own = items(own);
            let found = items(&denied).into_iter().find(|id| self.may_violate(&own, *id, depth));
            found.map(Contrary::Items)
        })
    }

    fn contrary_property(
        &self,
        own: &[&'s Node],
        denied: &[&'s Node],
        depth: u32,
    ) -> Option<Contrary<'s>> {
        let open = own.iter().all(|node| {
            !self.refuses_others(node.additional_properties)
                && !self.refuses_others(node.unevaluated_properties)
        });
        let properties = || {
            denied.iter().flat_map(|node| &node.properties).map(|(name, id)| (name.as_str(), *id))
        };
        let is_declared = |name: &str| own.iter().any(|node| has(node, name));
        let undeclared = |name: &str, id: NodeId| {
            open && !is_declared(name) && self.set.types(id).0 != ALL_TYPES
        };
        // A text is the least strange wrong value.
        let takes_text = |id: NodeId| self.set.types(id).has(Types::STRING);
        let found = properties()
            .find(|(name, id)| undeclared(name, *id) && !takes_text(*id))
            .or_else(|| {
                properties().find(|(name, id)| {
                    let schemas: Vec<NodeId> = own
                        .iter()
                        .flat_map(|node| &node.properties)
                        .filter(|(key, _)| key == name)
                        .map(|(_, id)| *id)
                        .collect();
                    !schemas.is_empty() && self.may_violate(&schemas, *id, depth)
                })
            })
            .or_else(|| properties().find(|(name, id)| undeclared(name, *id)));
        found.map(|(name, id)| Contrary::Property(name, id))
    }

    /// True if a value of all of `own` may violate `denied`.
    fn may_violate(&self, own: &[NodeId], denied: NodeId, depth: u32) -> bool {
        let target = self.set.target(denied);
        if depth >= MAX_DEPTH || own.iter().any(|id| self.set.target(*id) == target) {
            return false;
        }
        let allowed = own.iter().fold(ALL_TYPES, |types, id| types & self.set.types(*id).0);
        if allowed & !self.set.types(denied).0 != 0 {
            return true;
        }
        let (own, parts) =
            (self.in_order(own.iter().copied()), self.in_order([denied].into_iter()));
        let limits = |node: &&Node| {
            node.enumeration.is_some()
                || node.pattern.is_some()
                || node.format.is_some()
                || node.min_length.is_some()
                || node.max_length.is_some()
                || node.minimum.is_some()
                || node.maximum.is_some()
                || node.multiple_of.is_some()
        };
        let required: Vec<&str> =
            own.iter().flat_map(|node| &node.required).map(String::as_str).collect();
        parts.iter().any(limits) || self.contrary(&own, &required, denied, depth + 1).is_some()
    }

    fn refuses_others(&self, schema: Option<NodeId>) -> bool {
        schema.is_some_and(|id| self.node(self.set.target(id)).never)
    }
}

fn has(node: &Node, name: &str) -> bool {
    node.properties.iter().any(|(key, _)| key == name)
}
