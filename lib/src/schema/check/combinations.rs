//! Checks `allOf`, `anyOf`, `oneOf`, `not` and `if`.

use serde_json::Value;

use super::place::At;
use super::problem::{Direction, Problem};
use super::walk::{Check, Evidence, is_of};
use crate::schema::node::{Discriminator, Node, NodeId};

/// Maximum number of values of a discriminator that a message lists.
const MAX_NAMES: usize = 10;

impl Check<'_> {
    pub(super) fn combinations(
        &mut self,
        node: &Node,
        value: &Value,
        at: &At<'_>,
        hops: u32,
    ) -> bool {
        let mut valid = true;
        for branch in &node.all_of {
            valid &= self.value(*branch, value, at, hops + 1);
            if self.done(valid) {
                return false;
            }
        }
        if !node.any_of.is_empty()
            && !node.any_of.iter().any(|branch| self.fits(*branch, value, hops + 1))
        {
            valid = self.no_branch(node, "anyOf", value, at, hops);
        }
        let lenient = self.direction == Direction::Request && !self.strict_one_of;
        if !node.one_of.is_empty()
            && lenient
            && let Some(branch) = named_branch(node, value)
        {
            valid &= self.value(branch, value, at, hops + 1);
        } else if !node.one_of.is_empty()
            && lenient
            && let Some(discriminator) = self.unknown_name(node, value)
        {
            let place = At::Key(at, &discriminator.property);
            let found = value.get(&discriminator.property).unwrap_or(&Value::Null);
            valid = self.problem(&place, node, "discriminator", Evidence::Value(found), || {
                let known = discriminator.mapping.iter().take(MAX_NAMES);
                let mut text = known.map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>();
                if discriminator.mapping.len() > MAX_NAMES {
                    text.push("...".to_owned());
                }
                format!("is not one of {}, which name the branches of oneOf", text.join(", "))
            });
        } else if !node.one_of.is_empty() && lenient {
            if !node.one_of.iter().any(|branch| self.fits(*branch, value, hops + 1)) {
                valid = self.no_branch(node, "oneOf", value, at, hops);
            }
        } else if !node.one_of.is_empty() {
            let fitting =
                node.one_of.iter().filter(|branch| self.fits(**branch, value, hops + 1)).count();
            if fitting == 0 {
                valid = self.no_branch(node, "oneOf", value, at, hops);
            } else if fitting > 1 {
                let all = node.one_of.len();
                valid = self.problem(at, node, "oneOf", Evidence::None, || {
                    format!("matches {fitting} of the {all} schemas of oneOf, not exactly one")
                });
            }
        }
        if let Some(not) = node.not
            && self.fits(not, value, hops + 1)
        {
            valid = self.problem(at, node, "not", Evidence::None, || {
                "matches the schema of not".to_owned()
            });
        }
        if let Some((condition, then, otherwise)) = node.if_then_else {
            let branch = if self.fits(condition, value, hops + 1) { then } else { otherwise };
            if let Some(branch) = branch {
                valid &= self.value(branch, value, at, hops + 1);
            }
        }
        valid
    }

    /// The discriminator whose property has a value that belongs to no branch.
    fn unknown_name<'n>(&self, node: &'n Node, value: &Value) -> Option<&'n Discriminator> {
        let discriminator = node.discriminator.as_ref().filter(|d| d.complete)?;
        let found = value.get(&discriminator.property)?;
        let name = found.as_str()?;
        let property = &discriminator.property;
        // Some documents do not name the branches by their values, but list these in the branches.
        let listed = || node.one_of.iter().any(|branch| self.lists(*branch, property, found, 0));
        (discriminator.branch(name).is_none() && !listed()).then_some(discriminator)
    }

    /// True if a schema has an `enum` or `const` with this value for a property.
    fn lists(&self, schema: NodeId, property: &str, value: &Value, depth: u32) -> bool {
        const MAX_DEPTH: u32 = 8;
        let node = self.set.node(self.set.target(schema));
        let parts = || node.all_of.iter().chain(&node.any_of).chain(&node.one_of);
        let own = node.properties.iter().find(|(name, _)| name == property);
        depth < MAX_DEPTH
            && (own.is_some_and(|(_, id)| self.lists_value(*id, value, depth))
                || parts().any(|part| self.lists(*part, property, value, depth + 1)))
    }

    /// True if a schema has an `enum` or `const` with this value.
    fn lists_value(&self, schema: NodeId, value: &Value, depth: u32) -> bool {
        const MAX_DEPTH: u32 = 8;
        let node = self.set.node(self.set.target(schema));
        let mut parts = node.all_of.iter().chain(&node.any_of).chain(&node.one_of);
        node.enumeration.as_ref().is_some_and(|values| values.contains(value))
            || depth < MAX_DEPTH && parts.any(|part| self.lists_value(*part, value, depth + 1))
    }

    /// False if a schema only accepts other types.
    fn may_take(&self, id: NodeId, value: &Value) -> bool {
        let mut node = self.set.node(id);
        for _ in 0..16 {
            let Some(target) = node.reference else { break };
            node = self.set.node(target);
        }
        // In 3.0, the lone null next to a reference is written as an object.
        let only_null = node.enumeration.as_ref().is_some_and(|values| *values == [Value::Null]);
        !node.never
            && node.types.is_none_or(|types| is_of(value, types))
            && (value.is_null() || !only_null)
    }

    /// Reports that no branch matches, and the problems of the nearest one, which has the fewest.
    fn no_branch(
        &mut self,
        node: &Node,
        word: &'static str,
        value: &Value,
        at: &At<'_>,
        hops: u32,
    ) -> bool {
        let branches = if word == "anyOf" { &node.any_of } else { &node.one_of };
        if (self.set.every_fault || self.set.every_place) && self.problems.is_some() {
            // If only one branch accepts this type, the fault is in that branch.
            let mut may = branches.iter().filter(|branch| self.may_take(**branch, value));
            if let (Some(branch), None) = (may.next(), may.next()) {
                return self.value(*branch, value, at, hops + 1);
            }
        }
        let Some(problems) = self.problems.take() else { return false };
        let mut nearest: Option<Vec<Problem>> = None;
        // Nested combinations would be listed again on every level.
        let shown = hops == 0 && !self.set.every_fault;
        let branches_shown = if shown { &branches[..] } else { &[] };
        for branch in branches_shown.iter().take(16) {
            self.problems = Some(Vec::new());
            let noted = std::mem::take(&mut self.noted);
            self.value(*branch, value, at, hops + 1);
            self.noted = noted;
            let found = self.problems.take().unwrap_or_default();
            if nearest.as_ref().is_none_or(|best| found.len() < best.len()) {
                nearest = Some(found);
            }
        }
        self.problems = Some(problems);
        let near = nearest.and_then(|problems| problems.into_iter().next());
        self.problem(at, node, word, Evidence::None, || {
            let mut text = format!("matches none of the {} schemas of {word}", branches.len());
            if let Some(Problem { pointer, message, .. }) = near {
                text.push_str(&format!(" (nearest: {pointer} {message})"));
            }
            text
        })
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
