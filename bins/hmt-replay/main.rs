//! `hmt-replay`: recordings as a server.

mod args;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Parser as _;
use hmt_core::cli::daemon::{self, PidFile};
use hmt_core::cli::{self, Messages, Status};
use hmt_core::net::{Client, bind, ready_line, ready_line_tls};
use hmt_core::recorded::Recordings;
use hmt_core::replay::{self, FallbackUpstream, LoadedRecordings, UpstreamRecorder};
use hmt_core::stream::{Locator, Reader, Rejects, Rotation, open_rotating_sink};

use args::{Action, Args, Config, OnMiss};

const TOOL: &str = "hmt-replay";

/// An answer is dozens of small allocations; most C libraries take their time with them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(TOOL, || match Args::parse().action()? {
        Action::Serve(config) => run(*config),
        Action::Daemon(port) => daemon::start(TOOL, port),
        Action::Stop(port) => daemon::stop(TOOL, port),
        Action::Status(port) => daemon::status(TOOL, port),
    })
}

fn run(config: Config) -> anyhow::Result<Status> {
    let messages = Messages::new(TOOL, config.quiet);
    let LoadedRecordings { mut recordings, rejected, .. } = load(&config, &messages)?;
    recordings.set_loop(config.again);
    let upstream = upstream(&config)?.map(Arc::new);
    if let Some(redactor) = config.redactor.clone() {
        recordings.set_pseudonym(move |secret| redactor.pseudonym(secret));
    }
    serve(config, &messages, recordings, upstream)?;
    Ok(if rejected > 0 { Status::Partly } else { Status::Done })
}

fn load(config: &Config, messages: &Messages) -> anyhow::Result<LoadedRecordings> {
    let told = messages.clone();
    let mut rejects = Rejects::new(move |text| told.error(text));
    let mut first = None;
    let reader = Reader::open(&config.sources, Some(Box::new(io::stdin())), config.block_size)?
        .without_partials();
    let loaded = replay::load(reader, config.rule.clone(), |place, why| {
        first.get_or_insert_with(|| format!("{place}: {why}"));
        rejects.add(place, why);
    })?;
    let exchanges = loaded.exchanges + loaded.left_out;
    rejects.finish(exchanges);
    if let Some(first) = first.filter(|_| config.strict) {
        bail!("--strict: {first}");
    }
    if loaded.rejected > 0 && exchanges == 0 {
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

/// The server that is asked for what was not recorded.
fn upstream(config: &Config) -> anyhow::Result<Option<FallbackUpstream>> {
    let (target, out) = match (&config.on_miss, &config.out) {
        (OnMiss::Ask(target), _) => (target, None),
        (OnMiss::Record(target), Some(out)) => (target, Some(out)),
        _ => return Ok(None),
    };
    let record = match (out, &config.redactor) {
        (Some(out), Some(redactor)) => {
            let stdout: Option<Box<dyn Write + Send>> = match out {
                Locator::Stdio => Some(Box::new(cli::stdout_unbuffered()?)),
                _ => None,
            };
            let sink = open_rotating_sink(out, stdout, Rotation::default())?;
            Some(UpstreamRecorder::new(vec![sink], Arc::clone(redactor)))
        }
        _ => None,
    };
    Ok(Some(FallbackUpstream::new(Client::new(None)?, target.clone(), record)))
}

fn serve(
    config: Config,
    messages: &Messages,
    recordings: Recordings,
    upstream: Option<Arc<FallbackUpstream>>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let shutdown = cli::shutdown()?;
        let listener = bind(config.address, config.port, "-p/--port").await?;
        let address = listener.local_addr()?;
        let _pid_file =
            if daemon::is_daemon() { Some(PidFile::claim(TOOL, address.port())?) } else { None };
        let is_tls = config.serving.protocols.is_tls();
        messages.ready(if is_tls { ready_line_tls(address) } else { ready_line(address) });
        let asked = upstream.clone();
        anyhow::Ok(replay::serve(recordings, asked, listener, config.serving, shutdown).await?)
    })?;
    // Names that are still being resolved must not hold up the end.
    runtime.shutdown_background();
    let replay::ReplaySummary { answered, missed, passed_on, failed, .. } = served;
    let mut line = format!("answered {answered}, missed {missed}");
    if upstream.is_some() {
        line.push_str(&format!(", of these asked upstream {passed_on}, failed {failed}"));
    }
    messages.warn(line);
    if let Some(upstream) = upstream.and_then(Arc::into_inner) {
        upstream.close().context("--out")?;
    }
    Ok(())
}
