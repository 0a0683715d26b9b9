//! The life of a co-process: it is started, gets one call at a time, and is restarted after a
//! failure. A task owns it, so that a call is completed even if its client disconnects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};

use crate::net::Report;

use super::helpers::Helpers;
use super::protocol::{Interest, parse_greeting};
use super::running::{DEADLINE, Running};
use super::scripts::Script;
use super::start_error::StartError;

/// Maximum number of calls that wait for a process.
const WAITING: usize = 1024;
/// Time between two starts; it doubles while no call succeeds, up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_secs(1);
/// Less than the time that a call waits for its turn.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// The exit status of a script that ended without an error and has no callbacks.
const NO_CALLBACKS: i32 = 77;

/// A co-process.
pub(super) struct Process {
    pub(super) name: String,
    /// The exchanges that it edits.
    pub(super) interests: Arc<ArcSwap<Vec<Interest>>>,
    calls: mpsc::Sender<Call>,
    /// Dropped to end it.
    stop: Mutex<Option<oneshot::Sender<()>>>,
    /// Ready when it has ended.
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A call, with the channel for its answer.
struct Call {
    line: Vec<u8>,
    answer: oneshot::Sender<Result<Vec<u8>, String>>,
}

impl Process {
    /// Starts a script and waits for its first line. `None` if it is a module without callbacks.
    pub(super) async fn start(
        script: Script,
        helpers: Arc<Helpers>,
        report: Report,
    ) -> Result<Option<Process>, StartError> {
        let name = script.name();
        let started = Instant::now();
        let (running, interests) = match greet(&script, &helpers, &report).await {
            Ok(Some(greeted)) => greeted,
            Ok(None) => return Ok(None),
            Err(why) => return Err(StartError::Script(name, why)),
        };
        let interests = Arc::new(ArcSwap::from_pointee(interests));
        let (calls, queue) = mpsc::channel(WAITING);
        let (stop, stopping) = oneshot::channel();
        let keeper = Keeper {
            name: name.clone(),
            script,
            helpers,
            report,
            interests: Arc::clone(&interests),
            started,
            pause: PAUSE,
            stopping,
        };
        let task = tokio::spawn(keeper.run(running, queue));
        let (stop, task) = (Mutex::new(Some(stop)), Mutex::new(Some(task)));
        Ok(Some(Process { name, interests, calls, stop, task }))
    }

    /// Sends the line of a call, and returns the answer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn ask(&self, line: Vec<u8>) -> Result<Vec<u8>, String> {
        let (answer, answered) = oneshot::channel();
        let busy = || format!("was busy for {} s", DEADLINE.as_secs());
        match timeout(DEADLINE, self.calls.send(Call { line, answer })).await {
            Ok(Ok(())) => (),
            Ok(Err(_)) => return Err("is being ended".to_owned()),
            Err(_) => return Err(busy()),
        }
        // The time until its turn; the answer has its own deadline.
        match timeout(2 * DEADLINE, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("is being ended".to_owned()),
            Err(_) => Err(busy()),
        }
    }

    /// Ends it after its call.
    pub(super) fn begin_stop(&self) {
        drop(self.stop.lock().take());
    }

    /// Waits for its end.
    pub(super) async fn stopped(&self) {
        let task = self.task.lock().take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

/// Starts a script and reads its first line.
async fn greet(
    script: &Script,
    helpers: &Helpers,
    report: &Report,
) -> Result<Option<(Running, Vec<Interest>)>, String> {
    let command = script.command(helpers);
    let mut running =
        Running::start(command, &script.name(), report).map_err(|error| script.explain(&error))?;
    match running.line().await.and_then(|line| parse_greeting(&line)) {
        Ok(interests) => Ok(Some((running, interests))),
        Err(_) if script.can_be_module() && running.exit_code() == Some(NO_CALLBACKS) => Ok(None),
        Err(why) => {
            running.kill().await;
            Err(why)
        }
    }
}

/// The task that owns a process.
struct Keeper {
    name: String,
    script: Script,
    helpers: Arc<Helpers>,
    report: Report,
    interests: Arc<ArcSwap<Vec<Interest>>>,
    /// When it was last started.
    started: Instant,
    pause: Duration,
    /// Ready when the process must end.
    stopping: oneshot::Receiver<()>,
}

impl Keeper {
    /// Until the process must end.
    async fn run(mut self, running: Running, mut calls: mpsc::Receiver<Call>) {
        let mut running = Some(running);
        loop {
            let Some(process) = &mut running else {
                match self.restart().await {
                    Some(process) => running = Some(process),
                    None => return,
                }
                continue;
            };
            let failed = tokio::select! {
                // Calls wait until an ended process is started again.
                biased;
                _ = &mut self.stopping => break,
                why = process.idle() => {
                    (self.report)(&format!("callback {}: it {why}; it is started again", self.name));
                    true
                }
                call = calls.recv() => match call {
                    None => break,
                    // The client has left.
                    Some(call) if call.answer.is_closed() => continue,
                    Some(call) => {
                        let answer = process.ask(&call.line).await;
                        let failed = answer.is_err();
                        if !failed {
                            self.pause = PAUSE;
                        }
                        // The caller reports a failure.
                        let _ = call.answer.send(answer);
                        failed
                    }
                },
            };
            if failed && let Some(failed) = running.take() {
                failed.kill().await;
            }
        }
        if let Some(process) = running {
            process.stop().await;
        }
    }

    /// Starts the script again, after a pause. `None` if the process must end.
    async fn restart(&mut self) -> Option<Running> {
        loop {
            let at = self.started + self.pause;
            self.pause = (2 * self.pause).min(LONGEST_PAUSE);
            let again = async {
                sleep_until(at.into()).await;
                self.started = Instant::now();
                greet(&self.script, &self.helpers, &self.report).await
            };
            let why = tokio::select! {
                _ = &mut self.stopping => return None,
                greeted = again => match greeted {
                    Ok(Some((running, interests))) => {
                        self.interests.store(Arc::new(interests));
                        return Some(running);
                    }
                    Ok(None) => "has no callbacks any more".to_owned(),
                    Err(why) => why,
                },
            };
            let name = &self.name;
            (self.report)(&format!("callback {name}: cannot be started again: it {why}"));
        }
    }
}
