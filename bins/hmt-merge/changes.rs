//! `--diff`: the changes between two specs.

use std::path::{Path, PathBuf};

use hmt_core::cli::{Destination, Failure, Status};
use hmt_core::diff::{diff, report};
use hmt_core::report::ReportFormat;
use hmt_core::spec::{Document, load_with_files};

use crate::args::Config;
use crate::load;

/// Writes the reports; fails on a breaking change.
pub(crate) fn changes(
    reports: &[(ReportFormat, Option<PathBuf>)],
    config: &Config,
) -> anyhow::Result<Status> {
    let [old, new] = config.inputs.as_slice() else {
        return Err(Failure::usage("--diff compares two specs"));
    };
    let (before, after) = (document(old, config)?, document(new, config)?);
    let report = report(&diff(&before, &after), &before.source, &after.source);
    for (format, file) in reports {
        let target = match file {
            Some(path) if path.as_os_str() != "-" => Destination::File(path.clone()),
            Some(_) => Destination::Stdout,
            None => config.target.clone(),
        };
        target.write(&format.write(&report), false)?;
    }
    let summary = report.summary.first().map_or("", String::as_str);
    if report.fails() {
        config.messages.error(summary);
        return Err(Failure::Reported.into());
    }
    config.messages.warn(summary);
    Ok(Status::Done)
}

/// A spec with the files that it refers to.
fn document(path: &Path, config: &Config) -> anyhow::Result<Document> {
    let document = if path.as_os_str() == "-" {
        load::standard_input()?
    } else {
        load::refuse_partial(path)?;
        load_with_files(path, None)?.0
    };
    for warning in &document.warnings {
        config.messages.warn(format_args!("{}: {warning}", document.source));
    }
    Ok(document)
}
