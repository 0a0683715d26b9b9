//! `--check`: compares exchanges with specs, and writes a report instead of a spec.

mod follow;
mod pass;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::check::{Checker, FailOn, Tally};
use crate::report::Format;
use crate::spec::{self, Document, SpecError};

use super::config::Config;
use super::error::{BuildError, ResultExt as _};
use super::inputs::Inputs;
use pass::Pass;

/// The specs to compare with, and the reports.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Files and folders of specs; `-` is standard input.
    pub specs: Vec<PathBuf>,
    /// The findings that make the check fail.
    pub fail_on: Vec<FailOn>,
    /// The reports, each with its file; without one, the report goes to the output.
    pub reports: Vec<(Format, Option<PathBuf>)>,
}

/// Compares the inputs with specs and writes the reports; returns the number of rejected records.
///
/// # Errors
/// A spec or an input cannot be read; a report cannot be written; no record is usable; the check
/// does not hold (the reports say why).
pub(super) fn compare(comparison: &Comparison, config: &Config) -> Result<u64, BuildError> {
    let documents = load_all(&comparison.specs, config)?;
    let checker = Checker::new(&documents).whole()?;
    drop(documents);
    if let Some(every) = config.follow {
        return follow::follow(&checker, comparison, config, every);
    }
    let inputs = Inputs::prepare(config)?;
    let mut reader = inputs.open(config)?.without_partials();
    let mut pass = Pass::new(&checker, config);
    let mut tally = Tally::default();
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
    write(&tally, &checker, comparison, config)?;
    verdict(&tally, &checker, comparison, config)?;
    Ok(rejected)
}

/// Writes every report.
fn write(
    tally: &Tally,
    checker: &Checker,
    comparison: &Comparison,
    config: &Config,
) -> Result<(), BuildError> {
    let report = tally.report(checker, &comparison.fail_on);
    for (format, file) in &comparison.reports {
        config.output().report(file.as_deref(), &format.write(&report)).whole()?;
    }
    Ok(())
}

fn verdict(
    tally: &Tally,
    checker: &Checker,
    comparison: &Comparison,
    config: &Config,
) -> Result<(), BuildError> {
    let report = tally.report(checker, &comparison.fail_on);
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

/// The specs. Those in folders are sorted by name.
fn load_all(specs: &[PathBuf], config: &Config) -> Result<Vec<Document>, BuildError> {
    let mut documents = Vec::new();
    for path in specs {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            config
                .stdin()
                .read_to_end(&mut bytes)
                .because(|| "cannot read standard input".to_owned())?;
            documents.push(spec::load(&bytes, "<stdin>").whole()?);
        } else if path.is_dir() {
            load_folder(path, &mut documents, config)?;
        } else {
            let (document, _) = spec::load_with_files(path, None).whole()?;
            documents.push(document);
        }
    }
    for document in &documents {
        for warning in &document.warnings {
            config.messages().warn(format_args!("{}: {warning}", document.source));
        }
    }
    Ok(documents)
}

fn load_folder(
    folder: &Path,
    documents: &mut Vec<Document>,
    config: &Config,
) -> Result<(), BuildError> {
    let cannot = || format!("cannot list {}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).because(cannot)? {
        let path = entry.because(cannot)?.path();
        if path.is_file() && spec::Format::of_path(&path).is_some() {
            paths.push(path);
        }
    }
    paths.sort();
    let before = documents.len();
    for path in paths {
        match spec::load_with_files(&path, None) {
            Ok((document, _)) => documents.push(document),
            // A folder may also contain a package.json, a partial, or files that specs refer to.
            Err(error @ SpecError::NotOpenApi { .. }) => {
                config.messages().warn(format_args!("ignored: {error}"));
            }
            Err(error) => return Err(error).whole(),
        }
    }
    if documents.len() == before {
        return Err(BuildError::Failed(format!(
            "{}: no spec in this folder; name a file or another folder with --check",
            folder.display()
        )));
    }
    Ok(())
}
