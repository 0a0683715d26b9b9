//! `--check` with `--follow`: a report that is kept current while exchanges arrive.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::check::{Checker, FindingTally};
use crate::infer::Ledger;

use super::pass::Pass;
use super::result::{verdict, write};
use crate::build::config::{CheckConfig, Config};
use crate::build::error::BuildError;
use crate::build::follow::{self, NAP, Round};

/// Compares until the input ends or a signal asks to stop, and writes the reports at intervals.
pub(super) fn follow(
    checker: &Checker,
    comparison: &CheckConfig,
    config: &Config,
    every: Duration,
) -> Result<u64, BuildError> {
    let stop = config.stop();
    let mut source = follow::open(config)?;
    let mut ledger = Ledger::new(config.allow_overlap);
    let mut pass = Pass::new(checker, config);
    let mut tally = FindingTally::default();
    let mut written = None;
    loop {
        // The last round includes everything that had arrived when the signal came.
        let last = stop.is_set();
        let until = Instant::now() + every;
        source.begin(&mut ledger)?;
        tally.merge(pass.over(&mut Round { source: &mut *source, until, stop })?);
        let last = last || source.has_ended();
        // Also without exchanges, because a program may be waiting for the report.
        if written != Some(pass.accepted()) {
            write(&tally.report(checker, &comparison.fail_on), comparison, config)?;
            written = Some(pass.accepted());
            if config.verbose {
                let count = pass.accepted();
                config.messages().ready(format_args!("up to date with {count} exchanges"));
            }
        }
        if last {
            let rejected = pass.finish();
            verdict(&tally.report(checker, &comparison.fail_on), config)?;
            return Ok(rejected);
        }
        while Instant::now() < until && !stop.is_set() && !source.has_ended() {
            sleep(NAP.min(until.saturating_duration_since(Instant::now())));
        }
    }
}
