//! `hmt-build`: builds an OpenAPI spec from exchanges.

mod args;
#[path = "../finalise.rs"]
mod finalise;
#[path = "../parse.rs"]
mod parse;

use std::process::ExitCode;

use anyhow::Context as _;
use hmt_core::build::{self, BuildError, Config, Stop};
use hmt_core::cli::{self, Failure, Status};
use hmt_core::exchange::shown_text;

use args::Args;

/// A state consists of many small allocations, which are freed in random order. The allocators of
/// most C libraries take ten times as long.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run("hmt-build", shown_text, || {
        let (args, _) = parse::args::<Args>();
        let mut config = args.config()?;
        config.environment.stop = stop(&config).context("cannot handle signals")?;
        match build::run(&config) {
            Ok(0) => Ok(Status::Done),
            Ok(_) => Ok(Status::Partly),
            Err(BuildError::Usage(what)) => Err(Failure::usage(what)),
            Err(BuildError::Reported) => Err(Failure::Reported.into()),
            Err(error) => Err(error.into()),
        }
    })
}

/// Sets up the signals. They reach the whole pipeline, so a builder that reads standard input
/// continues to the end of the recorder's output.
fn stop(config: &Config) -> std::io::Result<Stop> {
    let asked = match (config.follow.is_some(), config.reads_stdin()) {
        (true, true) => {
            cli::ignore_first_sigint()?;
            cli::stop_on_sigterm()?
        }
        (true, false) => cli::stop_on_signals()?,
        _ if config.topic().is_some() => cli::stop_on_signals()?,
        (false, true) => {
            cli::ignore_first_signal()?;
            return Ok(Stop::never());
        }
        (false, false) => {
            cli::end_on_sigterm()?;
            return Ok(Stop::never());
        }
    };
    Ok(Stop::new(move || asked.is_set()))
}
