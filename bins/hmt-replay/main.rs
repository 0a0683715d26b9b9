//! `hmt-replay`: recordings as a server.

mod args;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use clap::Parser as _;
use hmt_core::cli::{self, Messages, Status};
use hmt_core::net::{bind, ready_line};
use hmt_core::replay::{self, Loaded};
use hmt_core::stream::{Reader, Rejects};

use args::{Args, Config};

/// An answer is dozens of small allocations; most C libraries take their time with them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run("hmt-replay", || {
        let mut config = Args::parse().config()?;
        let messages = Messages::new("hmt-replay", config.quiet);
        let mut loaded = load(&config, &messages)?;
        let rejected = loaded.rejected;
        if let Some(redactor) = config.redactor.take() {
            loaded.recordings.set_pseudonym(move |secret| redactor.pseudonym(secret));
        }
        serve(config, &messages, loaded)?;
        Ok(if rejected > 0 { Status::Partly } else { Status::Done })
    })
}

fn load(config: &Config, messages: &Messages) -> anyhow::Result<Loaded> {
    let told = messages.clone();
    let mut rejects = Rejects::new(move |text| told.error(text));
    let reader = Reader::open(&config.sources, Some(Box::new(io::stdin())), config.block_size)?;
    let loaded = replay::load(reader, config.rule.clone(), |place, why| {
        rejects.add(place, why);
    })?;
    rejects.finish(loaded.exchanges + loaded.left_out);
    if loaded.rejected > 0 && loaded.exchanges + loaded.left_out == 0 {
        bail!("no record is an exchange: there is nothing to replay");
    }
    for note in &loaded.notes {
        messages.warn(note);
    }
    if let Some(why) = loaded.why {
        let left_out = loaded.left_out;
        messages.warn(format_args!("{left_out} exchanges left out; of the first: {why}"));
    }
    if loaded.recordings.dropped_headers() > 0 {
        let dropped = loaded.recordings.dropped_headers();
        messages.warn(format_args!("{dropped} recorded headers cannot stand in an answer"));
    }
    let (exchanges, requests) = (loaded.exchanges, loaded.recordings.len());
    messages.warn(format_args!("{exchanges} answers to {requests} different requests"));
    Ok(loaded)
}

fn serve(config: Config, messages: &Messages, loaded: Loaded) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = cli::shutdown()?;
        let listener = bind(config.address, config.port, "-p/--port").await?;
        messages.ready(ready_line(listener.local_addr()?));
        let recordings = Arc::new(loaded.recordings);
        replay::serve(recordings, listener, config.serving, shutdown).await?;
        Ok(())
    })
}
