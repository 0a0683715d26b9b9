//! `hmt-build`: exchanges in, an OpenAPI spec out.

mod args;
#[path = "../finalise.rs"]
mod finalise;
mod fold;
mod initial;
mod state;
mod track;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;
use hmt_core::cli::{self, Status};
use hmt_core::exchange::file_name_of_host;
use hmt_core::spec::{Document, to_text};

use args::{Args, Config};

/// A state is many small allocations, made and freed in no order: a tenth of the time with the allocator of most C libraries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run("hmt-build", || build(&args.config()?))
}

/// Nothing for what has no host.
fn host_file(host: &str) -> String {
    if host.is_empty() { String::new() } else { file_name_of_host(host) }
}

/// Writes a spec, where hosts are split, that of one host.
fn write(host: Option<&str>, document: &Document, config: &Config) -> anyhow::Result<()> {
    // Recordings are traffic: a spec that holds them is its owner's alone.
    let private = document.root.get("x-hmt-replay").is_some();
    let text = to_text(&document.root, config.format);
    match host {
        Some(host) => config.target.of_host(&host_file(host)).write(&text, private),
        None => config.target.write(&text, private),
    }
}

fn build(config: &Config) -> anyhow::Result<Status> {
    if config.reads_stdin() {
        cli::ignore_first_sigint()?;
    }
    let initial = config.initial.as_deref().map(initial::load).transpose()?;
    let inputs = verify::inputs(config)?;
    let checker = initial.as_ref().map(initial::checker).transpose()?;
    let before = config.state.as_deref().map(state::load).transpose()?.flatten();
    let folded = fold::fold(&inputs, before, checker.as_ref(), config)?;
    let rejected = folded.rejected;
    let after = config.state.as_deref().map(|path| (path, folded.builder.to_partial()));
    if folded.nothing_usable() {
        anyhow::bail!("all {} records rejected, so nothing was written", folded.rejected);
    }
    if config.partial {
        config.target.write(&format!("{}\n", folded.builder.to_partial()), true)?;
    } else {
        let mut all = Vec::new();
        if config.split_hosts {
            for (host, builder) in folded.builder.split_hosts() {
                all.push((Some(host), initial::document(builder, None, None, config)?));
            }
        } else {
            let built = initial::document(folded.builder, folded.contradictions, initial, config)?;
            all.push((None, built));
        }
        for (host, built) in &all {
            write(host.as_deref(), &built.document, config)?;
        }
        verify::verify(&all, &inputs, config)?;
    }
    // Last: what the state counts is in what was written.
    if let Some((path, line)) = after {
        state::save(path, &line)?;
    }
    Ok(if rejected > 0 { Status::Partly } else { Status::Done })
}
