//! Finds cyclic steps, and the minimum height of each step's values.

use std::collections::HashSet;

use super::plan::{Alternative, ENDLESS, Kind, Step, StepId};

/// Sets heights and components.
pub(super) fn measure(steps: &mut [Step]) {
    set_heights(steps);
    set_components(steps);
}

/// Sets heights again after other steps were found to have no valid value.
pub(super) fn measure_heights(steps: &mut [Step]) {
    for step in steps.iter_mut() {
        step.alternatives.iter_mut().for_each(|alternative| alternative.height = ENDLESS);
    }
    set_heights(steps);
}

/// The steps that a root leads to, with itself.
pub(super) fn reached(steps: &[Step], root: StepId) -> Vec<StepId> {
    let (mut seen, mut open) = (HashSet::from([root]), vec![root]);
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        found.push(id);
        let alternatives = &steps[id.0 as usize].alternatives;
        let next = alternatives.iter().flat_map(|alternative| leads_to(&alternative.kind));
        open.extend(next.filter(|id| seen.insert(*id)));
    }
    found
}

fn set_heights(steps: &mut [Step]) {
    for step in steps.iter_mut() {
        step.height = ENDLESS;
    }
    grow_heights(steps, |alternative| alternative.weight > 0);
    // If no value was found, a value of another type may still exist.
    grow_heights(steps, |_| true);
}

/// Starts from the leaves: each round sets the height of all steps whose needs have one.
fn grow_heights(steps: &mut [Step], counts: impl Fn(&Alternative) -> bool) {
    let mut changed = true;
    while changed {
        changed = false;
        // Later steps are usually the targets of earlier ones.
        for at in (0..steps.len()).rev() {
            let mut alternatives = std::mem::take(&mut steps[at].alternatives);
            let settled = steps[at].height != ENDLESS;
            for alternative in &mut alternatives {
                let reserve = alternative.weight == 0 && settled;
                if alternative.height == ENDLESS && !reserve && counts(alternative) {
                    alternative.height = height_of(&alternative.kind, steps);
                }
            }
            let least = alternatives.iter().map(|alternative| alternative.height).min();
            let step = &mut steps[at];
            step.alternatives = alternatives;
            if step.height == ENDLESS
                && !step.hopeless
                && least.is_some_and(|height| height != ENDLESS)
            {
                step.height = least.unwrap_or(ENDLESS);
                changed = true;
            }
        }
    }
}

fn height_of(kind: &Kind, steps: &[Step]) -> u32 {
    needs(kind).into_iter().map(|id| steps[id.0 as usize].height).fold(0, |highest, height| {
        let level = u32::from(!matches!(kind, Kind::Branch(_)));
        highest.max(height.saturating_add(level))
    })
}

/// The steps that every value of this kind needs.
fn needs(kind: &Kind) -> Vec<StepId> {
    match kind {
        Kind::Constants(_) | Kind::Number(_) | Kind::Text(_) => Vec::new(),
        Kind::Branch(step) | Kind::Content(step, _) => vec![*step],
        Kind::Array(array) => array.needs(),
        Kind::Object(object) => object.needs(),
    }
}

/// The steps that this kind may enter.
fn leads_to(kind: &Kind) -> Vec<StepId> {
    match kind {
        Kind::Constants(_) | Kind::Number(_) | Kind::Text(_) => Vec::new(),
        Kind::Branch(step) | Kind::Content(step, _) => vec![*step],
        Kind::Array(array) => array.leads_to(),
        Kind::Object(object) => object.leads_to(),
    }
}

/// Strongly connected components, by Tarjan's algorithm with its stack on the heap.
fn set_components(steps: &mut [Step]) {
    const NEW: u32 = u32::MAX;
    let edges: Vec<Vec<StepId>> = steps
        .iter()
        .map(|step| {
            step.alternatives.iter().flat_map(|alternative| leads_to(&alternative.kind)).collect()
        })
        .collect();
    let mut index = vec![NEW; steps.len()];
    let mut low = vec![0_u32; steps.len()];
    let mut on_stack = vec![false; steps.len()];
    let (mut stack, mut next) = (Vec::new(), 0);
    for start in 0..steps.len() {
        if index[start] != NEW {
            continue;
        }
        let mut calls = vec![(start, 0)];
        while let Some((at, edge)) = calls.pop() {
            if edge == 0 {
                (index[at], low[at]) = (next, next);
                next += 1;
                stack.push(at);
                on_stack[at] = true;
            } else {
                let child = edges[at][edge - 1].0 as usize;
                if on_stack[child] {
                    low[at] = low[at].min(low[child]);
                }
            }
            if let Some(child) = edges[at].get(edge) {
                calls.push((at, edge + 1));
                if index[child.0 as usize] == NEW {
                    calls.push((child.0 as usize, 0));
                }
                continue;
            }
            if low[at] == index[at] {
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    steps[member].component = index[at];
                    if member == at {
                        break;
                    }
                }
            }
        }
    }
}

/// Why a root has no finite value.
pub(super) fn culprits(steps: &[Step], root: StepId) -> Vec<String> {
    let (mut seen, mut open, mut found) = (HashSet::new(), vec![root], Vec::new());
    while let Some(id) = open.pop() {
        let step = &steps[id.0 as usize];
        if step.height != ENDLESS || !seen.insert(id) {
            continue;
        }
        if step.hopeless {
            found.push(super::probe::warning(step));
        } else if step.alternatives.is_empty() {
            let reason = step.contradiction.unwrap_or("nothing is valid");
            found.push(format!("{}: {reason}", step.pointer));
        }
        open.extend(step.alternatives.iter().flat_map(|alternative| needs(&alternative.kind)));
    }
    if found.is_empty() {
        found.push(format!(
            "{}: has no finite value, because it requires itself",
            steps[root.0 as usize].pointer
        ));
    }
    found.sort();
    found
}
