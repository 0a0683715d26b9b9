//! `hmt-mock`: serves specs.

mod args;
mod log;
#[path = "../parse.rs"]
mod parse;
mod serve;
#[path = "../serving.rs"]
mod serving;
mod specs;

use std::process::ExitCode;

use hmt_core::cli::{self, Messages, Status};
use hmt_core::exchange::shown_text;

use args::{Args, Command, Config};
use specs::Specs;

/// An answer needs dozens of small allocations, which are slow in most C libraries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TOOL: &str = "hmt-mock";

fn main() -> ExitCode {
    cli::run(TOOL, shown_text, || match Args::read()? {
        Command::Serve(config) => run(*config),
        Command::Daemon(port) => cli::daemon::start(TOOL, port),
        Command::Stop(port) => cli::daemon::stop(TOOL, port),
        Command::Status(port) => cli::daemon::status(TOOL, port),
    })
}

fn run(config: Config) -> anyhow::Result<Status> {
    let messages = Messages::new(TOOL, config.quiet);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut specs = Specs::new(&config, runtime.handle().clone())?;
    let catalogue = specs.load(&messages)?;
    let operations = cli::counted(catalogue.operations() as u64, "operation");
    runtime.block_on(serve::serve(config, &messages, specs, catalogue))?;
    messages.closing(format_args!("{operations} served"));
    Ok(Status::Done)
}
