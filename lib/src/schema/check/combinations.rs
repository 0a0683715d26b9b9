//! Checks `allOf`, `anyOf`, `oneOf`, `not` and `if`.

use serde_json::Value;

use super::discriminator::{Decision, decision, named_branch, names_of_branches};
use super::place::At;
use super::problem::{Direction, Problem};
use super::walk::{Check, Evidence, Union, is_of};
use crate::schema::node::{Node, NodeId};

impl Check<'_> {
    /// Checks the branches of a union. Returns the result, and whether a branch led back to the
    /// union.
    fn within<R>(&mut self, union: Union, check: impl FnOnce(&mut Self) -> R) -> (R, bool) {
        self.unions.push((union, false));
        let result = check(self);
        (result, self.unions.pop().is_some_and(|(_, again)| again))
    }

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
        let begun = self.unions.iter().position(|(begun, _)| *begun == union);
        if let Some(begun) = begun.filter(|_| !node.one_of.is_empty()) {
            // The branch contains, by `allOf`, the schema with this `oneOf`, which is already being
            // checked.
            self.unions[begun].1 = true;
            self.omitted = self.omitted.min(begun);
        } else if !node.one_of.is_empty()
            && lenient
            && let Some(decision) = decision(self.set, node, value)
        {
            match decision {
                Decision::Branch(branch) => {
                    valid &= self.within(union, |check| check.value(branch, value, at, hops + 1)).0;
                }
                Decision::Unknown(discriminator) => {
                    let place = At::Key(at, &discriminator.property);
                    let found = value.get(&discriminator.property).unwrap_or(&Value::Null);
                    let set = self.set;
                    let why = || {
                        let names = names_of_branches(set, node, discriminator);
                        format!("is not one of {names}, which name the branches of oneOf")
                    };
                    let evidence = Evidence::Value(found);
                    valid = self.problem(&place, node, "discriminator", evidence, why);
                }
            }
        } else if !node.one_of.is_empty() && lenient {
            let (fits, _) = self.within(union, |check| {
                node.one_of.iter().any(|branch| check.fits(*branch, value, hops + 1))
            });
            if !fits {
                let none = |check: &mut Self| check.no_branch(node, "oneOf", value, at, hops);
                valid = self.within(union, none).0;
            }
        } else if !node.one_of.is_empty() {
            let (fitting, derived) = self.within(union, |check| {
                node.one_of.iter().filter(|branch| check.fits(**branch, value, hops + 1)).count()
            });
            // Branches derived from the union may differ only in the value of the discriminator, so
            // it selects the branch.
            let named = derived.then(|| named_branch(node, value)).flatten();
            let fitting = match named {
                Some(branch) => {
                    let fits = |check: &mut Self| check.fits(branch, value, hops + 1);
                    usize::from(self.within(union, fits).0)
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
