//! Copies a part of a schema set, so that a plan can check its output without the whole document.

use std::collections::HashMap;

use serde_json::Value;

use crate::schema::{Direction, Node, NodeId, SchemaSet};

/// Copies the schemas reachable from `roots` into `target`, and renumbers the roots.
///
/// The copy accepts what a plan writes on purpose: samples that violate their own schema, and
/// values that a discriminator assigns to one branch although others match too.
pub(super) fn copy(
    set: &SchemaSet,
    direction: Direction,
    target: &mut SchemaSet,
    known: &mut HashMap<NodeId, NodeId>,
    roots: &mut [NodeId],
) {
    let mut open = Vec::new();
    let mut renumber = |id: &mut NodeId, target: &mut SchemaSet, open: &mut Vec<_>| {
        let old = *id;
        *id = *known.entry(old).or_insert_with(|| {
            let new = push(target, set.node(old).clone());
            open.push((new, old));
            new
        });
    };
    for root in roots {
        renumber(root, target, &mut open);
    }
    while let Some((id, old)) = open.pop() {
        let mut node = std::mem::take(&mut target.nodes[id.0 as usize]);
        for_each_child(&mut node, |child| renumber(child, target, &mut open));
        if node.any_of.is_empty() && has_deciding_discriminator(set, set.node(old)) {
            node.any_of = std::mem::take(&mut node.one_of);
        }
        if let Some(sample) = wrong_sample(set, old, direction) {
            let (read_only, write_only) = (node.read_only, node.write_only);
            let pointer = node.pointer.clone();
            let sample = Node { enumeration: Some(vec![sample.clone()]), ..Node::default() };
            let any_of = vec![push(target, node), push(target, sample)];
            node = Node { pointer, any_of, read_only, write_only, ..Node::default() };
        }
        target.nodes[id.0 as usize] = node;
    }
}

fn push(target: &mut SchemaSet, node: Node) -> NodeId {
    target.nodes.push(node);
    NodeId(target.nodes.len() as u32 - 1)
}

/// True if a discriminator has a value for each branch of `oneOf`.
fn has_deciding_discriminator(set: &SchemaSet, node: &Node) -> bool {
    node.discriminator.as_ref().is_some_and(|discriminator| {
        node.one_of.iter().all(|branch| {
            let branch = set.target(*branch);
            discriminator.mapping.iter().any(|(_, id)| set.target(*id) == branch)
        })
    })
}

/// The sample of a schema that violates it.
fn wrong_sample(set: &SchemaSet, id: NodeId, direction: Direction) -> Option<&Value> {
    let node = set.node(id);
    let sample = node.example.as_ref().or(node.default.as_ref())?;
    (!sample.is_null() && !set.accepts(id, sample, direction)).then_some(sample)
}

fn for_each_child(node: &mut Node, mut visit: impl FnMut(&mut NodeId)) {
    let Node {
        reference,
        items,
        prefix_items,
        contains,
        properties,
        pattern_properties,
        additional_properties,
        property_names,
        unevaluated_properties,
        unevaluated_items,
        dependent_schemas,
        all_of,
        any_of,
        one_of,
        not,
        if_then_else,
        discriminator,
        content,
        ..
    } = node;
    let single = [
        reference,
        items,
        additional_properties,
        property_names,
        unevaluated_properties,
        unevaluated_items,
        not,
    ];
    single.into_iter().flatten().for_each(&mut visit);
    prefix_items.iter_mut().chain(all_of).chain(any_of).chain(one_of).for_each(&mut visit);
    properties.iter_mut().chain(dependent_schemas).for_each(|(_, id)| visit(id));
    pattern_properties.iter_mut().for_each(|(_, id)| visit(id));
    if let Some(contains) = contains {
        visit(&mut contains.schema);
    }
    if let Some((condition, then, otherwise)) = if_then_else {
        visit(condition);
        then.iter_mut().chain(otherwise).for_each(&mut visit);
    }
    content.iter_mut().filter_map(|content| content.schema.as_mut()).for_each(&mut visit);
    // It has had its effect on the branches.
    *discriminator = None;
}
