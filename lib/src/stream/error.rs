//! Errors of sources.

use std::io;
use std::path::{Path, PathBuf};

/// Why exchanges cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The path does not exist.
    #[error("{}: no such file or folder; check the name, or record traffic with hmt-record", .0.display())]
    Missing(PathBuf),
    /// A path cannot be opened or listed.
    #[error("{}: cannot be opened", .path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// A folder without captures.
    #[error("{}: this folder contains no captures, which are JSON Lines, HAR, mitmproxy flows, Charles JSON sessions and Postman collections", .0.display())]
    Empty(PathBuf),
    /// The source holds something other than exchanges.
    #[error("{source_name}: this is {what}; {advice}")]
    Kind {
        /// The source's name.
        source_name: String,
        /// The kind of the source.
        what: &'static str,
        /// The program that reads it.
        advice: &'static str,
    },
    /// Reading a source failed.
    #[error("{source_name}: cannot be read further")]
    Read {
        /// The source's name.
        source_name: String,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// `-` was given twice, or there is no standard input.
    #[error("-: standard input can be read only once")]
    StdinTwice,
    /// A topic cannot be read.
    #[error("{topic}: {why}")]
    Kafka {
        /// The topic.
        topic: String,
        /// The cause.
        why: String,
    },
}

impl StreamError {
    pub(super) fn open(path: &Path, cause: io::Error) -> Self {
        if cause.kind() == io::ErrorKind::NotFound {
            StreamError::Missing(path.to_owned())
        } else {
            StreamError::Open { path: path.to_owned(), cause }
        }
    }
}
