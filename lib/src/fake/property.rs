//! The schemas of a property in a conjunction.

use serde_json::Value;

use super::compile::Compiler;
use super::conjunction::Flat;
use crate::schema::{Direction, Node, NodeId, Pattern};

/// The schemas for a property with this name, in one schema.
pub(super) fn schemas_of(node: &Node, name: &str) -> Vec<NodeId> {
    let own = node.properties.iter().filter(|(key, _)| key == name).map(|(_, id)| *id);
    let matching = node
        .pattern_properties
        .iter()
        .filter(|(pattern, _)| pattern.accepts(name))
        .map(|(_, id)| *id);
    let found: Vec<NodeId> = own.chain(matching).collect();
    if found.is_empty() { node.additional_properties.into_iter().collect() } else { found }
}

pub(super) fn allowed_name(compiler: &Compiler<'_>, flat: &Flat<'_>, name: &str) -> bool {
    flat.all()
        .filter_map(|node| node.property_names)
        .all(|id| compiler.set.accepts(id, &Value::from(name), compiler.direction))
}

/// True if the property is omitted in this direction. A required property stays, unless the check
/// excuses it, which needs a schema that both requires and declares it.
pub(super) fn hidden(compiler: &Compiler<'_>, flat: &Flat<'_>, name: &str) -> bool {
    let one_way = |id: NodeId| {
        let mut node = compiler.node(id);
        for _ in 0..16 {
            let Some(target) = node.reference else { break };
            node = compiler.node(target);
        }
        match compiler.direction {
            Direction::Request => node.read_only,
            Direction::Response => node.write_only,
        }
    };
    let own = |node: &Node| {
        node.properties.iter().filter(|(key, _)| key == name).any(|(_, id)| one_way(*id))
    };
    flat.all().any(own)
        && flat.all().filter(|node| node.required.iter().any(|key| key == name)).all(own)
}

pub(super) fn patterns(flat: &Flat<'_>) -> Vec<Pattern> {
    let patterns = flat.all().flat_map(|node| &node.pattern_properties);
    patterns.filter(|(pattern, _)| pattern.is_checked()).map(|(p, _)| p.clone()).collect()
}
