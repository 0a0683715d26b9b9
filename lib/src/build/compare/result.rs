//! Writes the reports of a comparison, and decides whether the check holds.

use crate::build::config::{CheckConfig, Config};
use crate::build::error::{BuildError, ResultExt as _};
use crate::report::Report;

/// Writes the report in every format.
pub(super) fn write(
    report: &Report,
    comparison: &CheckConfig,
    config: &Config,
) -> Result<(), BuildError> {
    for (format, file) in &comparison.reports {
        config.output().report(file.as_deref(), &format.write(report)).whole()?;
    }
    Ok(())
}

/// Shows the result; an error if the check does not hold.
pub(super) fn verdict(report: &Report, config: &Config) -> Result<(), BuildError> {
    let summary = report.summary.first().cloned().unwrap_or_default();
    let fails = report.fails();
    if fails {
        config.messages().error(format_args!("the check does not hold: {summary}"));
    } else {
        config.messages().warn(format_args!("the check holds: {summary}"));
    }
    config.output().compared(&summary);
    if fails { Err(BuildError::Reported) } else { Ok(()) }
}
