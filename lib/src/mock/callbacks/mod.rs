//! Callbacks: programs of the user that edit answers. Each is a co-process that speaks JSON Lines
//! on its standard input and output, and lives as long as the mock.
//!
//! `scripts` finds the programs, `helpers` has the modules that they import, `protocol` the lines,
//! `running` the pipes and limits of one process, `process` its restarts, and `stored` its view of
//! the storage and its changes. This file decides which process is called, and when.
//!
//! Programs are given only on the command line: no request can add or change one.

mod helpers;
mod process;
mod protocol;
mod running;
mod scripts;
mod start_error;
mod stored;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::timeout;

use crate::exchange::Exchange;
use crate::net::Report;

use super::answer::Answer;
use super::world::World;
use helpers::Helpers;
use process::Process;
use protocol::{Edit, Interest, InterestPath, call_line, parse_answer};
use scripts::Script;
pub use start_error::StartError;
use stored::Stored;

/// All co-processes, by name.
pub struct Callbacks {
    processes: Vec<Process>,
    report: Report,
    next_id: AtomicU64,
    /// Held by a call that changes the storage, so that no change is lost.
    writing: tokio::sync::Mutex<()>,
}

/// The properties of a request by which callbacks are selected.
pub(super) struct Subject<'a> {
    pub(super) method: &'a str,
    /// The host that the request names, if it must name one.
    pub(super) named_host: Option<&'a str>,
    /// The hosts that the request may be for, the most likely first.
    pub(super) hosts: &'a [&'a str],
    /// The path as sent, with and without the base paths of servers.
    pub(super) paths: &'a [String],
}

impl Callbacks {
    /// Starts every program in a folder, and waits until each has reported what it edits. Failures
    /// and the standard error of the programs go to `report`.
    ///
    /// # Errors
    /// A program that cannot be started, or does not speak the protocol.
    pub async fn start(folder: &Path, report: Report) -> Result<Callbacks, StartError> {
        let scripts = Script::all_in(folder)
            .map_err(|error| StartError::Folder(folder.display().to_string(), error))?;
        let helpers = Arc::new(Helpers::write().map_err(StartError::Helpers)?);
        let starts: Vec<_> = scripts
            .into_iter()
            .map(|script| {
                let name = script.name();
                let started = Process::start(script, Arc::clone(&helpers), report.clone());
                (name, tokio::spawn(started))
            })
            .collect();
        let mut processes = Vec::with_capacity(starts.len());
        for (name, start) in starts {
            match start.await?? {
                Some(process) => processes.push(process),
                None => report(&format!("callback {name}: it has no callbacks, and is not used")),
            }
        }
        Ok(Callbacks {
            processes,
            report,
            next_id: AtomicU64::new(1),
            writing: tokio::sync::Mutex::default(),
        })
    }

    /// Ends all co-processes: their input is closed, and those that do not end soon are killed.
    pub async fn stop(&self) {
        for process in &self.processes {
            process.begin_stop();
        }
        for process in &self.processes {
            process.stopped().await;
        }
    }

    /// The callbacks that edit an answer, at most one of each process.
    pub(super) fn concerned(&self, subject: &Subject<'_>) -> Vec<Concerned<'_>> {
        let mut all = Vec::new();
        for process in &self.processes {
            let interests = process.interests.load();
            let ranked = interests.iter().enumerate().filter_map(|(at, interest)| {
                // Among equals, the first.
                Some((interest.rank(subject)?, std::cmp::Reverse(at), interest))
            });
            let best = ranked.max_by_key(|(rank, at, _)| (*rank, *at));
            all.extend(best.map(|(_, at, interest)| Concerned {
                process,
                interest: interest.clone(),
                at: at.0,
            }));
        }
        all
    }

    /// Lets a callback edit an answer.
    ///
    /// # Errors
    /// What the co-process did wrong; it has already been reported.
    pub(super) async fn edit(
        &self,
        concerned: &Concerned<'_>,
        world: &World,
        exchange: &Exchange<'_>,
        answer: &mut Answer,
    ) -> Result<(), String> {
        let edited = match self.ask(concerned, world, exchange).await {
            Ok(Edit { error: Some(error), .. }) => Err(format!("reports an error: {error}")),
            Ok(edit) => edit.apply(answer),
            Err(why) => Err(why),
        };
        edited.map_err(|why| {
            let (method, path) = (exchange.request.method, &exchange.request.pathname);
            let why = format!("{}: it {why}", concerned.process.name);
            let method = method.as_str().to_ascii_uppercase();
            (self.report)(&format!("callback {why} ({method} {path})"));
            why
        })
    }

    /// Calls a co-process, and writes its changes to the storage. A callback that does not declare
    /// whether it changes the storage is called without the lock until its first change.
    async fn ask(
        &self,
        concerned: &Concerned<'_>,
        world: &World,
        exchange: &Exchange<'_>,
    ) -> Result<Edit, String> {
        let interest = &concerned.interest;
        let writes = &interest.writes;
        loop {
            let mut writing = None;
            if interest.storage.unwrap_or_default() || writes.load(Ordering::Relaxed) {
                let lock = timeout(2 * running::DEADLINE, self.writing.lock()).await;
                writing = Some(lock.map_err(|_| "waited too long for other calls")?);
            }
            let before = Stored::of(world, interest.entities);
            let id = self.next_id.fetch_add(1, Ordering::Relaxed);
            let line = call_line(id, concerned.at, &before, exchange);
            let line = concerned.process.ask(line).await?;
            let edit = parse_answer(&line, id)?;
            if edit.error.is_some() || (edit.storage.is_none() && edit.entities.is_none()) {
                return Ok(edit);
            }
            writes.store(true, Ordering::Relaxed);
            if writing.is_none() {
                writing = self.writing.try_lock().ok();
                // Another call changes the storage, or has changed it meanwhile. The callback is
                // called again; this happens only once to each callback.
                if writing.is_none() || Stored::of(world, interest.entities) != before {
                    continue;
                }
            }
            before.commit(world, edit.storage.as_ref(), edit.entities.as_ref())?;
            return Ok(edit);
        }
    }
}

/// A callback that edits an answer.
pub(super) struct Concerned<'a> {
    process: &'a Process,
    interest: Interest,
    /// The index of the interest in the first line of the process.
    at: usize,
}

impl Interest {
    /// How well it matches a request: by host, then path, then method; `None` if it does not match.
    fn rank(&self, subject: &Subject<'_>) -> Option<(usize, u8, u8)> {
        let host = match (&self.host, subject.named_host) {
            (None, _) => 0,
            (Some(own), Some(named)) if is_host(own, named) => usize::MAX,
            (Some(_), Some(_)) => return None,
            // A request without a host may be for any host.
            (Some(own), None) => {
                let at = subject.hosts.iter().position(|host| is_host(own, host));
                at.map_or(1, |at| usize::MAX - at)
            }
        };
        let path = match &self.path {
            None => 0,
            Some(path) if subject.paths.iter().any(|own| path.matches(own)) => {
                // Literal paths before templates.
                1 + u8::from(matches!(path, InterestPath::Literal(_)))
            }
            Some(_) => return None,
        };
        let method = match &self.method {
            None => 0,
            Some(own) if own.eq_ignore_ascii_case(subject.method) => 2,
            // Servers support HEAD wherever they support GET (RFC 9110, section 9.1).
            Some(own) if subject.method == "HEAD" && own.eq_ignore_ascii_case("GET") => 1,
            Some(_) => return None,
        };
        Some((host, path, method))
    }
}

/// True if the host of a request is that of the callback, whose port is optional.
fn is_host(own: &str, sent: &str) -> bool {
    let bare = || sent.rsplit_once(':').is_some_and(|(bare, _)| own.eq_ignore_ascii_case(bare));
    own.eq_ignore_ascii_case(sent) || bare()
}

#[cfg(test)]
mod tests {
    use super::protocol::parse_greeting;
    use super::*;

    fn best<'i>(interests: &'i [Interest], subject: &Subject<'_>) -> Option<&'i Interest> {
        let ranked = interests.iter().filter_map(|one| Some((one.rank(subject)?, one)));
        ranked.max_by_key(|(rank, _)| *rank).map(|(_, one)| one)
    }

    #[test]
    fn the_most_specific_callback_is_asked() {
        let greeting = br#"{"hmt":1,"match":[
            {},
            {"path":"/a"},
            {"path":"/{x}","method":"get"},
            {"host":"one.test","path":"/a"},
            {"host":"two.test","method":"POST","path":"/a"}]}"#;
        let interests = parse_greeting(greeting).unwrap();
        let number = |method: &str, named_host: Option<&str>, hosts: &[&str], path: &str| {
            let subject = Subject { method, named_host, hosts, paths: &[path.to_owned()] };
            let best = best(&interests, &subject)?;
            interests.iter().position(|one| std::ptr::eq(one, best))
        };
        for (method, named, hosts, path, expected) in [
            ("GET", Some("one.test"), &[][..], "/a", Some(3)),
            ("GET", Some("one.test:8000"), &[], "/a/", Some(3)),
            ("GET", Some("two.test"), &[], "/a", Some(1)),
            ("POST", Some("two.test"), &[], "/a", Some(4)),
            ("HEAD", Some("three.test"), &[], "/b", Some(2)),
            ("POST", Some("three.test"), &[], "/b", Some(0)),
            // If the request has no host, the host of the spec counts.
            ("POST", None, &["127.0.0.1:1", "one.test"], "/a", Some(3)),
            ("POST", None, &["127.0.0.1:1", "two.test"], "/a", Some(4)),
        ] {
            assert_eq!(number(method, named, hosts, path), expected, "{method} {named:?} {path}");
        }
    }
}
