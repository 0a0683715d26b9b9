//! The log of served exchanges.

use std::io;
use std::time::SystemTime;

use hmt_core::exchange::timestamp;
use hmt_core::stream::{ExchangeLog, Locator, open_sink};

use super::args::Config;

/// Starts the log, if one is configured.
///
/// # Errors
/// A destination that cannot be written.
pub(super) fn start(config: &Config) -> anyhow::Result<Option<ExchangeLog>> {
    let mut sinks = Vec::new();
    let mut stdout: Option<Box<dyn io::Write + Send>> = Some(Box::new(io::stdout()));
    for locator in &config.out {
        let stdout = if *locator == Locator::Stdio { stdout.take() } else { None };
        sinks.push(open_sink(locator, stdout)?);
    }
    if let Some(folder) = &config.log_dir {
        // Not every system allows colons in file names.
        let name = format!("mock-{}.jsonl", timestamp(SystemTime::now()).replace(':', "-"));
        sinks.push(open_sink(&Locator::File(folder.join(name)), None)?);
    }
    if sinks.is_empty() {
        return Ok(None);
    }
    let report = config.serving.report.clone();
    let redactor = config.redactor.clone().filter(|_| config.hide_secrets);
    Ok(Some(ExchangeLog::start(sinks, redactor, "the served exchanges", report)?))
}
