//! Not-found responses: they belong to the operation that matches their path, and otherwise make no
//! path.

use std::borrow::Cow;

use super::template::{TemplateNode, VALUE};
use crate::infer::Limits;
use crate::infer::sketch::Merge as _;
use crate::infer::state::{Class, TrieNode};

/// Adds not-found responses to the matching operations of a tree. Like a request, such a response
/// belongs to a parameter if no name has an operation for it. Returns what remains.
pub(crate) fn attach_not_found(
    place: &mut TemplateNode,
    not_found: TrieNode,
    limits: &Limits,
) -> TrieNode {
    let TrieNode { kids, operations, plain, slashed, n, segments, more } = not_found;
    let mut left = TrieNode { n, segments, more, ..TrieNode::default() };
    let mut matched = false;
    for (method, not_found) in operations {
        if let Some(operation) = place.operations.get_mut(&method) {
            operation.merge(*not_found, limits);
            matched = true;
        } else {
            left.operations.insert(method, not_found);
        }
    }
    if matched {
        place.plain = place.plain.saturating_add(plain);
        place.slashed = place.slashed.saturating_add(slashed);
    }
    (left.plain, left.slashed) = (plain, slashed);
    for (class, mut kids) in kids {
        if !class.is_id() {
            // The rest may contain responses for names that were not kept.
            let hidden = place.literals.iter_mut().filter(|(name, _)| kids.may_be_in_rest(name));
            if let Some(rest) = kids.rest() {
                for (_, below) in hidden {
                    attach_not_found(below, rest.clone(), limits);
                }
            }
        }
        kids.transform(|key, node| {
            let node = if class.is_id() {
                attach_single(place, key, node, limits)
            } else {
                match place.literals.get_mut(key) {
                    Some(below) => attach_not_found(below, node, limits),
                    None => node,
                }
            };
            let pattern = match class {
                Class::Keyed => Cow::Borrowed(key),
                class if class.is_id() => Cow::Owned(format!("{VALUE}{key}")),
                _ => Cow::Borrowed(VALUE),
            };
            let known = place.parameters.contains_key(pattern.as_ref());
            match place.parameters.get_mut(if known { pattern.as_ref() } else { VALUE }) {
                // Values that were not found do not show which values are valid.
                Some(slot) => attach_not_found(&mut slot.place, node, limits),
                None => node,
            }
        });
        left.kids.insert(class, kids);
    }
    left
}

/// An identifier that is a name here (`/2010-04-01/…`) was a single value.
fn attach_single(
    place: &mut TemplateNode,
    suffix: &str,
    node: TrieNode,
    limits: &Limits,
) -> TrieNode {
    let Some(values) = node.segments.values().exact() else { return node };
    let names: Vec<String> = values.keys().map(|value| format!("{value}{suffix}")).collect();
    for name in &names {
        if let Some(below) = place.literals.get_mut(name) {
            let left = attach_not_found(below, node.clone(), limits);
            if names.len() == 1 {
                return left;
            }
        }
    }
    node
}
