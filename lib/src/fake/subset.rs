//! Copies a part of a schema set, so that a plan can check its output without the whole document.

use std::collections::HashMap;

use crate::schema::{Node, NodeId, SchemaSet};

/// Copies the schemas reachable from `roots` into `target`, and renumbers the roots.
pub(super) fn copy(
    set: &SchemaSet,
    target: &mut SchemaSet,
    known: &mut HashMap<NodeId, NodeId>,
    roots: &mut [NodeId],
) {
    let mut open = Vec::new();
    let mut renumber = |id: &mut NodeId, target: &mut SchemaSet, open: &mut Vec<NodeId>| {
        let old = *id;
        *id = *known.entry(old).or_insert_with(|| {
            open.push(NodeId(target.nodes.len() as u32));
            target.nodes.push(set.node(old).clone());
            NodeId(target.nodes.len() as u32 - 1)
        });
    };
    for root in roots {
        renumber(root, target, &mut open);
    }
    while let Some(id) = open.pop() {
        let mut node = std::mem::take(&mut target.nodes[id.0 as usize]);
        for_each_child(&mut node, |child| renumber(child, target, &mut open));
        target.nodes[id.0 as usize] = node;
    }
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
    // Checks do not follow the discriminator.
    *discriminator = None;
}
