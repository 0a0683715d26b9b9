//! Where exchanges go: one line at a time, each in one write, so that several writers of one file never mix
//! their lines and a kill leaves at most one torn.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::delivery_deadline::DeliveryDeadline;
use super::kafka;
use super::locator::Locator;
use super::log_dir::LogDir;
use super::rotate::{Log, Rotation};

/// Told what people should know while it happens.
pub type Notify = Arc<dyn Fn(&str) + Send + Sync>;

/// Takes lines. When `write` has returned, a plain file or pipe has the line; a packed file has it after `flush`.
pub trait Sink: Send {
    /// Writes a line, its newline included, of an exchange with `host`.
    ///
    /// # Errors
    /// The line is then not there, or torn; a later line begins on a line of its own.
    fn write(&mut self, host: &str, line: &[u8]) -> Result<(), SinkError>;

    /// Hands over what is held back.
    ///
    /// # Errors
    /// Those of writing.
    fn flush(&mut self) -> Result<(), SinkError>;

    /// Waits until what was written is on the disk, where the sink is one.
    ///
    /// # Errors
    /// Those of writing.
    fn sync(&mut self) -> Result<(), SinkError> {
        self.flush()
    }

    /// Waits until those whom the sink hands the lines to have confirmed them, where they do such a thing.
    ///
    /// # Errors
    /// They refused one.
    fn confirm(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Says where to tell what people should know: that nobody takes the lines at the moment.
    fn report_to(&mut self, _: Notify) {}

    /// What decides how long the sink waits for others, where it does, and how long one would wait for them unless
    /// something else ends the waiting.
    fn delivery_deadline(&self) -> Option<(DeliveryDeadline, Duration)> {
        None
    }

    /// Writes what is held back, and the end of a packed file.
    ///
    /// # Errors
    /// Those of writing.
    fn close(self: Box<Self>) -> Result<(), SinkError>;
}

/// Why a line could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A file or folder that cannot be made or opened.
    #[error("{}: cannot be opened for writing", .path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// A write that failed.
    #[error("{name}: cannot be written")]
    Write {
        /// The sink's name.
        name: String,
        /// What happened.
        #[source]
        cause: io::Error,
    },
    /// No standard output to write to.
    #[error("-: standard output can be named once only")]
    StdoutTwice,
    /// A topic that takes nothing.
    #[error("{topic}: {why}")]
    Kafka {
        /// The topic.
        topic: String,
        /// Why not.
        why: String,
    },
    /// Records that a topic did not take.
    #[error(transparent)]
    Unsent(Box<Unsent>),
}

/// Records that a topic did not take, and that are kept in a file.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name}: {count} records could not be sent ({why}{}) and are kept in {}; send them later with: hmt-record import {} --out '{topic}'",
    if *.perhaps { ", of which some may have arrived nevertheless" } else { "" },
    .file.display(),
    .file.display()
)]
pub struct Unsent {
    /// The topic as it was named.
    pub topic: String,
    /// The same without parameters.
    pub name: String,
    /// Where the records are.
    pub file: PathBuf,
    /// How many there are.
    pub count: u64,
    /// How many of these the sink had taken.
    pub taken: u64,
    /// Why the first was not sent.
    pub why: String,
    /// Whether some were on their way, so that they may have arrived.
    pub perhaps: bool,
}

/// Opens a sink; `stdout` stands for `-`. Files are appended to, folders get one log for each host.
///
/// # Errors
/// What cannot be opened, a topic that cannot be set up, `-` without `stdout`.
pub fn open_sink(
    locator: &Locator,
    stdout: Option<Box<dyn Write + Send>>,
) -> Result<Box<dyn Sink>, SinkError> {
    open_rotating_sink(locator, stdout, Rotation::default())
}

/// Opens a sink as [`open_sink`] does, whose files make room for the next.
///
/// # Errors
/// What cannot be opened, a topic that cannot be set up, `-` without `stdout`.
pub fn open_rotating_sink(
    locator: &Locator,
    stdout: Option<Box<dyn Write + Send>>,
    rotation: Rotation,
) -> Result<Box<dyn Sink>, SinkError> {
    Ok(match locator {
        Locator::Stdio => {
            Box::new(Pipe { out: stdout.ok_or(SinkError::StdoutTwice)?, torn: false })
        }
        Locator::File(path) => Box::new(Log::open(path, rotation)?),
        Locator::Dir(path) => Box::new(LogDir::open(path, rotation)?),
        Locator::Kafka(topic) => kafka::open_sink(topic)?,
    })
}

/// Standard output: handed over line by line, for whoever reads the other end.
struct Pipe {
    out: Box<dyn Write + Send>,
    /// True where the line before may be torn.
    torn: bool,
}

impl Pipe {
    fn failed(cause: io::Error) -> SinkError {
        SinkError::Write { name: "standard output".to_owned(), cause }
    }
}

impl Sink for Pipe {
    fn write(&mut self, _host: &str, line: &[u8]) -> Result<(), SinkError> {
        let written = if std::mem::replace(&mut self.torn, true) {
            self.out.write_all(&[b"\n", line].concat())
        } else {
            self.out.write_all(line)
        };
        written.map_err(Pipe::failed)?;
        self.torn = false;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.out.flush().map_err(Pipe::failed)
    }

    fn close(mut self: Box<Self>) -> Result<(), SinkError> {
        self.flush()
    }
}

#[cfg(test)]
mod tests;
