//! Reports recurring problems of a server at a limited rate.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::limits::Report;

/// Shortest time between two reports of the same problem.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Maximum number of problems that are counted separately, because clients can invent target hosts.
/// Beyond it, all problems of a kind count as one.
const MAX_KINDS: usize = 1000;

/// Reports each kind of problem with each subject when it first occurs, and then at most every ten
/// seconds while it recurs.
pub struct ThrottledReport {
    report: Report,
    reported: Mutex<HashMap<(&'static str, String), Reported>>,
}

struct Reported {
    at: Instant,
    /// How often it has occurred since then.
    suppressed: u64,
}

impl ThrottledReport {
    /// Writes lines to `report`.
    pub fn new(report: Report) -> Self {
        ThrottledReport { report, reported: Mutex::default() }
    }

    /// Reports a problem of this kind with `subject`, a host for instance, unless it was reported
    /// in the last ten seconds. `message` is one line: what failed, and what to do.
    pub fn report(&self, kind: &'static str, subject: &str, message: impl FnOnce() -> String) {
        let suppressed = {
            let mut reported = self.reported.lock();
            let subject = if reported.len() < MAX_KINDS { subject } else { "" };
            match reported.get_mut(&(kind, subject.to_owned())) {
                None => {
                    let now = Reported { at: Instant::now(), suppressed: 0 };
                    reported.insert((kind, subject.to_owned()), now);
                    0
                }
                Some(last) if last.at.elapsed() < REPORT_INTERVAL => {
                    last.suppressed += 1;
                    return;
                }
                Some(last) => {
                    last.at = Instant::now();
                    std::mem::take(&mut last.suppressed)
                }
            }
        };
        let mut line = one_line(&message());
        if suppressed > 0 {
            line.push_str(&format!(" ({suppressed} more like this since the last line)"));
        }
        (self.report)(&line);
    }
}

/// Escapes text that may come from a client or an upstream, so that it cannot control the terminal.
pub(super) fn one_line(text: &str) -> String {
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

impl fmt::Debug for ThrottledReport {
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
        let report = move |line: &str| log.lock().push(line.to_owned());
        let trouble = ThrottledReport::new(Arc::new(report));
        for host in ["a.test", "b.test", "a.test", "a.test"] {
            trouble.report("dns", host, || format!("no {host}\n\u{1b}[2J"));
        }
        trouble.report("tls", "a.test", || "no TLS".to_owned());
        let expected = ["no a.test", "no b.test"].map(|line| format!("{line}\\u{{a}}\\u{{1b}}[2J"));
        assert_eq!(lines.lock()[..2], expected);
        assert_eq!(lines.lock()[2..], ["no TLS"]);
        let key = ("dns", "a.test".to_owned());
        trouble.reported.lock().get_mut(&key).unwrap().at -= REPORT_INTERVAL;
        trouble.report("dns", "a.test", || "again".to_owned());
        assert_eq!(lines.lock()[3], "again (2 more like this since the last line)");
    }
}
