//! `hmt-build`: exchanges in, an OpenAPI spec out.

mod args;
#[path = "../finalise.rs"]
mod finalise;
mod fold;
mod follow;
mod initial;
mod inputs;
mod output;
mod state;
#[cfg(feature = "kafka")]
mod topic;
mod track;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;
use hmt_core::cli::{self, Status};

use args::{Args, Config};
use inputs::Inputs;

/// A state is many small allocations, made and freed in no order: a tenth of the time with the allocator of most C libraries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run("hmt-build", || build(&args.config()?))
}

fn build(config: &Config) -> anyhow::Result<Status> {
    #[cfg(feature = "kafka")]
    if let Some(topic) = config.kept_topic() {
        return topic::build(topic, config);
    }
    if let Some(every) = config.follow {
        return follow::follow(config, every);
    }
    let inputs = Inputs::prepare(config)?;
    let initial = config.initial.as_deref().map(initial::load).transpose()?;
    let checker = initial.as_ref().map(initial::checker).transpose()?;
    let mut earlier = state::earlier(config)?;
    let mut reader = inputs.open(config)?;
    if config.track_inputs {
        track::files(&mut reader, &mut earlier.ledger, config)?;
    }
    let mut folded = fold::fold(&mut reader, earlier, checker.as_ref(), config)?;
    let rejected = folded.rejected;
    if folded.nothing_usable() {
        anyhow::bail!("all {rejected} records rejected, so nothing was written");
    }
    let contradictions = folded.contradictions.take();
    let folded = folded.into_earlier();
    folded.tell(config);
    let Some(builder) = folded.builder else { return Ok(Status::Done) };
    let after = config.state.as_deref().map(|path| (path, builder.to_partial()));
    if config.partial {
        config.target.write(&format!("{}\n", builder.to_partial()), true)?;
    } else {
        let all = output::specs(builder, contradictions, initial, config)?;
        output::write(&all, config)?;
        if config.verify {
            verify::verify(&all, inputs.again(reader.partitions())?, config)?;
        }
    }
    // Last: what the state counts is in what was written.
    if let Some((path, line)) = after {
        state::save(path, &line)?;
    }
    Ok(if rejected > 0 { Status::Partly } else { Status::Done })
}
