//! `hmt-replay`: serves recordings, and sends them again.

mod args;
mod load;
#[path = "../parse.rs"]
mod parse;
mod send;
mod serve;
#[path = "../serving.rs"]
mod serving;

use std::process::ExitCode;

use hmt_core::cli::{self, daemon};
use hmt_core::exchange::shown_text;

use args::{Action, Args};

const TOOL: &str = "hmt-replay";

/// An answer needs dozens of small allocations, which are slow in most C libraries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(TOOL, shown_text, || match parse::args::<Args>().0.action()? {
        Action::Serve(config) => serve::run(*config),
        Action::Send(config) => send::run(*config),
        Action::Daemon(port) => daemon::start(TOOL, port),
        Action::Stop(port) => daemon::stop(TOOL, port),
        Action::Status(port) => daemon::status(TOOL, port),
    })
}
