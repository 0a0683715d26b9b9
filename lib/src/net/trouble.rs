//! Trouble that a server reports as it happens, without flooding whoever reads it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::serve::Report;

/// The same trouble is reported as often.
const EVERY: Duration = Duration::from_secs(10);

/// Troubles told apart; clients may invent more targets. Beyond, all are one.
const MAX_KINDS: usize = 1000;

/// Reports each kind of trouble with each target when it is first met, then every ten seconds while it lasts.
pub struct Trouble {
    report: Report,
    reported: Mutex<HashMap<(&'static str, String), Reported>>,
}

struct Reported {
    at: Instant,
    /// How often it was met since then.
    since: u64,
}

impl Trouble {
    /// Lines go to `report`.
    pub fn new(report: Report) -> Self {
        Trouble { report, reported: Mutex::default() }
    }

    /// Reports trouble of this kind with `subject`, a host for instance, unless it was reported just now. `message` is
    /// one line: what failed, and what to do.
    pub fn report(&self, kind: &'static str, subject: &str, message: impl FnOnce() -> String) {
        let since = {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            let subject = if reported.len() < MAX_KINDS { subject } else { "" };
            match reported.get_mut(&(kind, subject.to_owned())) {
                None => {
                    let now = Reported { at: Instant::now(), since: 0 };
                    reported.insert((kind, subject.to_owned()), now);
                    0
                }
                Some(last) if last.at.elapsed() < EVERY => {
                    last.since += 1;
                    return;
                }
                Some(last) => {
                    last.at = Instant::now();
                    std::mem::take(&mut last.since)
                }
            }
        };
        let mut line = one_line(&message());
        if since > 0 {
            line.push_str(&format!(" ({since} more like this since the last line)"));
        }
        (self.report)(&line);
    }
}

/// Text that may come from a client or an upstream must not write to the terminal as it likes.
fn one_line(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|char| {
            let escaped = char.is_control() || !char.is_ascii() && !char.is_alphanumeric();
            let kept = (!escaped).then_some(char);
            kept.into_iter().chain(escaped.then(|| char.escape_unicode()).into_iter().flatten())
        })
        .collect()
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trouble").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn each_kind_is_reported_once_in_a_while() {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let log = lines.clone();
        let report = move |line: &str| log.lock().unwrap().push(line.to_owned());
        let trouble = Trouble::new(Arc::new(report));
        for host in ["a.test", "b.test", "a.test", "a.test"] {
            trouble.report("dns", host, || format!("no {host}\n\u{1b}[2J"));
        }
        trouble.report("tls", "a.test", || "no TLS".to_owned());
        let expected = ["no a.test", "no b.test"].map(|line| format!("{line}\\u{{a}}\\u{{1b}}[2J"));
        assert_eq!(lines.lock().unwrap()[..2], expected);
        assert_eq!(lines.lock().unwrap()[2..], ["no TLS"]);
        let key = ("dns", "a.test".to_owned());
        trouble.reported.lock().unwrap().get_mut(&key).unwrap().at -= EVERY;
        trouble.report("dns", "a.test", || "again".to_owned());
        assert_eq!(lines.lock().unwrap()[3], "again (2 more like this since the last line)");
    }
}
