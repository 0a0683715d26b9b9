//! `hmt-record`: a recording proxy, and `hmt-record import`.

mod args;
mod import;
mod memory;
#[path = "../parse.rs"]
mod parse;
mod progress;
mod start;

use std::process::ExitCode;

use hmt_core::cli;
use hmt_core::exchange::shown_text;

use args::{Args, Command};

const TOOL: &str = "hmt-record";

/// An exchange needs dozens of small allocations, which are slow in most C libraries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(TOOL, shown_text, || match Args::read()? {
        Command::Start(start) => start::run(*start),
        Command::Daemon(port) => cli::daemon::start(TOOL, port),
        Command::Stop(port) => cli::daemon::stop(TOOL, port),
        Command::Status(port) => cli::daemon::status(TOOL, port),
        Command::Import(import) => import::run(*import),
    })
}
