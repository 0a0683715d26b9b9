//! Parses the command line. Error messages do not contain passwords.

use std::io::{IsTerminal as _, Write as _};

use clap::{ArgMatches, Parser};
use hmt_core::cli::filtered;

/// The arguments of this process, and their sources. Help, version and wrong usage end the program.
pub(crate) fn args<A: Parser>() -> (A, ArgMatches) {
    let matches = A::command().try_get_matches().unwrap_or_else(|error| exit(&error));
    let args = A::from_arg_matches(&matches).unwrap_or_else(|error| exit(&error));
    (args, matches)
}

/// Ends the program as clap does, but with the secrets in its message replaced.
fn exit(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let text = error.render();
    let mut stderr = std::io::stderr().lock();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|no| !no.is_empty());
    let text = match stderr.is_terminal() && !plain {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    // If standard error is closed, the message is lost.
    let _ = stderr.write_all(filtered(&text).as_bytes());
    std::process::exit(error.exit_code())
}
