//! `hmt-replay serve`: loads recordings, and serves them until a signal ends the program.

use std::io::Write;
use std::sync::Arc;

use anyhow::bail;
use hmt_core::cli::daemon::PidFile;
use hmt_core::cli::{self, Messages, Status};
use hmt_core::net::{Client, bind, ready_line};
use hmt_core::replay::{self, FallbackUpstream, LoadedRecordings, ReplaySummary};
use hmt_core::stream::{ExchangeLog, Locator, Rotation, open_rotating_sink};

use crate::args::Config;
use crate::{TOOL, load};

pub(crate) fn run(config: Config) -> anyhow::Result<Status> {
    let messages = Messages::new(TOOL, config.quiet);
    let mut loaded = load::load(&config, &messages)?;
    loaded.recordings.set_loop(config.again);
    if let Some(redactor) = config.redactor.clone() {
        loaded.recordings.set_pseudonym(move |secret| redactor.pseudonym(secret));
    }
    let rejected = loaded.rejected;
    let upstream = upstream(&config)?.map(Arc::new);
    let responses = cli::counted(loaded.recordings.len() as u64, "recorded response");
    messages.warn(serve(config, &messages, loaded, upstream.clone())?);
    messages.closing(format_args!("{responses} served"));
    if let Some(error) = upstream.and_then(Arc::into_inner).and_then(FallbackUpstream::close) {
        bail!("--out: {error}");
    }
    Ok(if rejected > 0 { Status::Partly } else { Status::Done })
}

/// The server for requests that were not recorded.
fn upstream(config: &Config) -> anyhow::Result<Option<FallbackUpstream>> {
    let Some(target) = config.upstream.clone() else { return Ok(None) };
    let log = match &config.out {
        Some(out) => {
            let stdout: Option<Box<dyn Write + Send>> = match out {
                Locator::Stdio => Some(Box::new(cli::stdout_unbuffered()?)),
                _ => None,
            };
            let sink = open_rotating_sink(out, stdout, Rotation::default())?;
            let (redactor, report) = (config.redactor.clone(), config.serving.report.clone());
            Some(ExchangeLog::start(vec![sink], redactor, "the exchanges of --on-miss", report)?)
        }
        None => None,
    };
    Ok(Some(FallbackUpstream::new(Client::new(None)?, target, log)))
}

fn serve(
    config: Config,
    messages: &Messages,
    loaded: LoadedRecordings,
    upstream: Option<Arc<FallbackUpstream>>,
) -> anyhow::Result<ReplaySummary> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let shutdown = cli::shutdown()?;
        let listener = bind(config.address, config.port, "-p/--port").await?;
        let address = listener.local_addr()?;
        let _pid_file = PidFile::claim_in_background(TOOL, address.port())?;
        messages.ready(ready_line(address, &config.serving.protocols));
        let (recordings, latency) = (loaded.recordings, config.latency);
        let served =
            replay::serve(recordings, latency, upstream, listener, config.serving, shutdown);
        anyhow::Ok(served.await?)
    });
    // Pending name resolutions must not delay the end.
    runtime.shutdown_background();
    served
}
