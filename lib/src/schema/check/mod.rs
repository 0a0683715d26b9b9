//! Checks values against schemas.

mod combinations;
mod containers;
mod discriminator;
mod evaluated;
mod place;
mod problem;
mod scalars;
#[cfg(test)]
mod tests;
mod undeclared;
mod walk;

use serde_json::Value;

use super::node::{NodeId, SchemaSet};
pub use problem::{Direction, Fault, Problem};

use place::At;
use walk::Check;

impl SchemaSet {
    /// Checks a value; returns an empty list if it is valid.
    pub fn check(&self, id: NodeId, value: &Value, direction: Direction) -> Vec<Problem> {
        let mut check = Check::new(self, direction, Some(Vec::new()));
        check.value(id, value, &At::Root, 0);
        if self.every_place {
            check.undeclared(&[id], value, &At::Root);
        }
        check.problems.unwrap_or_default()
    }

    /// True if [`SchemaSet::check`] would find nothing; stops at the first problem.
    pub fn accepts(&self, id: NodeId, value: &Value, direction: Direction) -> bool {
        self.accepts_counted(id, value, direction).0
    }

    /// The places where a value matches several branches of a `oneOf`, which is allowed in
    /// requests. Each is a pointer and a message.
    pub fn overlaps(&self, id: NodeId, value: &Value) -> Vec<String> {
        let mut check = Check::new(self, Direction::Request, Some(Vec::new()));
        check.strict_one_of = true;
        check.value(id, value, &At::Root, 0);
        let problems = check.problems.unwrap_or_default().into_iter();
        problems
            .filter(|problem| problem.fault.keyword == "oneOf" && !problem.message.contains("none"))
            .map(|problem| format!("{} {}", problem.pointer, problem.message))
            .collect()
    }

    /// Like [`SchemaSet::accepts`], with the number of evaluated schemas, which is the cost of the
    /// check.
    pub(crate) fn accepts_counted(
        &self,
        id: NodeId,
        value: &Value,
        direction: Direction,
    ) -> (bool, u64) {
        let mut check = Check::new(self, direction, None);
        let valid = check.value(id, value, &At::Root, 0);
        (valid, check.steps + check.side_steps)
    }
}

/// Checks of single texts and numbers that do not report problems.
#[derive(Clone, Copy)]
pub(super) struct Quiet<'s> {
    pub(super) set: &'s SchemaSet,
    pub(super) direction: Direction,
}

impl<'s> Quiet<'s> {
    /// Length, pattern and format of a text.
    pub(super) fn text(self, id: NodeId, text: &str) -> bool {
        let node = self.set.node(id);
        let is_bare = node.min_length.is_none()
            && node.max_length.is_none()
            && node.pattern.is_none()
            && node.format.is_none()
            && node.content.is_none();
        is_bare || self.check().string(node, text, &At::Root)
    }

    /// Range, step and format of a number.
    pub(super) fn number(self, id: NodeId, number: &serde_json::Number) -> bool {
        let node = self.set.node(id);
        let is_bare = node.minimum.is_none()
            && node.maximum.is_none()
            && node.multiple_of.is_none()
            && node.format.is_none();
        is_bare || self.check().number(node, number, &At::Root)
    }

    fn check(self) -> Check<'s> {
        Check::new(self.set, self.direction, None)
    }
}
