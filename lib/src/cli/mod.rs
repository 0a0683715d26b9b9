//! Unix process conventions: exit statuses, error messages, broken pipes, signals, shared flags,
//! atomic files.
//!
//! Every executable is `fn main() -> ExitCode { cli::run("hmt-x", shown_text, || …) }`, so that all
//! of them start, fail and end the same way.

pub mod daemon;
mod destination;
mod exit;
mod output;
mod signals;
mod stdout;

pub use crate::units::{counted, parse_duration, parse_size};
pub use destination::Destination;
pub use exit::{Failure, Status, run};
pub use output::{
    Filter, Messages, NEXT, StatusLine, filtered, is_foreground_terminal, replace_file,
};
pub use signals::{
    StopFlag, end_on_sigterm, ignore_first_sigint, ignore_first_signal, shutdown, shutdown_signal,
    stop_on_signals, stop_on_sigterm,
};
pub use stdout::{stdout_closed, stdout_unbuffered};
