//! Exit statuses, and the conversion of errors to them.

use std::io;
use std::process::ExitCode;

use super::output::{Filter, filter_messages, tell};
use super::signals::report_large_files;

/// The result of a run without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Done,
    /// `status` found no running daemon, or the run succeeded but rejected some input records.
    Partly,
}

/// An error with its own exit status; all other errors have status 1.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Wrong usage of the command line that clap did not detect: exit 2.
    #[error("{0}")]
    Usage(String),
    /// Already reported on stderr: exit 1 without a further message.
    #[error("failed")]
    Reported,
    /// The same with another status, from a child process.
    #[error("failed with {0}")]
    Exit(u8),
}

impl Failure {
    /// A usage error as an [`anyhow::Error`].
    pub fn usage(message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Failure::Usage(message.into()))
    }
}

/// Runs a program's body and converts its result to an exit status: 0 done, 1 failed, 2 wrong
/// usage, 3 partly. If the reader closes the output pipe, the program ends silently with 0. Every
/// message passes `filter`, which replaces secrets.
pub fn run(
    program: &str,
    filter: Filter,
    body: impl FnOnce() -> anyhow::Result<Status>,
) -> ExitCode {
    filter_messages(filter);
    report_large_files();
    match body() {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Partly) => ExitCode::from(3),
        Err(error) => failed(program, &error),
    }
}

fn failed(program: &str, error: &anyhow::Error) -> ExitCode {
    let closed_pipe = error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    });
    if closed_pipe {
        return ExitCode::SUCCESS;
    }
    match error.downcast_ref::<Failure>() {
        Some(Failure::Reported) => ExitCode::from(1),
        Some(Failure::Exit(code)) => ExitCode::from(*code),
        Some(Failure::Usage(message)) => {
            tell(format_args!("{program}: {message}\nTry '{program} --help'."));
            ExitCode::from(2)
        }
        None => {
            tell(format_args!("{program}: {error:#}"));
            ExitCode::from(1)
        }
    }
}
