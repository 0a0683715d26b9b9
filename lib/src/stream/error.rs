//! What can go wrong with a source.

use std::io;
use std::path::{Path, PathBuf};

/// Why exchanges cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A path that is not there.
    #[error("{}: no such file or folder", .0.display())]
    Missing(PathBuf),
    /// A path that cannot be opened or listed.
    #[error("{}: cannot be opened", .path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// A folder without any capture.
    #[error("{}: no capture in this folder; captures are JSON Lines, HAR, mitmproxy flows, Charles JSON sessions and Postman collections", .0.display())]
    Empty(PathBuf),
    /// Something else than exchanges.
    #[error("{source_name}: this is {what}; {advice}")]
    Kind {
        /// The source's name.
        source_name: String,
        /// What it is.
        what: &'static str,
        /// What takes it.
        advice: &'static str,
    },
    /// A source that broke while it was read.
    #[error("{source_name}: cannot be read further")]
    Read {
        /// The source's name.
        source_name: String,
        /// What happened.
        #[source]
        cause: io::Error,
    },
    /// `-` given twice, or where there is no standard input to read.
    #[error("-: standard input can be read once only")]
    StdinTwice,
    /// A topic that cannot be read.
    #[error("{topic}: {why}")]
    Kafka {
        /// The topic.
        topic: String,
        /// Why not.
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
