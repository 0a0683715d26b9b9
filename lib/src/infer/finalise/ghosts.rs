//! Answers that say "no such thing": they belong to the operation that their path matches, and else make no path.

use super::template::Place;
use crate::infer::Limits;
use crate::infer::sketch::Merge as _;
use crate::infer::state::Node;

/// Adds the ghosts to the operations of a tree that they match.
pub(super) fn haunt(place: &mut Place, ghosts: Node, limits: &Limits) {
    let mut matched = false;
    for (method, ghost) in ghosts.operations {
        if let Some(operation) = place.operations.get_mut(&method) {
            operation.merge(ghost, limits);
            matched = true;
        }
    }
    if matched {
        place.plain = place.plain.saturating_add(ghosts.plain);
        place.slashed = place.slashed.saturating_add(ghosts.slashed);
    }
    for (class, kids) in ghosts.kids {
        if class.is_id() {
            let (kept, rest) = kids.into_parts();
            for (suffix, node) in kept.into_iter().chain(rest.map(|node| ("".into(), node))) {
                haunt_identifiers(place, &suffix, node, limits);
            }
            continue;
        }
        // A name that the ghosts do not keep may be among their rest, so the rest may belong to it.
        if kids.rest().is_some() {
            let hidden: Vec<String> =
                place.literals.keys().filter(|name| kids.may_be_in_rest(name)).cloned().collect();
            for name in hidden {
                if let (Some(below), Some(rest)) = (place.literals.get_mut(&name), kids.rest()) {
                    haunt(below, rest.clone(), limits);
                }
            }
        }
        let (kept, rest) = kids.into_parts();
        for (name, node) in kept {
            match place.literals.get_mut(name.as_ref()) {
                Some(below) => haunt(below, node, limits),
                None => haunt_words(place, node, limits),
            }
        }
        if let Some(node) = rest {
            haunt_words(place, node, limits);
        }
    }
}

// What was asked for and not there says nothing of the values that are: only the operations below are touched.

fn haunt_words(place: &mut Place, node: Node, limits: &Limits) {
    if let Some(slot) = place.parameters.get_mut("") {
        haunt(&mut slot.place, node, limits);
    }
}

fn haunt_identifiers(place: &mut Place, suffix: &str, node: Node, limits: &Limits) {
    // An identifier that is a name here (`/2010-04-01/…`) was a single value.
    if let Some(values) = node.segments.values().exact() {
        for value in values.keys() {
            if let Some(below) = place.literals.get_mut(&format!("{value}{suffix}")) {
                haunt(below, node.clone(), limits);
            }
        }
    }
    let key = if place.parameters.contains_key(suffix) { suffix } else { "" };
    if let Some(slot) = place.parameters.get_mut(key) {
        haunt(&mut slot.place, node, limits);
    }
}
