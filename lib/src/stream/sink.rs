//! Where exchanges go: one line at a time, each in one write, so that several writers of one file never mix
//! their lines and a kill leaves at most one torn.

use std::io::{self, Write};
use std::path::PathBuf;

use super::locator::{Locator, by_name};
use super::log_dir::LogDir;
use super::rotate::{Log, Rotation};

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
    /// A file kind that is a source only.
    #[error("{}: a HAR can be read, not written; name a .jsonl file", .0.display())]
    Har(PathBuf),
    /// No standard output to write to.
    #[error("-: standard output can be named once only")]
    StdoutTwice,
    /// Kafka is not built in.
    #[error(
        "{0}: this build of hmt has no Kafka; write to - and pipe the lines into another program"
    )]
    Kafka(String),
}

/// Opens a sink; `stdout` stands for `-`. Files are appended to, folders get one log for each host.
///
/// # Errors
/// What cannot be opened, a HAR, Kafka, `-` without `stdout`.
pub fn open_sink(
    locator: &Locator,
    stdout: Option<Box<dyn Write + Send>>,
) -> Result<Box<dyn Sink>, SinkError> {
    open_rotating_sink(locator, stdout, Rotation::default())
}

/// Opens a sink as [`open_sink`] does, whose files make room for the next.
///
/// # Errors
/// What cannot be opened, a HAR, Kafka, `-` without `stdout`.
pub fn open_rotating_sink(
    locator: &Locator,
    stdout: Option<Box<dyn Write + Send>>,
    rotation: Rotation,
) -> Result<Box<dyn Sink>, SinkError> {
    Ok(match locator {
        Locator::Stdio => Box::new(Pipe { out: stdout.ok_or(SinkError::StdoutTwice)? }),
        Locator::File(path) => match by_name(path) {
            (Some(super::locator::Content::Har), _) => return Err(SinkError::Har(path.clone())),
            _ => Box::new(Log::open(path, rotation)?),
        },
        Locator::Dir(path) => Box::new(LogDir::open(path, rotation)?),
        Locator::Kafka(url) => return Err(SinkError::Kafka(url.clone())),
    })
}

/// Standard output: handed over line by line, for whoever reads the other end.
struct Pipe {
    out: Box<dyn Write + Send>,
}

impl Pipe {
    fn failed(cause: io::Error) -> SinkError {
        SinkError::Write { name: "standard output".to_owned(), cause }
    }
}

impl Sink for Pipe {
    fn write(&mut self, _host: &str, line: &[u8]) -> Result<(), SinkError> {
        self.out.write_all(line).map_err(Pipe::failed)?;
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
#[path = "sink_tests.rs"]
mod tests;
