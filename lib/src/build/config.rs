//! The configuration of a build, and its interface to the process.

use std::fmt::{self, Display};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::error::Cause;
use crate::check::FailOn;
use crate::exchange::Selection;
use crate::infer::{self, Mode, Options};
use crate::report::ReportFormat;
use crate::spec::Version;
use crate::stream::{Locator, Topic};

/// The configuration of a build.
#[derive(Debug)]
pub struct Config {
    /// The sources of the exchanges.
    pub inputs: Vec<Locator>,
    /// The kind of spec to build.
    pub mode: Mode,
    /// A spec to start from.
    pub initial: Option<PathBuf>,
    /// Write the state instead of a spec.
    pub partial: bool,
    /// The state file to continue from, which is written at the end.
    pub state: Option<PathBuf>,
    /// Whether partials and states list their inputs.
    pub track_inputs: bool,
    /// Interval of writing the output while exchanges arrive; `None` for a single build of the
    /// existing input.
    pub follow: Option<Duration>,
    /// Whether the same input may be counted twice.
    pub allow_overlap: bool,
    /// How the spec is written.
    pub options: Options,
    /// The OpenAPI version to write, if requested.
    pub openapi: Option<Version>,
    /// Paths whose templates are explained.
    pub explain: Vec<String>,
    /// Write one spec for each host.
    pub split_hosts: bool,
    /// Which exchanges are folded.
    pub selection: Selection,
    /// Keep no observed value.
    pub no_values: bool,
    /// Check every exchange against the result.
    pub verify: bool,
    /// Specs to compare the exchanges with, in place of building one.
    pub comparison: Option<CheckConfig>,
    /// Number of folding threads; at least 1.
    pub threads: usize,
    /// Whether the first rejected record ends the build.
    pub strict: bool,
    /// Whether messages also say what was read.
    pub verbose: bool,
    /// The interface to the process.
    pub environment: Environment,
}

impl Config {
    /// The options that the state depends on.
    pub(super) fn inference(&self) -> infer::StateConfig {
        let config = infer::StateConfig::new(self.mode);
        if self.no_values { config.without_values() } else { config }
    }

    /// The topic among the inputs, if any.
    pub fn topic(&self) -> Option<&Topic> {
        self.inputs.iter().find_map(|input| match input {
            Locator::Kafka(topic) => Some(&**topic),
            _ => None,
        })
    }

    /// The topic, if it is the only input, and a group shares it or a later run continues with it.
    #[cfg(feature = "kafka")]
    pub(super) fn kept_topic(&self) -> Option<&Topic> {
        let topic = self.topic()?;
        let kept = self.state.is_some() || self.follow.is_some() || topic.has_group();
        (kept && self.inputs.len() == 1).then_some(topic)
    }

    /// True where `-` is among the inputs.
    pub fn reads_stdin(&self) -> bool {
        self.inputs.contains(&Locator::Stdio)
    }

    pub(super) fn messages(&self) -> &Messages {
        &self.environment.messages
    }

    pub(super) fn output(&self) -> &dyn BuildOutput {
        &*self.environment.output
    }

    pub(super) fn stop(&self) -> &Stop {
        &self.environment.stop
    }

    pub(super) fn stdin(&self) -> Box<dyn Read + Send> {
        (self.environment.stdin)()
    }
}

/// The specs to compare with, and the reports.
#[derive(Clone, Debug)]
pub struct CheckConfig {
    /// Files and folders of specs; `-` is standard input.
    pub specs: Vec<PathBuf>,
    /// The findings that make the check fail.
    pub fail_on: Vec<FailOn>,
    /// The reports, each with its file; without one, the report goes to the output.
    pub reports: Vec<(ReportFormat, Option<PathBuf>)>,
}

/// The interface of a build to the process.
pub struct Environment {
    /// Opens standard input.
    pub stdin: fn() -> Box<dyn Read + Send>,
    /// Says when to stop reading an endless input.
    pub stop: Stop,
    /// Receives messages.
    pub messages: Messages,
    /// Receives results.
    pub output: Box<dyn BuildOutput>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// The destination of results. Files are replaced atomically.
pub trait BuildOutput: Send + Sync {
    /// Writes a spec of one host, or of all.
    ///
    /// # Errors
    /// It cannot be written.
    fn spec(&self, host: Option<&str>, root: &Value) -> Result<(), Cause>;

    /// Writes a partial: a line without its line break.
    ///
    /// # Errors
    /// It cannot be written.
    fn partial(&self, line: &str) -> Result<(), Cause>;

    /// Writes a report to a file, or to the destination of results.
    ///
    /// # Errors
    /// It cannot be written.
    fn report(&self, file: Option<&Path>, text: &str) -> Result<(), Cause>;

    /// Called once, after everything is written: how many exchanges are in the result.
    fn finished(&self, exchanges: u64);

    /// Called once, after the reports are written, with a summary of the comparison.
    fn compared(&self, summary: &str);

    /// Writes a state file, which only its owner may read.
    ///
    /// # Errors
    /// It cannot be written.
    fn state(&self, path: &Path, bytes: &[u8]) -> Result<(), Cause>;
}

/// The severity of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Requested, or read by programs: always shown, without the name of the program.
    Plain,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

type Show = dyn Fn(MessageKind, &dyn Display) + Send + Sync;

/// Messages for people.
#[derive(Clone)]
pub struct Messages(Arc<Show>);

impl Messages {
    /// Passes each message to a function.
    pub fn new(show: impl Fn(MessageKind, &dyn Display) + Send + Sync + 'static) -> Self {
        Messages(Arc::new(show))
    }

    pub(super) fn warn(&self, text: impl Display) {
        (self.0)(MessageKind::Warning, &text);
    }

    pub(super) fn ready(&self, text: impl Display) {
        (self.0)(MessageKind::Plain, &text);
    }

    pub(super) fn error(&self, text: impl Display) {
        (self.0)(MessageKind::Error, &text);
    }
}

/// Says when to stop.
#[derive(Clone)]
pub struct Stop(Arc<dyn Fn() -> bool + Send + Sync>);

impl Stop {
    /// Calls a function.
    pub fn new(asked: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Stop(Arc::new(asked))
    }

    /// Never.
    pub fn never() -> Self {
        Stop::new(|| false)
    }

    pub(super) fn is_set(&self) -> bool {
        (self.0)()
    }
}
