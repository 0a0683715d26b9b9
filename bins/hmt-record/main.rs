//! `hmt-record`: a proxy that writes down what passes, and `hmt-record import`.

mod args;
mod import;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};
use hmt_core::cli::{self, Status};
use hmt_core::stream::Locator;
use hmt_core::{net, record};

use args::{Args, Command, Start};

fn main() -> ExitCode {
    cli::run("hmt-record", || match Args::read()? {
        Command::Start(start) => run(*start),
        Command::Import(import) => import::run(*import),
    })
}

fn run(start: Start) -> anyhow::Result<Status> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(serve(start));
    // A name that is still being resolved must not hold up the end.
    runtime.shutdown_background();
    ended
}

async fn serve(start: Start) -> anyhow::Result<Status> {
    let Start { ip, port, mut config, outputs, messages } = start;
    let signalled = cli::shutdown().context("cannot handle signals")?;
    let listener = net::bind(ip, port, "-p/--port").await?;
    let sinks = args::open(&outputs)?;
    config.limits.report = Arc::new({
        let messages = messages.clone();
        move |text: &str| messages.warn(text)
    });
    let unread = AtomicBool::new(false);
    let shutdown = async {
        tokio::select! {
            () = signalled => (),
            // A recorder must not run unrecorded.
            () = cli::stdout_closed(), if outputs == [Locator::Stdio] => {
                unread.store(true, Ordering::Relaxed);
            }
        }
    };
    writeln!(io::stderr(), "{}", net::ready_line(listener.local_addr()?))?;
    let summary = record::record(listener, config, sinks, shutdown).await?;
    messages.warn(&summary);
    if let Some(error) = summary.sink_error {
        return Err(anyhow!("the recording is not complete: {error}"));
    }
    if unread.load(Ordering::Relaxed) {
        return Err(anyhow!("ended because nobody reads the records any more"));
    }
    Ok(Status::Done)
}
