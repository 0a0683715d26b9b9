//! Samples: the values that people write in a schema. Composed values contain them instead of
//! random ones.

use serde_json::Value;

use super::compile::Compiler;
use super::conjunction::{Flat, Key};
use crate::schema::{Node, NodeId};

/// Maximum number of described violations by examples.
const MAX_FAULTS: usize = 1_000;

/// The sample for a conjunction: the first `example`, or else `const`, `default`, or the first
/// value of `enum`. `None` if there is none, or if it describes only a part of the conjunction.
pub(super) fn of<'s>(compiler: &Compiler<'s>, key: &Key, flat: &Flat<'s>) -> Option<&'s Value> {
    if !key.only.is_empty() {
        return None;
    }
    // Discriminators and denied schemas restrict more than the schema itself.
    let restricted = !key.denied.is_empty() || !flat.tags.is_empty();
    let chosen = |value: &Value| {
        let tagged = flat.tags.iter().all(|(name, values)| {
            values.is_empty()
                || value
                    .get(name)
                    .and_then(Value::as_str)
                    .is_some_and(|t| values.iter().any(|v| v == t))
        });
        tagged && !key.denied.iter().any(|id| compiler.accepts(*id, value))
    };
    let whole = |node: &Node| {
        key.atoms.iter().any(|atom| std::ptr::eq(compiler.node(compiler.set.target(atom.id)), node))
            && key.atoms.len() == 1
    };
    let accepted = |value: &Value| key.atoms.iter().all(|atom| compiler.accepts(atom.id, value));
    let single = flat.nodes.len() == 1;
    let written = |value: &&'s Value, node: &Node| {
        // An example of one part of an `allOf` lacks the properties of the others.
        if !restricted && (single || whole(node)) {
            !value.is_null() || accepted(value)
        } else {
            accepted(value) && chosen(value)
        }
    };
    let find = |of: fn(&'s Node) -> Option<&'s Value>| {
        flat.all().find_map(|node| of(node).filter(|value| written(value, node)))
    };
    find(|node| node.example.as_ref())
        .or_else(|| find(|node| only(node.enumeration.as_deref())))
        .or_else(|| find(|node| node.default.as_ref()))
        .or_else(|| {
            let values = flat.all().find_map(|node| node.enumeration.as_ref())?;
            values.iter().find(|value| !value.is_null() && accepted(value) && chosen(value))
        })
}

/// A `const`, which is compiled to an `enum` with one value.
fn only(values: Option<&[Value]>) -> Option<&Value> {
    match values {
        Some([only]) => Some(only),
        _ => None,
    }
}

/// The sample of a property that several parts of an object describe, the overriding part first.
/// `None` if there is only one, or if the parts contradict each other.
pub(super) fn overriding<'s>(compiler: &Compiler<'s>, schemas: &[NodeId]) -> Option<&'s Value> {
    let nodes = || schemas.iter().map(|id| compiler.node(compiler.set.target(*id)));
    if schemas.len() < 2 {
        return None;
    }
    let sample = nodes()
        .find_map(|node| node.example.as_ref())
        .or_else(|| nodes().find_map(|node| node.default.as_ref()))?;
    schemas.iter().all(|id| compiler.accepts(*id, sample)).then_some(sample)
}

/// The example of a property in an example of its object. It is used if the property has none
/// itself.
pub(super) fn of_member<'s>(flat: &Flat<'s>, name: &str) -> Option<&'s Value> {
    if flat.nodes.len() == 1 {
        // The sample is that of the whole object.
        return None;
    }
    let examples = flat.all().filter_map(|node| node.example.as_ref());
    examples.filter_map(|example| example.get(name)).find(|value| !value.is_null())
}

/// Reports examples and defaults that violate their schemas, as `POINTER/example: MESSAGE`.
/// Composed values contain them unchanged.
pub(super) fn faults(compiler: &Compiler<'_>, nodes: impl Iterator<Item = NodeId>) -> Vec<String> {
    let mut faults = Vec::new();
    for id in nodes {
        let node = compiler.node(id);
        let (keyword, sample) = match (&node.example, &node.default) {
            (Some(example), _) => ("example", example),
            // A `null` that the schema does not allow is not used.
            (None, Some(default)) if !default.is_null() => ("default", default),
            _ => continue,
        };
        if faults.len() < MAX_FAULTS
            && let Some(problem) = compiler.problem(id, sample)
        {
            faults.push(format!("{}/{keyword}: {problem}", node.pointer));
        }
    }
    faults
}
