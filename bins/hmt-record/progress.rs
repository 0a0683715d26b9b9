//! Output on standard error: messages, the summary, and on a terminal a status line.

use std::sync::Arc;

use anyhow::anyhow;
use hmt_core::cli::{Messages, StatusLine, is_foreground_terminal};
use hmt_core::exchange::Replaced;
use hmt_core::record::{OnProgress, Progress, Summary};

/// Writes messages, and the status line between them.
#[derive(Clone)]
pub(super) struct StatusReporter {
    messages: Messages,
    status: StatusLine,
}

impl StatusReporter {
    pub(super) fn new(messages: Messages) -> Self {
        StatusReporter { messages, status: StatusLine::default() }
    }

    /// A warning.
    pub(super) fn warn(&self, text: impl std::fmt::Display) {
        self.clear();
        self.messages.warn(text);
    }

    /// A line for programs as well as people.
    pub(super) fn ready(&self, line: impl std::fmt::Display) {
        self.clear();
        self.messages.ready(line);
    }

    /// The closing line of a run that `hmt` started.
    pub(super) fn closing(&self, made: impl std::fmt::Display) {
        self.clear();
        self.messages.closing(made);
    }

    /// Removes the line.
    pub(super) fn clear(&self) {
        self.status.clear();
    }

    /// Reports the summary.
    ///
    /// # Errors
    /// The recording is incomplete.
    pub(super) fn sum_up(&self, summary: &Summary) -> anyhow::Result<()> {
        self.warn(summary);
        if summary.violating > 0 {
            self.warn(format_args!(
                "{} exchanges violate the spec: {} errors, {} undocumented",
                summary.violating, summary.violations, summary.undocumented
            ));
        }
        if let Some(line) = replaced_line(&summary.replaced) {
            self.warn(line);
        }
        match &summary.sink_error {
            Some(error) => Err(anyhow!("the recording is not complete: {error}")),
            None => Ok(()),
        }
    }

    /// Shows the progress, if it is wanted and visible.
    pub(super) fn watch(&self, wanted: bool) -> Option<OnProgress> {
        let status = self.status.clone();
        (wanted && is_foreground_terminal())
            .then(|| Arc::new(move |progress: &Progress| status.show(line(progress))) as OnProgress)
    }
}

/// The replaced secrets, and how to keep them; `None` if there are none.
pub(super) fn replaced_line(replaced: &Replaced) -> Option<String> {
    (!replaced.is_empty())
        .then(|| format!("replaced: {replaced}; use --keep NAME to keep the values of a name, or --keep-secrets to keep all"))
}

fn line(progress: &Progress) -> String {
    let Progress { seen, written, dropped, rate, hosts, waiting } = progress;
    let mut line = format!("{seen} exchanges ({rate}/s), {hosts} hosts, {written} written");
    if *dropped > 0 {
        line.push_str(&format!(", {dropped} dropped"));
    }
    if *waiting > 0 {
        line.push_str(&format!(", {} KiB queued", waiting.div_ceil(1024)));
    }
    line
}
