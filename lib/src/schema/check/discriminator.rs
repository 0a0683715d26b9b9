//! What the discriminator of a `oneOf` says about a value.

use serde_json::Value;

use crate::schema::node::{Discriminator, Node, NodeId, SchemaSet};

/// Maximum number of values of a discriminator that a message lists.
const MAX_NAMES: usize = 10;
/// Maximum nesting depth of combinations in which the values of a discriminator are searched for.
const MAX_LISTED_DEPTH: u32 = 4;

/// What a discriminator says about a value.
pub(super) enum Decision<'n> {
    Branch(NodeId),
    /// The value names no branch.
    Unknown(&'n Discriminator),
}

/// The branch that the discriminator selects, or `Unknown`; `None` if it does not decide.
pub(super) fn decision<'n>(set: &SchemaSet, node: &'n Node, value: &Value) -> Option<Decision<'n>> {
    if let Some(branch) = named_branch(node, value) {
        return Some(Decision::Branch(branch));
    }
    let discriminator = node.discriminator.as_ref()?;
    let property = discriminator.property.as_str();
    let found = value.get(property).filter(|found| found.is_string())?;
    // Some documents have no `mapping`, but list the values in `enum` or `const` of each branch.
    let mut lists = node.one_of.iter().filter(|branch| {
        let mut values = Vec::new();
        listed(set, **branch, property, 0, &mut values);
        values.contains(&found)
    });
    match (lists.next(), lists.next()) {
        (Some(branch), None) => Some(Decision::Branch(*branch)),
        (None, _) if discriminator.complete => Some(Decision::Unknown(discriminator)),
        _ => None,
    }
}

/// The values that name the branches of a `oneOf`, for a message.
pub(super) fn names_of_branches(
    set: &SchemaSet,
    node: &Node,
    discriminator: &Discriminator,
) -> String {
    let mut names: Vec<String> = Vec::new();
    for branch in &node.one_of {
        let mut values = Vec::new();
        listed(set, *branch, &discriminator.property, 0, &mut values);
        let target = set.target(*branch);
        let mapping = discriminator.mapping.iter();
        let mapped = mapping.filter(|(_, id)| set.target(*id) == target);
        match values.is_empty() {
            true => names.extend(mapped.map(|(name, _)| format!("{name:?}"))),
            false => names.extend(values.iter().map(|value| value.to_string())),
        }
    }
    names.dedup();
    if names.len() > MAX_NAMES {
        names.truncate(MAX_NAMES);
        names.push("...".to_owned());
    }
    names.join(", ")
}

/// Collects the values in `enum` or `const` of a property.
fn listed<'n>(
    set: &'n SchemaSet,
    schema: NodeId,
    property: &str,
    depth: u32,
    found: &mut Vec<&'n Value>,
) {
    let node = set.node(set.target(schema));
    if depth > MAX_LISTED_DEPTH {
        return;
    }
    let own = node.properties.iter().filter(|(name, _)| name == property);
    own.for_each(|(_, id)| listed_values(set, *id, depth, found));
    for part in node.all_of.iter().chain(&node.any_of).chain(&node.one_of) {
        listed(set, *part, property, depth + 1, found);
    }
}

/// Collects the values in `enum` or `const` of a schema.
fn listed_values<'n>(set: &'n SchemaSet, schema: NodeId, depth: u32, found: &mut Vec<&'n Value>) {
    let node = set.node(set.target(schema));
    found.extend(node.enumeration.iter().flatten());
    if depth < MAX_LISTED_DEPTH {
        for part in node.all_of.iter().chain(&node.any_of).chain(&node.one_of) {
            listed_values(set, *part, depth + 1, found);
        }
    }
}

/// The branch that a discriminator selects by the value of its property.
pub(super) fn named_branch(node: &Node, value: &Value) -> Option<NodeId> {
    let discriminator = node.discriminator.as_ref()?;
    if !value.is_object() {
        return None;
    }
    let name = value.get(&discriminator.property).and_then(Value::as_str);
    name.and_then(|name| discriminator.branch(name)).or(discriminator.fallback)
}
