//! Opens the sink of a locator.

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use super::kafka;
use super::locator::Locator;
use super::log_dir::LogDir;
use super::rotate::{RotatedLog, Rotation};
use super::sink::{Sink, SinkError};

/// Opens a sink; `stdout` is used for `-`. Files are appended to, and folders get one log per host.
///
/// # Errors
/// A path that cannot be opened, a topic that cannot be set up, `-` without `stdout`.
pub fn open_sink(
    locator: &Locator,
    stdout: Option<Box<dyn Write + Send>>,
) -> Result<Box<dyn Sink>, SinkError> {
    open_rotating_sink(locator, stdout, Rotation::default())
}

/// Like [`open_sink`], with rotation of files.
///
/// # Errors
/// A path that cannot be opened, a topic that cannot be set up, `-` without `stdout`.
pub fn open_rotating_sink(
    locator: &Locator,
    stdout: Option<Box<dyn Write + Send>>,
    rotation: Rotation,
) -> Result<Box<dyn Sink>, SinkError> {
    Ok(match locator {
        Locator::Stdio => {
            Box::new(StdoutSink { out: stdout.ok_or(SinkError::StdoutTwice)?, torn: false })
        }
        Locator::File(path) => Box::new(RotatedLog::open(path, rotation)?),
        Locator::Dir(path) => Box::new(LogDir::open(path, rotation)?),
        Locator::Kafka(topic) => kafka::open_sink(topic)?,
    })
}

/// Standard output, flushed after each line for its reader.
struct StdoutSink {
    out: Box<dyn Write + Send>,
    /// True if the previous line may be torn.
    torn: bool,
}

impl StdoutSink {
    fn failed(cause: io::Error) -> SinkError {
        SinkError::Write { name: "standard output".to_owned(), cause }
    }
}

impl Sink for StdoutSink {
    fn write(&mut self, _host: &str, line: &[u8]) -> Result<(), SinkError> {
        let written = if std::mem::replace(&mut self.torn, true) {
            self.out.write_all(&[b"\n", line].concat())
        } else {
            self.out.write_all(line)
        };
        written.map_err(StdoutSink::failed)?;
        self.torn = false;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.out.flush().map_err(StdoutSink::failed)
    }

    fn close(mut self: Box<Self>) -> Result<(), SinkError> {
        self.flush()
    }
}
