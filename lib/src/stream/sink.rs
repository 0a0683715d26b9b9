//! Sinks for exchanges: one line at a time, each in one write, so that several writers of a file
//! never mix their lines, and a kill leaves at most one torn line.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::delivery_deadline::DeliveryDeadline;

/// Receives messages for the user at run time.
pub type Notify = Arc<dyn Fn(&str) + Send + Sync>;

/// Accepts lines. After `write`, a plain file or pipe has the line; a compressed file has it after
/// `flush`.
pub trait Sink: Send {
    /// Writes a line, with its newline, of an exchange with `host`.
    ///
    /// # Errors
    /// The line is not written, or torn; the next line then begins on a new line.
    fn write(&mut self, host: &str, line: &[u8]) -> Result<(), SinkError>;

    /// Writes buffered data.
    ///
    /// # Errors
    /// Those of writing.
    fn flush(&mut self) -> Result<(), SinkError>;

    /// Waits until all written data is on disk, if the sink is a file.
    ///
    /// # Errors
    /// Those of writing.
    fn sync(&mut self) -> Result<(), SinkError> {
        self.flush()
    }

    /// Waits until the receivers have acknowledged all lines, if they do that.
    ///
    /// # Errors
    /// A line was refused.
    fn confirm(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Sets who receives messages, for instance that no receiver is reachable.
    fn report_to(&mut self, _: Notify) {}

    /// The deadline of a sink that waits for others, and its default idle limit.
    fn delivery_deadline(&self) -> Option<(DeliveryDeadline, Duration)> {
        None
    }

    /// Writes buffered data, and the end of a compressed file.
    ///
    /// # Errors
    /// Those of writing.
    fn close(self: Box<Self>) -> Result<(), SinkError>;
}

/// The advice if a file is in the place of a folder.
fn file_in_place(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "; a file is where a folder must be, so name another folder"
        }
        _ => "",
    }
}

/// Why a line could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A file or folder cannot be created or opened.
    #[error("{}: cannot be opened for writing{}", .path.display(), file_in_place(cause))]
    Open {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// A write failed.
    #[error("{name}: cannot be written")]
    Write {
        /// The sink's name.
        name: String,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// `-` was given twice, or there is no standard output.
    #[error("-: standard output can be named only once")]
    StdoutTwice,
    /// A topic cannot be written.
    #[error("{topic}: {why}")]
    Kafka {
        /// The topic.
        topic: String,
        /// The cause.
        why: String,
    },
    /// A topic did not accept some records.
    #[error(transparent)]
    Unsent(Box<Unsent>),
}

/// Records that a topic did not accept, and that are saved in a file.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name}: {count} records could not be sent ({why}{}) and are kept in {}; send them later with: hmt-record import {} --out '{topic}'",
    if *.perhaps { "; some of them may have arrived" } else { "" },
    .file.display(),
    .file.display()
)]
pub struct Unsent {
    /// The topic as it was given.
    pub topic: String,
    /// The same without parameters.
    pub name: String,
    /// The file with the records.
    pub file: PathBuf,
    /// Their number.
    pub count: u64,
    /// How many of these the sink had accepted.
    pub taken: u64,
    /// Why the first one was not sent.
    pub why: String,
    /// Whether some of them were in flight, and may have arrived.
    pub perhaps: bool,
}
