//! Tries steps whose values must be checked once, when they are compiled. A valid value is kept in
//! case random choice finds none later. A step without a valid value is omitted from the values
//! around it.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::graph;
use super::plan::{ENDLESS, Shared, Step, StepId};
use super::write::{Attempt, Mode, Writer};

/// Number of values that are tried for each step.
const PROBES: u64 = 8;
/// Maximum number of checks for each of them.
const CHECKS: u32 = 200;

/// The warning for a step without a valid value.
pub(super) fn warning(step: &Step) -> String {
    format!("{}: found no value that matches the whole schema", step.pointer)
}

/// Gives each verified step a valid value, or marks it as having none. The steps with the least
/// depth come first, because others contain them.
pub(super) fn settle(shared: &mut Shared) {
    let mut open: Vec<(u32, StepId)> = (0_u32..)
        .zip(&shared.steps)
        .filter(|(_, step)| !step.verify.is_empty() && step.height != ENDLESS)
        .map(|(id, step)| (step.height, StepId(id)))
        .collect();
    open.sort_by_key(|(height, id)| (*height, id.0));
    let mut found_hopeless = false;
    for at in 0..open.len() {
        let (height, id) = open[at];
        // Higher steps must know which steps at this height have no valid value.
        if found_hopeless && at > 0 && open[at - 1].0 != height {
            graph::measure_heights(&mut shared.steps);
            found_hopeless = false;
        }
        if shared.step(id).height == ENDLESS {
            continue;
        }
        let found = find(shared, id);
        let step = &mut shared.steps[id.0 as usize];
        match found {
            Found::Value(value) => step.sure = Some(value.into()),
            Found::TooLarge => {}
            Found::Nothing => {
                step.hopeless = true;
                found_hopeless = true;
            }
        }
    }
    if found_hopeless {
        graph::measure_heights(&mut shared.steps);
    }
}

enum Found {
    Value(Vec<u8>),
    /// True if all its values were too large.
    TooLarge,
    Nothing,
}

fn find(shared: &Shared, id: StepId) -> Found {
    for seed in 0..PROBES {
        let mut out = Vec::new();
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let writer = Writer::new(shared, rng, CHECKS, Mode::Usual);
        let Attempt { failed, exhausted } = writer.write_root(id, &mut out);
        if exhausted {
            return Found::TooLarge;
        }
        if failed.is_empty() {
            return Found::Value(out);
        }
    }
    Found::Nothing
}
