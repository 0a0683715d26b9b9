//! What a schema says about values of the request within an answer.

use std::collections::HashSet;

use serde_json::Value;

use crate::schema::{NodeId, SchemaSet, Types};

/// True for an integer that is too large to be kept with all its digits.
pub(super) fn is_inexact(schemas: &SchemaSet, property: NodeId, value: &Value) -> bool {
    value.is_f64() && !schemas.types(property).has(Types::NUMBER)
}

/// Removes what only requests or only the server have from a value that was sent.
pub(super) fn hide(schemas: &SchemaSet, schema: NodeId, value: &mut Value) {
    match value {
        Value::Object(members) => members.retain(|name, member| {
            let Some(property) = schemas.property(schema, name) else { return true };
            hide(schemas, property, member);
            !one_way(schemas, property)
        }),
        Value::Array(items) => {
            if let Some(item) = schemas.item(schema) {
                items.iter_mut().for_each(|value| hide(schemas, item, value));
            }
        }
        _ => {}
    }
}

/// True for a property that is `readOnly` or `writeOnly`.
pub(super) fn one_way(schemas: &SchemaSet, mut property: NodeId) -> bool {
    for _ in 0..16 {
        let node = schemas.node(property);
        if node.read_only || node.write_only {
            return true;
        }
        match node.reference {
            Some(target) => property = target,
            None => return false,
        }
    }
    false
}

/// True if an object or list is valid whenever all its declared parts are valid, whichever optional
/// parts it has.
pub(super) fn is_plain(schemas: &SchemaSet, schema: NodeId, depth: u32) -> bool {
    let node = schemas.node(schema);
    if let Some(target) = node.reference {
        return depth < 16 && is_plain(schemas, target, depth + 1);
    }
    node.enumeration.is_none()
        && node.any_of.is_empty()
        && node.one_of.is_empty()
        && node.not.is_none()
        && node.if_then_else.is_none()
        && node.dependent_required.is_empty()
        && node.dependent_schemas.is_empty()
        && node.pattern_properties.is_empty()
        && node.property_names.is_none()
        && node.unevaluated_properties.is_none()
        && node.unevaluated_items.is_none()
        && node.max_properties.is_none()
        && node.prefix_items.is_empty()
        && node.contains.is_none()
        && !node.unique_items
        && node.all_of.iter().all(|part| {
            // A part that does not accept other properties rejects those of its siblings.
            depth < 16
                && schemas.rest(*part).is_none()
                && is_plain(schemas, *part, depth + 1)
        })
        // If two parts declare a property, only one of the schemas would be checked.
        && (node.all_of.len() + usize::from(!node.properties.is_empty()) < 2
            || each_declared_once(schemas, schema))
}

fn each_declared_once(schemas: &SchemaSet, schema: NodeId) -> bool {
    let mut known = HashSet::new();
    let mut open = vec![(schema, 0)];
    while let Some((id, depth)) = open.pop() {
        let node = schemas.node(id);
        if depth > 16 || !node.properties.iter().all(|(name, _)| known.insert(name.as_str())) {
            return false;
        }
        open.extend(node.reference.iter().chain(&node.all_of).map(|id| (*id, depth + 1)));
    }
    true
}
