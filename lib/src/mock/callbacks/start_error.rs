//! Why the callbacks cannot be started.

/// Why the callbacks cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be read.
    #[error("{0}: {1}")]
    Folder(String, std::io::Error),
    /// The modules for scripts cannot be written.
    #[error("cannot write the modules for callbacks into the folder for temporary files: {0}")]
    Helpers(std::io::Error),
    /// The task of a start failed.
    #[error("the start of a callback failed: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// The path of a script, and the error in it.
    #[error("callback {0}: it {1}")]
    Script(String, String),
}
