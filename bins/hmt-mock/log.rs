//! The log of served exchanges.

use std::io;

use hmt_core::mock::Log;
use hmt_core::stream::{Locator, open_sink};

use super::args::Config;

/// Starts the log, if one is configured.
///
/// # Errors
/// A destination that cannot be written.
pub(super) fn start(config: &Config) -> anyhow::Result<Option<Log>> {
    let mut sinks = Vec::new();
    let mut stdout: Option<Box<dyn io::Write + Send>> = Some(Box::new(io::stdout()));
    for locator in &config.out {
        let stdout = if *locator == Locator::Stdio { stdout.take() } else { None };
        sinks.push(open_sink(locator, stdout)?);
    }
    if let Some(folder) = &config.log_dir {
        sinks.push(open_sink(&Locator::File(folder.join(Log::file_name())), None)?);
    }
    if sinks.is_empty() {
        return Ok(None);
    }
    let report = config.serving.report.clone();
    for sink in &mut sinks {
        sink.report_to(report.clone());
    }
    let redactor = config.redactor.clone().filter(|_| config.hide_secrets);
    Ok(Some(Log::start(sinks, redactor, move |text| report(text))?))
}
