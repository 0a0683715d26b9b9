//! `hmt-replay send`: sends recorded requests again.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use hmt_core::cli::{self, Failure, Messages, Status, StatusLine, is_foreground_terminal};
use hmt_core::exchange::Replaced;
use hmt_core::net::{Report, ThrottledReport};
use hmt_core::replay::{
    self, Differ, ExchangeWriter, Observer, SendError, SendProgress, SendSummary,
};
use hmt_core::report::ReportFormat;
use hmt_core::stream::{Locator, Reader, RecordPosition, Rejects, SinkError};
use parking_lot::Mutex;

use super::args::SendConfig;
use super::args::diff::DiffConfig;

/// Block size of reads in bytes.
const BLOCK: usize = 1 << 20;
/// Interval of the status line.
const UPDATE: Duration = Duration::from_millis(500);

pub(super) fn run(config: SendConfig) -> anyhow::Result<Status> {
    let messages = Messages::new(super::TOOL, config.quiet);
    let reader =
        Reader::open(&config.sources, Some(Box::new(io::stdin())), BLOCK)?.without_partials();
    let rejects = Arc::new(Mutex::new(Rejected::new(&messages, config.strict)));
    let on_reject = {
        let rejects = Arc::clone(&rejects);
        move |place: RecordPosition<'_>, why: &str| rejects.lock().add(place, why)
    };
    if config.dry_run {
        let mut tell = |line: &str| messages.warn(line);
        let run = replay::dry_run(reader, &config.options, &mut tell, on_reject)?;
        messages.warn(run.sum_up(&config.options.target, config.options.concurrency));
        run.summary.remarks().into_iter().for_each(|remark| messages.warn(remark));
        let nothing = run.requests == 0 && run.summary.skipped() > 0;
        let rejects = rejects.lock();
        return rejects.status(&run.summary, nothing.then(|| nothing_sent(run.only_unsafe())));
    }
    let mut config = config;
    let diff = config.diff.take();
    let is_batch = config.sources.iter().all(|s| matches!(s, Locator::File(_) | Locator::Dir(_)));
    let signal = Arc::new(AtomicU8::new(0));
    let (mut summary, replaced, differ) =
        send(config, reader, &messages, on_reject, diff.as_ref(), &signal)?;
    let differs = match (diff, differ) {
        (Some(diff), Some(differ)) => report(&diff, differ, &mut summary, &messages)?,
        _ => false,
    };
    messages.warn(&summary);
    summary.remarks().into_iter().for_each(|remark| messages.warn(remark));
    if let Some(replaced) = replaced.filter(|replaced| !replaced.is_empty()) {
        messages.warn(format_args!("replaced: {replaced}; use --keep-secrets to keep all"));
    }
    if summary.stopped && is_batch {
        return Err(Failure::Exit(signal.load(Ordering::Relaxed)).into());
    }
    let nothing = summary.sent == 0 && summary.skipped() + summary.failed() > 0;
    let why = nothing.then(|| match summary.failed() {
        0 => nothing_sent(summary.only_unsafe()),
        _ => "no request got a response".to_owned(),
    });
    let why =
        why.or_else(|| differs.then(|| "the responses differ from the recorded ones".to_owned()));
    let rejects = rejects.lock();
    rejects.status(&summary, why)
}

fn nothing_sent(only_unsafe: bool) -> String {
    match only_unsafe {
        true => "nothing was sent: all methods are unsafe; add --unsafe-methods to send POST, PUT, PATCH and DELETE",
        false => "nothing was sent: all requests were skipped",
    }
    .to_owned()
}

/// Sends the requests. If a signal ends the run early, `signal` receives its exit status.
fn send(
    config: SendConfig,
    reader: Reader,
    messages: &Messages,
    on_reject: impl FnMut(RecordPosition<'_>, &str) -> bool + Send + 'static,
    diff: Option<&DiffConfig>,
    signal: &Arc<AtomicU8>,
) -> anyhow::Result<(SendSummary, Option<Replaced>, Option<Differ>)> {
    let redactor = config.redactor.clone();
    let stdout: Option<Box<dyn io::Write + Send>> = match config.out {
        Locator::Stdio => Some(Box::new(cli::stdout_unbuffered()?)),
        _ => None,
    };
    let warn = messages.clone();
    let notify = Arc::new(move |text: &str| warn.warn(text));
    let writer = ExchangeWriter::open(&config.out, stdout, redactor.clone(), notify)?;
    let differ = diff.map(|diff| Differ::new(diff.options.clone()));
    let status = StatusLine::default();
    let shower = Shower::new(messages.clone(), status.clone(), config.quiet);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let reads_stdin = config.sources.contains(&Locator::Stdio);
    let signal = Arc::clone(signal);
    let sent = runtime.block_on(async {
        if reads_stdin {
            cli::ignore_first_signal()?;
        }
        let signalled = if reads_stdin { None } else { Some(cli::shutdown_signal()?) };
        let shutdown = async move {
            match signalled {
                Some(signalled) => signal.store(signalled.await, Ordering::Relaxed),
                None => std::future::pending().await,
            }
        };
        let sending = replay::send(
            reader,
            config.options,
            writer,
            Box::new(shower),
            differ,
            on_reject,
            shutdown,
        );
        anyhow::Ok(sending.await)
    });
    // Pending name resolutions must not delay the end.
    runtime.shutdown_background();
    status.clear();
    match sent? {
        Ok((summary, differ)) => {
            Ok((summary, redactor.map(|redactor| redactor.replaced()), differ))
        }
        Err(SendError::Sink(SinkError::Write { name, cause }))
            if cause.kind() == io::ErrorKind::BrokenPipe =>
        {
            // The reader of the output has ended.
            Err(anyhow::Error::new(cause).context(name))
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes the reports and the learned rules. Returns true if the responses differ.
fn report(
    diff: &DiffConfig,
    differ: Differ,
    summary: &mut SendSummary,
    messages: &Messages,
) -> anyhow::Result<bool> {
    let result = differ.finish();
    summary.differences = Some(result.differing);
    if let Some((path, text)) = &diff.learn {
        let extended = result.extended_rules(text, &diff.options.rules);
        cli::replace_file(path, extended.as_bytes(), false)
            .with_context(|| format!("--learn-ignore {}", path.display()))?;
        messages.warn(format_args!("{} rules learned: {}", result.learned.len(), path.display()));
    }
    if !diff.diff {
        summary.differences = None;
        return Ok(false);
    }
    let report = result.report();
    for (format, file) in &diff.reports {
        let text = format.write(&report);
        match file {
            Some(path) => cli::replace_file(path, text.as_bytes(), true)
                .with_context(|| format!("--report {}: {}", format.name(), path.display()))?,
            None if *format == ReportFormat::Text => messages.ready(text.trim_end()),
            None => {
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())?;
            }
        }
    }
    Ok(report.fails())
}

/// Shows trouble, and on a terminal the progress.
struct Shower {
    problems: ThrottledReport,
    status: StatusLine,
    is_terminal: bool,
    /// The time of the last status line, and the number of requests then.
    last: (Instant, u64),
}

impl Shower {
    fn new(messages: Messages, status: StatusLine, quiet: bool) -> Shower {
        let shown = status.clone();
        let report: Report = Arc::new(move |text: &str| {
            shown.clear();
            messages.warn(text);
        });
        Shower {
            problems: ThrottledReport::new(report),
            status,
            is_terminal: !quiet && is_foreground_terminal(),
            last: (Instant::now(), 0),
        }
    }
}

impl Observer for Shower {
    fn report(&mut self, kind: &'static str, text: &str) {
        self.problems.report(kind, "", || text.to_owned());
    }

    fn progress(&mut self, progress: &SendProgress) {
        if !self.is_terminal {
            return;
        }
        let SendProgress { sent, failed, skipped, differences } = progress;
        let elapsed = self.last.0.elapsed();
        if elapsed < UPDATE {
            return;
        }
        let done = sent + failed;
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = (done - self.last.1) * 1000 / millis;
        let mut line = format!("{sent} sent ({rate}/s), {failed} failed, {skipped} skipped");
        if let Some(differences) = differences {
            line.push_str(&format!(", {differences} differ"));
        }
        self.status.show(line);
        self.last = (Instant::now(), done);
    }
}

/// The records that are not exchanges.
struct Rejected {
    rejects: Rejects,
    strict: bool,
    first: Option<String>,
}

impl Rejected {
    fn new(messages: &Messages, strict: bool) -> Rejected {
        let messages = messages.clone();
        let rejects = Rejects::new(move |text| messages.error(text));
        Rejected { rejects, strict, first: None }
    }

    /// Returns false to end the run.
    fn add(&mut self, place: RecordPosition<'_>, why: &str) -> bool {
        self.first.get_or_insert_with(|| format!("{place}: {why}"));
        self.rejects.add(place, why);
        !self.strict
    }

    /// The result of a run; `failed` says why nothing was achieved.
    fn status(&self, summary: &SendSummary, failed: Option<String>) -> anyhow::Result<Status> {
        self.rejects.finish(summary.exchanges);
        if let Some(first) = self.first.as_ref().filter(|_| self.strict) {
            bail!("--strict: {first}");
        }
        if self.rejects.count() > 0 && summary.exchanges == 0 {
            bail!("no record is an exchange, so there is nothing to send");
        }
        match failed {
            Some(why) => Err(anyhow!(why)),
            None if self.rejects.count() > 0 => Ok(Status::Partly),
            None => Ok(Status::Done),
        }
    }
}
