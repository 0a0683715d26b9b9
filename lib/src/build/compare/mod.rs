//! `--check`: compares exchanges with specs, and writes a report instead of a spec.

mod follow;
mod pass;
mod result;
mod specs;

use crate::check::{Checker, FindingTally};

use super::config::{CheckConfig, Config};
use super::error::{BuildError, ResultExt as _};
use super::inputs::Inputs;
use pass::Pass;
use result::{verdict, write};

/// Compares the inputs with specs and writes the reports; returns the number of rejected records.
///
/// # Errors
/// A spec or an input cannot be read; a report cannot be written; no record is usable; the check
/// does not hold (the reports say why).
pub(super) fn compare(comparison: &CheckConfig, config: &Config) -> Result<u64, BuildError> {
    let documents = specs::load_all(&comparison.specs, config)?;
    let checker = Checker::new(&documents).whole()?;
    drop(documents);
    if let Some(every) = config.follow {
        return follow::follow(&checker, comparison, config, every);
    }
    let inputs = Inputs::prepare(config)?;
    let mut reader = inputs.open(config)?.without_partials();
    let mut pass = Pass::new(&checker, config);
    let mut tally = FindingTally::default();
    tally.merge(pass.over(&mut reader)?);
    for note in reader.take_notes() {
        config.messages().warn(note);
    }
    let rejected = pass.finish();
    if rejected > 0 && pass.accepted() == 0 {
        return Err(BuildError::Failed(format!(
            "all {rejected} records rejected, so nothing was compared"
        )));
    }
    let report = tally.report(&checker, &comparison.fail_on);
    write(&report, comparison, config)?;
    verdict(&report, config)?;
    Ok(rejected)
}
