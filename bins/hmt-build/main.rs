//! `hmt-build`: exchanges in, an OpenAPI spec out.

mod args;
mod fold;
mod initial;
mod track;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;
use hmt_core::cli::{self, Status};
use hmt_core::spec::to_text;

use args::{Args, Config};

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run("hmt-build", || build(&args.config()?))
}

fn build(config: &Config) -> anyhow::Result<Status> {
    if config.reads_stdin() {
        cli::ignore_first_sigint()?;
    }
    let initial = config.initial.as_deref().map(initial::load).transpose()?;
    let inputs = verify::inputs(config)?;
    let folded = fold::fold(&inputs, config)?;
    if folded.nothing_usable() {
        anyhow::bail!("all {} records rejected, so nothing was written", folded.rejected);
    }
    if config.partial {
        config.target.write(&format!("{}\n", folded.builder.to_partial()), true)?;
    } else {
        let document = initial::document(folded.builder, initial, config)?;
        // Recordings are traffic: a spec that holds them is its owner's alone.
        let private = document.root.get("x-hmt-replay").is_some();
        config.target.write(&to_text(&document.root, config.format), private)?;
        verify::verify(&document, &inputs, config)?;
    }
    Ok(if folded.rejected > 0 { Status::Partly } else { Status::Done })
}
