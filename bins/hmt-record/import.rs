//! `hmt-record import`: converts captures to records.

use std::sync::Arc;

use anyhow::Context as _;
use hmt_core::cli::{self, Failure, Messages, Status};
use hmt_core::record::{self, ImportDiagnostics};
use hmt_core::stream::{Locator, Reader, RecordPosition, Rejects};

use super::args::{self, Import};
use super::progress::replaced_line;

/// Block size of reads in bytes.
const BLOCK: usize = 1 << 20;

/// Runs an import to the end of its sources.
pub(super) fn run(import: Import) -> anyhow::Result<Status> {
    let Import { sources, outputs, rotation, redactor, strict, messages } = import;
    let reads_topic = sources.iter().any(|source| matches!(source, Locator::Kafka(_)));
    match sources.contains(&Locator::Stdio) {
        true => cli::ignore_first_signal(),
        // A topic is read until a signal.
        false if reads_topic => Ok(()),
        false => cli::end_on_sigterm(),
    }
    .context("cannot handle signals")?;
    let mut reader =
        Reader::open(&sources, Some(Box::new(std::io::stdin())), BLOCK)?.without_partials();
    if reads_topic {
        let (stop, messages) =
            (cli::stop_on_signals().context("cannot handle signals")?, messages.clone());
        reader.watch(move || stop.is_set(), Arc::new(move |text: &str| messages.warn(text)));
    }
    let mut sinks: Vec<_> =
        args::sinks::open(&outputs, rotation)?.into_iter().map(|output| output.sink).collect();
    for sink in &mut sinks {
        let messages = messages.clone();
        sink.report_to(Arc::new(move |text: &str| messages.warn(text)));
    }
    let told = messages.clone();
    let rejects = Rejects::new(move |text| told.error(text));
    let mut complaints = ImportReporter { rejects, strict, messages: messages.clone() };
    let written = record::import(&mut reader, sinks, redactor.as_ref(), &mut complaints)?;
    let rejected = complaints.rejects.count();
    complaints.rejects.finish(written);
    messages.warn(format_args!("imported {written} exchanges"));
    if let Some(line) = redactor.as_ref().and_then(|redactor| replaced_line(&redactor.replaced())) {
        messages.warn(line);
    }
    match (written, rejected) {
        (_, 0) => Ok(Status::Done),
        (0, _) => Err(Failure::Reported.into()),
        (_, _) if strict => Err(Failure::Reported.into()),
        _ => Ok(Status::Partly),
    }
}

struct ImportReporter {
    rejects: Rejects,
    strict: bool,
    messages: Messages,
}

impl ImportDiagnostics for ImportReporter {
    fn rejected(&mut self, place: RecordPosition<'_>, why: &str) -> bool {
        self.rejects.add(place, why);
        !self.strict
    }

    fn warn(&mut self, text: &str) {
        self.messages.warn(text);
    }
}
