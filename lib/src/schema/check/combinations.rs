//! Checks `allOf`, `anyOf`, `oneOf`, `not` and `if`.

use serde_json::Value;

use super::place::At;
use super::problem::{Direction, Problem};
use super::walk::{Check, Evidence, is_of};
use crate::schema::node::{Discriminator, Node, NodeId};

/// Maximum number of values of a discriminator that a message lists.
const MAX_NAMES: usize = 10;
/// Maximum nesting depth of combinations in which the values of a discriminator are searched for.
const MAX_LISTED_DEPTH: u32 = 4;

/// What a discriminator says about a value.
enum Decision<'n> {
    Branch(NodeId),
    /// The value names no branch.
    Unknown(&'n Discriminator),
}

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
        let union = (std::ptr::from_ref(node), std::ptr::from_ref(value));
        if !node.one_of.is_empty() && self.unions.iter().any(|(known, _)| *known == union) {
            // The branch contains, by `allOf`, the schema with this `oneOf`, which is already being
            // checked.
            self.unions
                .iter_mut()
                .filter(|(known, _)| *known == union)
                .for_each(|(_, again)| *again = true);
        } else if !node.one_of.is_empty()
            && lenient
            && let Some(decision) = self.decision(node, value)
        {
            match decision {
                Decision::Branch(branch) => {
                    self.unions.push((union, false));
                    valid &= self.value(branch, value, at, hops + 1);
                    self.unions.pop();
                }
                Decision::Unknown(discriminator) => {
                    let place = At::Key(at, &discriminator.property);
                    let found = value.get(&discriminator.property).unwrap_or(&Value::Null);
                    let names = self.names_of_branches(node, discriminator);
                    let why = || format!("is not one of {names}, which name the branches of oneOf");
                    let evidence = Evidence::Value(found);
                    valid = self.problem(&place, node, "discriminator", evidence, why);
                }
            }
        } else if !node.one_of.is_empty() && lenient {
            self.unions.push((union, false));
            if !node.one_of.iter().any(|branch| self.fits(*branch, value, hops + 1)) {
                valid = self.no_branch(node, "oneOf", value, at, hops);
            }
            self.unions.pop();
        } else if !node.one_of.is_empty() {
            self.unions.push((union, false));
            let fitting =
                node.one_of.iter().filter(|branch| self.fits(**branch, value, hops + 1)).count();
            let derived = self.unions.pop().is_some_and(|(_, again)| again);
            // Branches derived from the union may differ only in the value of the discriminator, so
            // it selects the branch.
            let named = derived.then(|| named_branch(node, value)).flatten();
            let fitting = match named {
                Some(branch) => {
                    self.unions.push((union, false));
                    let fits = self.fits(branch, value, hops + 1);
                    self.unions.pop();
                    usize::from(fits)
                }
                None => fitting,
            };
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

    /// The branch that the discriminator selects, or `Unknown`; `None` if it does not decide.
    fn decision<'n>(&self, node: &'n Node, value: &Value) -> Option<Decision<'n>> {
        if let Some(branch) = named_branch(node, value) {
            return Some(Decision::Branch(branch));
        }
        let discriminator = node.discriminator.as_ref()?;
        let property = discriminator.property.as_str();
        let found = value.get(property).filter(|found| found.is_string())?;
        // Some documents have no `mapping`, but list the values in `enum` or `const` of each branch.
        let mut lists = node.one_of.iter().filter(|branch| {
            let mut values = Vec::new();
            self.listed(**branch, property, 0, &mut values);
            values.contains(&found)
        });
        match (lists.next(), lists.next()) {
            (Some(branch), None) => Some(Decision::Branch(*branch)),
            (None, _) if discriminator.complete => Some(Decision::Unknown(discriminator)),
            _ => None,
        }
    }

    /// The values that name the branches of a `oneOf`, for a message.
    fn names_of_branches(&self, node: &Node, discriminator: &Discriminator) -> String {
        let mut names: Vec<String> = Vec::new();
        for branch in &node.one_of {
            let mut values = Vec::new();
            self.listed(*branch, &discriminator.property, 0, &mut values);
            let target = self.set.target(*branch);
            let mapping = discriminator.mapping.iter();
            let mapped = mapping.filter(|(_, id)| self.set.target(*id) == target);
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
        &'n self,
        schema: NodeId,
        property: &str,
        depth: u32,
        found: &mut Vec<&'n Value>,
    ) {
        let node = self.set.node(self.set.target(schema));
        if depth > MAX_LISTED_DEPTH {
            return;
        }
        let own = node.properties.iter().filter(|(name, _)| name == property);
        own.for_each(|(_, id)| self.listed_values(*id, depth, found));
        for part in node.all_of.iter().chain(&node.any_of).chain(&node.one_of) {
            self.listed(*part, property, depth + 1, found);
        }
    }

    /// Collects the values in `enum` or `const` of a schema.
    fn listed_values<'n>(&'n self, schema: NodeId, depth: u32, found: &mut Vec<&'n Value>) {
        let node = self.set.node(self.set.target(schema));
        found.extend(node.enumeration.iter().flatten());
        if depth < MAX_LISTED_DEPTH {
            for part in node.all_of.iter().chain(&node.any_of).chain(&node.one_of) {
                self.listed_values(*part, depth + 1, found);
            }
        }
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
