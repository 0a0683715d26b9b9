//! The run: each request at its time, in the order of its lane.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::feed::{Feed, Item, OnReject};
use super::lanes::{Lanes, ONLY};
use super::link::{Failure, Links};
use super::options::{Comparison, Observer, SendOptions, SendProgress};
use super::pace::Pace;
use super::plan::{Planned, Planner};
use super::record::{ExchangeWriter, Timing, exchange};
use super::summary::SendSummary;
use super::wire::{Ready, Received, host_of, ready, receive};
use crate::net::Target;
use crate::replay::carry::{Answered, Applied, apply};
use crate::replay::diff::Differ;
use crate::stream::{Reader, RecordPosition, SinkError, StreamError};

/// Maximum number of planned requests that wait, besides those in progress.
const WAITING: usize = 256;
/// Interval of flushing an idle output.
const FLUSH: Duration = Duration::from_millis(500);

/// A run failed.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A source cannot be read.
    #[error(transparent)]
    Source(#[from] StreamError),
    /// The output cannot be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// Sends the recorded requests of `reader` and writes the new exchanges.
///
/// `reject` is called with the position of each invalid record and the reason, and returns false to
/// end the run. After `shutdown`, no more requests are sent. Must be polled by a single-threaded
/// runtime.
///
/// # Errors
/// The input cannot be read, or the output cannot be written.
pub async fn send(
    reader: Reader,
    options: SendOptions,
    writer: ExchangeWriter,
    observer: Box<dyn Observer>,
    comparer: Option<Differ>,
    reject: impl FnMut(RecordPosition<'_>, &str) -> bool + Send + 'static,
    shutdown: impl Future<Output = ()>,
) -> Result<(SendSummary, Option<Differ>), SendError> {
    let planner = Planner::new(&options, comparer.is_some());
    let reject: OnReject = Box::new(reject);
    let feed = Feed::start(reader, planner, reject).map_err(SendError::Thread)?;
    LocalSet::new().run_until(run(feed, options, writer, observer, comparer, shutdown)).await
}

async fn run(
    mut feed: Feed,
    mut options: SendOptions,
    writer: ExchangeWriter,
    observer: Box<dyn Observer>,
    comparer: Option<Differ>,
    shutdown: impl Future<Output = ()>,
) -> Result<(SendSummary, Option<Differ>), SendError> {
    let trust = std::mem::replace(&mut options.trust, crate::net::Trust::accept_any());
    let compares = comparer.is_some();
    let session = Rc::new(Session {
        host: host_of(&options.target),
        links: Links::new(options.target.clone(), trust, options.timeout),
        lanes: Lanes::default(),
        in_progress: Semaphore::new(options.concurrency),
        stopped: Cell::new(false),
        state: RefCell::new(State {
            writer: Some(writer),
            observer,
            comparer,
            summary: SendSummary { differences: compares.then_some(0), ..SendSummary::default() },
            failed: None,
            unflushed: false,
        }),
        options,
    });
    let began = Instant::now();
    let mut shutdown = std::pin::pin!(shutdown);
    let waiting = WAITING + 4 * session.options.concurrency;
    let room = std::sync::Arc::new(Semaphore::new(waiting));
    let mut pace = Pace::new(session.options.speed);
    let mut started = 0_u64;
    let mut flush = tokio::time::interval(FLUSH);
    'input: loop {
        let batch = loop {
            tokio::select! {
                biased;
                () = &mut shutdown => {
                    session.stop();
                    break 'input;
                }
                batch = feed.batches.recv() => break batch,
                _ = flush.tick() => session.flush(),
            }
        };
        let Some(batch) = batch else { break };
        for item in batch {
            if session.state.borrow().failed.is_some() {
                break 'input;
            }
            let planned = match item {
                Item::Planned(planned) => planned,
                Item::Skipped(why) => {
                    session.state.borrow_mut().summary.skip(why);
                    continue;
                }
            };
            if session.options.count.is_some_and(|count| started >= count) {
                break 'input;
            }
            started += 1;
            if let Some(due) = pace.due(planned.at) {
                let late = Instant::now().saturating_duration_since(due);
                session.state.borrow_mut().summary.late = late;
                if late.is_zero() {
                    let mut due = std::pin::pin!(sleep_until(due));
                    loop {
                        tokio::select! {
                            biased;
                            () = &mut shutdown => {
                                session.stop();
                                break 'input;
                            }
                            () = &mut due => break,
                            _ = flush.tick() => session.flush(),
                        }
                    }
                }
            }
            let free = std::sync::Arc::clone(&room).try_acquire_owned();
            let room = match free {
                Ok(room) => Ok(room),
                Err(_) => loop {
                    tokio::select! {
                        biased;
                        () = &mut shutdown => {
                            session.stop();
                            break 'input;
                        }
                        room = std::sync::Arc::clone(&room).acquire_owned() => break room,
                        _ = flush.tick() => session.flush(),
                    }
                },
            };
            // The semaphore is never closed.
            let Ok(room) = room else { break 'input };
            session.begin(planned, room);
        }
    }
    let all = u32::try_from(waiting).unwrap_or(u32::MAX);
    let finished = room.acquire_many(all);
    tokio::pin!(finished);
    if !session.stopped.get() {
        tokio::select! {
            biased;
            () = &mut shutdown => session.stop(),
            _ = &mut finished => (),
        }
    }
    if session.stopped.get() && timeout(session.options.grace, finished).await.is_err() {
        let free = room.available_permits();
        session.state.borrow_mut().summary.cut_off = (waiting - free) as u64;
    }
    session.finish(feed, began)
}

/// The state that the tasks of a run share.
struct Session {
    options: SendOptions,
    host: HeaderValue,
    links: Links,
    lanes: Lanes,
    in_progress: Semaphore,
    stopped: Cell<bool>,
    state: RefCell<State>,
}

struct State {
    writer: Option<ExchangeWriter>,
    observer: Box<dyn Observer>,
    comparer: Option<Differ>,
    summary: SendSummary,
    /// Why the output failed.
    failed: Option<SinkError>,
    unflushed: bool,
}

impl Session {
    fn stop(&self) {
        self.stopped.set(true);
        self.state.borrow_mut().summary.stopped = true;
    }

    fn flush(&self) {
        let mut state = self.state.borrow_mut();
        if std::mem::take(&mut state.unflushed)
            && let Some(writer) = &mut state.writer
            && let Err(error) = writer.flush()
        {
            state.failed.get_or_insert(error);
        }
    }

    /// Starts the work on a request, in its lane.
    fn begin(self: &Rc<Self>, planned: Box<Planned>, room: OwnedSemaphorePermit) {
        let lane = if self.options.concurrency == 1 { Some(ONLY) } else { planned.lane };
        let session = Rc::clone(self);
        let Some(lane) = lane else {
            tokio::task::spawn_local(async move {
                session.work(planned).await;
                drop(room);
            });
            return;
        };
        let Some((mut planned, mut room)) = self.lanes.push(lane, planned, room) else { return };
        tokio::task::spawn_local(async move {
            loop {
                session.work(planned).await;
                drop(room);
                match session.lanes.next(lane) {
                    Some(next) => (planned, room) = next,
                    None => return,
                }
            }
        });
    }

    async fn work(&self, planned: Box<Planned>) {
        let mut planned = *planned;
        let mut draft = std::mem::take(&mut planned.draft);
        for earlier in &planned.after {
            earlier.wait().await;
        }
        let applied = match planned.uses.is_empty() {
            true => Applied::default(),
            false => Box::pin(apply(&mut draft, &planned.uses)).await,
        };
        // The semaphore is never closed.
        let _permit = self.in_progress.acquire().await;
        if self.stopped.get() || self.state.borrow().failed.is_some() {
            planned.finish(None);
            return;
        }
        let method = planned.method.clone();
        let changes = &self.options.changes;
        let ready = ready(method, draft, planned.trailers.clone(), &self.host, changes);
        let (began, clock) = (SystemTime::now(), Instant::now());
        let answer = self.exchange(&planned, &ready).await;
        let timing = Timing { began, took: clock.elapsed() };
        planned.finish(answer.as_ref().ok().filter(|_| planned.slot.is_some()).map(|received| {
            Answered { headers: received.headers.clone(), body: received.body.clone() }
        }));
        let second = match &answer {
            Ok(_) if self.options.twice && (planned.safe || self.options.unsafe_methods) => {
                Box::pin(self.exchange(&planned, &ready)).await.ok()
            }
            _ => None,
        };
        let done = Sent { planned: &planned, ready: &ready, applied: &applied, timing };
        self.state.borrow_mut().done(&self.options.target, &done, answer.as_ref(), second.as_ref());
    }

    async fn exchange(&self, planned: &Planned, ready: &Ready) -> Result<Received, Failure> {
        let (response, link) = self.links.send(ready, planned.lane, planned.safe).await?;
        let left_after = planned.recorded.left_after;
        let mut received = receive(response, self.options.timeout, left_after).await;
        received.connection = link.number;
        if received.incomplete.is_none() && received.truncated.is_none() {
            self.links.keep(planned.lane, ready.prior_knowledge, link);
        }
        Ok(received)
    }

    fn finish(
        &self,
        feed: Feed,
        began: Instant,
    ) -> Result<(SendSummary, Option<Differ>), SendError> {
        let mut state = self.state.borrow_mut();
        let mut summary = std::mem::take(&mut state.summary);
        let closed = state.writer.take().map_or(Ok(()), ExchangeWriter::close);
        if let Some(error) = state.failed.take() {
            return Err(error.into());
        }
        closed?;
        summary.elapsed = began.elapsed();
        // A thread that reads a silent pipe cannot be stopped.
        let ended_early = summary.stopped || self.options.count.is_some();
        if !ended_early || feed.is_finished() {
            let (fed, planner) = feed.finish();
            let fed = fed?;
            summary.exchanges = fed.exchanges;
            summary.rejected = fed.rejected;
            summary.notes = fed.notes;
            summary.missing = planner.map(|planner| planner.table.missing).unwrap_or_default();
        } else {
            summary.exchanges = summary.sent + summary.failed() + summary.skipped();
        }
        Ok((summary, state.comparer.take()))
    }
}

/// A request that was sent, or could not be.
struct Sent<'d> {
    planned: &'d Planned,
    ready: &'d Ready,
    applied: &'d Applied,
    timing: Timing,
}

impl State {
    fn done(
        &mut self,
        target: &Target,
        done: &Sent<'_>,
        answer: Result<&Received, &Failure>,
        second: Option<&Received>,
    ) {
        let Sent { planned, ready, applied, timing } = done;
        let summary = &mut self.summary;
        summary.carried += applied.replaced.len() as u64;
        summary.kept += applied.kept;
        let why;
        let answer = match answer {
            Ok(received) => {
                summary.sent += 1;
                summary.latencies.add(timing.took);
                Ok(received)
            }
            Err(failure) => {
                *summary.failed.entry(failure.kind()).or_default() += 1;
                why = failure.to_string();
                self.observer.report(failure.kind(), &why);
                Err(why.as_str())
            }
        };
        let mut new = exchange(target, planned, ready, answer, *timing);
        let written = self.writer.as_mut().map_or(Ok(()), |writer| writer.write(&mut new));
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
        self.unflushed = true;
        if let Some(comparer) = &mut self.comparer {
            let comparison = Comparison {
                line: planned.recorded.line.as_deref().unwrap_or_default(),
                new: &new,
                place: (&planned.source, planned.line),
                replaced: &applied.replaced,
            };
            let differs = comparer.compare(&comparison);
            if let Some(differences) = &mut self.summary.differences {
                *differences += u64::from(differs);
            }
            if let Some(second) = second {
                let mut second = exchange(target, planned, ready, Ok(second), *timing);
                if let Some(writer) = &self.writer {
                    writer.redact(&mut second);
                }
                comparer.compare_again(&comparison, &second);
            }
        }
        let summary = &self.summary;
        self.observer.progress(&SendProgress {
            sent: summary.sent,
            failed: summary.failed(),
            skipped: summary.skipped(),
            differences: summary.differences,
        });
    }
}
