//! Arrays.

use rand::RngCore;

use super::compile::Compiler;
use super::conjunction::{Flat, Key};
use super::plan::StepId;
use super::write::{Checkpoint, Writer};
use crate::format::below;
use crate::schema::NodeId;

/// Maximum number of items beyond the required ones.
const MORE: u64 = 3;
/// Maximum number of items that are written.
const MAX_ITEMS: u64 = 100_000;
/// Attempts to find an item that differs from all previous ones.
const UNIQUE_TRIES: u32 = 40;

#[derive(Debug)]
pub(super) struct ArrayPlan {
    /// Steps of the first items: those of `prefixItems`, then those for `contains`.
    first: Vec<StepId>,
    rest: StepId,
    min: u64,
    max: u64,
    unique: bool,
}

impl ArrayPlan {
    /// `None` if the bounds allow no array.
    pub(super) fn compile(compiler: &mut Compiler<'_>, flat: &mut Flat<'_>) -> Option<ArrayPlan> {
        let mut min = flat.all().filter_map(|node| node.min_items).max().unwrap_or(0);
        let max = flat.all().filter_map(|node| node.max_items).min().unwrap_or(u64::MAX);
        let places = flat.all().map(|node| node.prefix_items.len()).max().unwrap_or(0);
        // The schemas for an item at an index.
        let at = |place: usize| -> Vec<NodeId> {
            flat.all()
                .filter_map(|node| node.prefix_items.get(place).copied().or(node.items))
                .collect()
        };
        let mut first: Vec<Vec<NodeId>> = (0..places).map(at).collect();
        let mut rest = at(places);
        // The schemas for items that no other keyword evaluates. The check decides which items
        // these are.
        let unevaluated: Vec<NodeId> =
            flat.all().filter_map(|node| node.unevaluated_items).collect();
        let mut bounded = !unevaluated.is_empty();
        if rest.is_empty() {
            rest = unevaluated;
        }
        for contains in flat.all().filter_map(|node| node.contains.as_ref()) {
            for _ in 0..contains.min.min(MAX_ITEMS) {
                let mut item = rest.clone();
                item.push(contains.schema);
                first.push(item);
            }
            if contains.min > 0 {
                min = min.max(first.len() as u64);
            }
            bounded |= contains.max.is_some();
        }
        if min > max || min > MAX_ITEMS {
            // The items of `prefixItems` might satisfy `contains`; this is left to the check.
            flat.verify = true;
            min = flat.all().filter_map(|node| node.min_items).max().unwrap_or(0);
            if min > max || min > MAX_ITEMS {
                return None;
            }
        }
        flat.verify |= bounded;
        let denied = flat.contrary_items.clone();
        if !denied.is_empty() && max > 0 {
            min = min.max(1);
        }
        let meaning = flat.meaning;
        let first = first.iter().map(|item| compiler.intern_all(item, meaning, &[])).collect();
        let rest = if rest.is_empty() {
            compiler.intern(Key { denied, ..Key::default() })
        } else {
            compiler.intern_but(&rest, denied, meaning, &[])
        };
        let unique = flat.all().any(|node| node.unique_items);
        Some(ArrayPlan { first, rest, min, max, unique })
    }

    /// True if random choice may not find distinct items.
    pub(super) fn fallible(&self) -> bool {
        self.unique && self.min > 1
    }

    /// Steps of the required items.
    pub(super) fn needs(&self) -> Vec<StepId> {
        let mut steps: Vec<StepId> = self.first.iter().take(self.min as usize).copied().collect();
        if self.min > self.first.len() as u64 {
            steps.push(self.rest);
        }
        steps
    }

    pub(super) fn leads_to(&self) -> Vec<StepId> {
        let mut steps = self.first.clone();
        steps.push(self.rest);
        steps
    }

    pub(super) fn write<R: RngCore>(
        &self,
        writer: &mut Writer<'_, R>,
        id: StepId,
        out: &mut Vec<u8>,
    ) {
        let component = writer.component(id);
        let length = if writer.tight() {
            self.min
        } else if writer.composes() {
            // Items with the same samples are equal, so one is enough.
            self.min.max(1).max(self.first.len() as u64).min(self.max)
        } else {
            let low = self.min.max(1).max(self.first.len() as u64).min(self.max);
            let high = self.max.min(low.saturating_add(MORE - 1).max(MORE));
            low + below(&mut writer.rng, high - low + 1)
        };
        out.push(b'[');
        // The start of each item, to compare them.
        let mut starts: Vec<(usize, usize)> = Vec::new();
        let mut unique = self.unique;
        for place in 0..length {
            if writer.exhausted() {
                break;
            }
            let step = self.first.get(place as usize).copied().unwrap_or(self.rest);
            if writer.refuses(step, component, place < self.min) {
                break;
            }
            let before = out.len();
            if place > 0 {
                out.push(b',');
            }
            let start = out.len();
            let checkpoint = writer.checkpoint();
            let others = unique.then_some(starts.as_slice());
            if !self.item(writer, step, component, others, &checkpoint, out) {
                if place >= self.min {
                    out.truncate(before);
                    break;
                }
                writer.fail(id);
                // The array is already invalid; further comparisons would take quadratic time.
                unique = false;
            }
            if unique {
                starts.push((start, out.len()));
            }
        }
        out.push(b']');
    }

    /// Writes an item; if items must differ, a new one. False if there is none.
    fn item<R: RngCore>(
        &self,
        writer: &mut Writer<'_, R>,
        step: StepId,
        component: u32,
        others: Option<&[(usize, usize)]>,
        checkpoint: &Checkpoint,
        out: &mut Vec<u8>,
    ) -> bool {
        let start = out.len();
        for attempt in 0..if others.is_some() { UNIQUE_TRIES } else { 1 } {
            out.truncate(start);
            writer.restore(checkpoint);
            if attempt == 0 {
                writer.enter(step, component, out);
            } else {
                let mode = writer.vary();
                writer.enter(step, component, out);
                writer.resume(mode);
            }
            if others.iter().copied().flatten().all(|(from, to)| out[*from..*to] != out[start..]) {
                return true;
            }
        }
        // Random choice failed: try the constants one by one.
        let found = writer.constants(step).find(|text| {
            others.iter().copied().flatten().all(|(from, to)| out[*from..*to] != ***text)
        });
        if let Some(text) = found {
            out.truncate(start);
            out.extend_from_slice(text);
            return true;
        }
        false
    }
}
