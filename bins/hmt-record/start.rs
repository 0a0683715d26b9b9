//! `hmt-record start`: records until a signal ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};
use hmt_core::cli::daemon::PidFile;
use hmt_core::cli::{self, Status};
use hmt_core::record::OnSinkError;
use hmt_core::stream::Locator;
use hmt_core::{net, record};

use crate::args::Start;
use crate::progress::StatusReporter;
use crate::{TOOL, args, memory};

pub(crate) fn run(start: Start) -> anyhow::Result<Status> {
    memory::use_small_pages();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(serve(start));
    // A pending name resolution must not delay the end.
    runtime.shutdown_background();
    ended
}

async fn serve(start: Start) -> anyhow::Result<Status> {
    let Start { ip, port, mut config, outputs, rotation, watched, messages } = start;
    let signalled = cli::shutdown().context("cannot handle signals")?;
    let listener = net::bind(ip, port, "-p/--port").await?;
    let sinks = args::sinks::open(&outputs, rotation)?;
    let teller = StatusReporter::new(messages);
    config.limits.report = Arc::new({
        let teller = teller.clone();
        move |text: &str| teller.warn(text)
    });
    config.watch = teller.watch(watched);
    let stops = config.delivery.on_error == OnSinkError::Stop;
    let unread = AtomicBool::new(false);
    let shutdown = async {
        tokio::select! {
            () = signalled => (),
            // A recorder must not run without recording.
            () = cli::stdout_closed(), if outputs == [Locator::Stdio] && stops => {
                unread.store(true, Ordering::Relaxed);
            }
        }
    };
    let port = listener.local_addr()?.port();
    let _pid_file = PidFile::claim_in_background(TOOL, port)?;
    teller.ready(net::ready_line(listener.local_addr()?, &net::Protocols::cleartext()));
    let places = args::sinks::places(&outputs);
    if let Some(places) = &places {
        teller.warn(format_args!("writing to {places}"));
    }
    let summary = record::record(listener, config, sinks, shutdown).await?;
    teller.sum_up(&summary)?;
    if let Some(places) = places {
        teller.closing(format_args!("{}: {places}", cli::counted(summary.written, "exchange")));
    }
    if unread.load(Ordering::Relaxed) {
        return Err(anyhow!("ended because the reader of standard output has ended"));
    }
    Ok(Status::Done)
}
