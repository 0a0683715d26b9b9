//! `hmt-build`: exchanges in, an OpenAPI spec out.

mod args;
mod fold;
mod output;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;
use hmt_core::cli::{self, Status};
use hmt_core::infer::{Builder, Options};
use hmt_core::spec::{Document, Version};

use args::{Args, Config};

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run("hmt-build", || build(&args.config()?))
}

fn build(config: &Config) -> anyhow::Result<Status> {
    if config.reads_stdin() {
        cli::ignore_first_sigint()?;
    }
    let inputs = verify::inputs(config)?;
    let folded = fold::fold(&inputs, config)?;
    if folded.nothing_usable() {
        anyhow::bail!("all {} records rejected, so nothing was written", folded.rejected);
    }
    if config.partial {
        output::partial(&folded.builder.to_partial(), config)?;
    } else {
        let document = document(folded.builder, config);
        output::document(&document.root, config)?;
        verify::verify(&document, &inputs, config)?;
    }
    Ok(if folded.rejected > 0 { Status::Partly } else { Status::Done })
}

/// The spec of what was folded.
fn document(builder: Builder, config: &Config) -> Document {
    let options = Options { title: config.title.clone(), templates: Vec::new() };
    Document {
        root: builder.finalise(&options),
        source: "the inferred spec".to_owned(),
        version: Version::V3_0,
        warnings: Vec::new(),
    }
}
