//! Answers that say "no such thing": they belong to the operation that their path matches, and else make no path.

use std::borrow::Cow;

use super::template::{Place, VALUE};
use crate::infer::Limits;
use crate::infer::sketch::Merge as _;
use crate::infer::state::{Class, Node};

/// Adds the ghosts to the operations of a tree that they match. As a request goes to a parameter where no name has an
/// operation for it, so do ghosts: what is left over here is the result.
pub(super) fn haunt(place: &mut Place, ghosts: Node, limits: &Limits) -> Node {
    let Node { kids, operations, plain, slashed, n, segments, more } = ghosts;
    let mut left = Node { n, segments, more, ..Node::default() };
    let mut matched = false;
    for (method, ghost) in operations {
        if let Some(operation) = place.operations.get_mut(&method) {
            operation.merge(*ghost, limits);
            matched = true;
        } else {
            left.operations.insert(method, ghost);
        }
    }
    if matched {
        place.plain = place.plain.saturating_add(plain);
        place.slashed = place.slashed.saturating_add(slashed);
    }
    (left.plain, left.slashed) = (plain, slashed);
    for (class, mut kids) in kids {
        if !class.is_id() {
            // A name that the ghosts do not keep may be among their rest, so the rest may belong to it.
            let hidden = place.literals.iter_mut().filter(|(name, _)| kids.may_be_in_rest(name));
            if let Some(rest) = kids.rest() {
                for (_, below) in hidden {
                    haunt(below, rest.clone(), limits);
                }
            }
        }
        kids.transform(|key, node| {
            let node = if class.is_id() {
                haunt_single(place, key, node, limits)
            } else {
                match place.literals.get_mut(key) {
                    Some(below) => haunt(below, node, limits),
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
                // What was asked for and not there says nothing of the values that are.
                Some(slot) => haunt(&mut slot.place, node, limits),
                None => node,
            }
        });
        left.kids.insert(class, kids);
    }
    left
}

/// An identifier that is a name here (`/2010-04-01/…`) was a single value.
fn haunt_single(place: &mut Place, suffix: &str, node: Node, limits: &Limits) -> Node {
    let Some(values) = node.segments.values().exact() else { return node };
    let names: Vec<String> = values.keys().map(|value| format!("{value}{suffix}")).collect();
    for name in &names {
        if let Some(below) = place.literals.get_mut(name) {
            let left = haunt(below, node.clone(), limits);
            if names.len() == 1 {
                return left;
            }
        }
    }
    node
}
