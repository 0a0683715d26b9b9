//! `hmt-replay serve`: loads recordings, and serves them until a signal ends the program.

use std::sync::Arc;

use anyhow::Context as _;
use hmt_core::cli::daemon::{self, PidFile};
use hmt_core::cli::{self, Messages, Status};
use hmt_core::net::{Client, bind, ready_line, ready_line_tls};
use hmt_core::replay::{self, FallbackUpstream, LoadedRecordings, ReplaySummary, UpstreamRecorder};
use hmt_core::stream::Locator;

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
    let responses = cli::count(loaded.recordings.len() as u64, "recorded response");
    messages.warn(serve(config, &messages, loaded, upstream.clone())?);
    messages.closing(format_args!("{responses} served"));
    if let Some(upstream) = upstream.and_then(Arc::into_inner) {
        upstream.close().context("--out")?;
    }
    Ok(if rejected > 0 { Status::Partly } else { Status::Done })
}

/// The server for requests that were not recorded.
fn upstream(config: &Config) -> anyhow::Result<Option<FallbackUpstream>> {
    let Some(target) = config.upstream.clone() else { return Ok(None) };
    let record = match (&config.out, &config.redactor) {
        (Some(Locator::Stdio), Some(redactor)) => {
            let stdout = Box::new(cli::stdout_unbuffered()?);
            Some(UpstreamRecorder::open(&Locator::Stdio, Some(stdout), Arc::clone(redactor))?)
        }
        (Some(out), Some(redactor)) => {
            Some(UpstreamRecorder::open(out, None, Arc::clone(redactor))?)
        }
        _ => None,
    };
    Ok(Some(FallbackUpstream::new(Client::new(None)?, target, record)))
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
        let _pid_file =
            if daemon::is_daemon() { Some(PidFile::claim(TOOL, address.port())?) } else { None };
        let is_tls = config.serving.protocols.is_tls();
        messages.ready(if is_tls { ready_line_tls(address) } else { ready_line(address) });
        let LoadedRecordings { recordings, .. } = loaded;
        anyhow::Ok(replay::serve(recordings, upstream, listener, config.serving, shutdown).await?)
    });
    // Pending name resolutions must not delay the end.
    runtime.shutdown_background();
    served
}
