//! What a build is told, and what it needs of its process.

use std::fmt::{self, Display};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::error::Cause;
use crate::exchange::Selection;
use crate::infer::{self, Mode, Options};
use crate::spec::Version;
use crate::stream::{Locator, Topic};

/// What to build, and of what.
#[derive(Debug)]
pub struct Config {
    /// Where exchanges come from.
    pub inputs: Vec<Locator>,
    /// What to make of the traffic.
    pub mode: Mode,
    /// A spec to start from.
    pub initial: Option<PathBuf>,
    /// True where the state is written in place of a spec.
    pub partial: bool,
    /// The file of the state to go on from, which is written at the end.
    pub state: Option<PathBuf>,
    /// True where partials and states name the inputs that they are made of.
    pub track_inputs: bool,
    /// How often the output is written while exchanges arrive; `None` for one build of what is there.
    pub follow: Option<Duration>,
    /// True where the same input may be counted twice.
    pub allow_overlap: bool,
    /// How the spec is made of what was folded.
    pub options: Options,
    /// The version to write, where one is asked for.
    pub openapi: Option<Version>,
    /// Paths whose templates are explained.
    pub explain: Vec<String>,
    /// True for one spec for each host.
    pub split_hosts: bool,
    /// Which exchanges are folded.
    pub selection: Selection,
    /// True where no observed value is kept.
    pub no_values: bool,
    /// True where every exchange is checked against the result.
    pub verify: bool,
    /// Threads that fold; at least 1.
    pub threads: usize,
    /// True where the first rejected record ends the build.
    pub strict: bool,
    /// True where messages also say what was read.
    pub verbose: bool,
    /// What the process gives.
    pub environment: Environment,
}

impl Config {
    /// The options that the state depends on.
    pub(super) fn inference(&self) -> infer::Config {
        let config = infer::Config::new(self.mode);
        if self.no_values { config.without_values() } else { config }
    }

    /// The topic among the inputs, if there is one.
    pub fn topic(&self) -> Option<&Topic> {
        self.inputs.iter().find_map(|input| match input {
            Locator::Kafka(topic) => Some(&**topic),
            _ => None,
        })
    }

    /// The topic, where it is the only input, and it is shared or a later run goes on with it.
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

    pub(super) fn output(&self) -> &dyn Output {
        &*self.environment.output
    }

    pub(super) fn stop(&self) -> &Stop {
        &self.environment.stop
    }

    pub(super) fn stdin(&self) -> Box<dyn Read + Send> {
        (self.environment.stdin)()
    }
}

/// What the process gives to a build.
pub struct Environment {
    /// Opens standard input.
    pub stdin: fn() -> Box<dyn Read + Send>,
    /// Tells when an input without end is to be left.
    pub stop: Stop,
    /// Takes messages.
    pub messages: Messages,
    /// Takes results.
    pub output: Box<dyn Output>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// Where results go. Files are replaced as a whole or not at all.
pub trait Output: Send + Sync {
    /// Writes a spec: that of a host, or of all of them.
    ///
    /// # Errors
    /// It cannot be written.
    fn spec(&self, host: Option<&str>, root: &Value) -> Result<(), Cause>;

    /// Writes a partial, a line without its line end.
    ///
    /// # Errors
    /// It cannot be written.
    fn partial(&self, line: &str) -> Result<(), Cause>;

    /// Writes a state file, which only its owner may read.
    ///
    /// # Errors
    /// It cannot be written.
    fn state(&self, path: &Path, bytes: &[u8]) -> Result<(), Cause>;
}

/// How important a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Asked for, or read by programs: shown always, without the name of the program.
    Plain,
    /// Worth knowing.
    Warning,
    /// Something went wrong.
    Error,
}

type Show = dyn Fn(Severity, &dyn Display) + Send + Sync;

/// Messages for people.
#[derive(Clone)]
pub struct Messages(Arc<Show>);

impl Messages {
    /// Shows each message by a function.
    pub fn new(show: impl Fn(Severity, &dyn Display) + Send + Sync + 'static) -> Self {
        Messages(Arc::new(show))
    }

    pub(super) fn warn(&self, text: impl Display) {
        (self.0)(Severity::Warning, &text);
    }

    pub(super) fn ready(&self, text: impl Display) {
        (self.0)(Severity::Plain, &text);
    }

    pub(super) fn error(&self, text: impl Display) {
        (self.0)(Severity::Error, &text);
    }
}

/// Tells when to stop.
#[derive(Clone)]
pub struct Stop(Arc<dyn Fn() -> bool + Send + Sync>);

impl Stop {
    /// Asks a function.
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
