//! Follows the references of schemas.

use crate::schema::{NodeId, SchemaSet};

/// The target of references.
pub(in crate::mock) fn target(schemas: &SchemaSet, mut id: NodeId) -> NodeId {
    for _ in 0..64 {
        let node = schemas.node(id);
        // `allOf` of one schema is how 3.0 adds a description to a reference.
        let only = match node.all_of.as_slice() {
            [only] if node.properties.is_empty() && node.required.is_empty() => Some(*only),
            _ => None,
        };
        match node.reference.or(only) {
            Some(next) => id = next,
            None => break,
        }
    }
    id
}
