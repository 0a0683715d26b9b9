//! Counts the requests: seen = written + dropped, with the reasons.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::exchange::Replaced;

/// Why an exchange is not in the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
    /// The recorder answered the request itself: its target is missing or refused, or it is
    /// malformed.
    Refused,
    /// The request is not valid HTTP, or has too many or too long headers.
    Malformed,
    /// The format has no form for its target (`OPTIONS *`).
    NoPath,
    /// Excluded by `--include` or `--exclude`.
    Excluded,
    /// The client broke off the TLS handshake in a tunnel, so its request is unknown.
    Handshake,
    /// No sink accepted it.
    SinkFailed,
    /// A topic did not accept it; it is in the file that a message named.
    Unsent,
    /// The queue was full, and no client could be made to wait: the client had already left,
    /// records may be dropped, or the run had ended.
    SinkBehind,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dropped::Refused => "refused",
            Dropped::Malformed => "malformed",
            Dropped::NoPath => "target without a path",
            Dropped::Excluded => "excluded",
            Dropped::Handshake => "TLS handshake aborted",
            Dropped::SinkFailed => "write failed",
            Dropped::Unsent => "kept in a file",
            Dropped::SinkBehind => "destination too slow",
        })
    }
}

/// Why an upstream gave no response, or an incomplete one. The exchange is recorded in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failed {
    /// The host name cannot be resolved.
    Dns,
    /// The connection is refused, or the host unreachable.
    Connect,
    /// The TLS handshake failed, or the certificate is not accepted.
    Tls,
    /// The proxy refuses the tunnel.
    Proxy,
    /// The upstream exceeded a timeout.
    Timeout,
    /// The response is invalid.
    Answer,
    /// The response was cut short.
    Cut,
}

impl Failed {
    /// The word in the final summary.
    pub fn as_str(self) -> &'static str {
        match self {
            Failed::Dns => "dns",
            Failed::Connect => "connect",
            Failed::Tls => "tls",
            Failed::Proxy => "proxy",
            Failed::Timeout => "timeout",
            Failed::Answer => "answer",
            Failed::Cut => "cut",
        }
    }
}

/// Counts requests during a run.
#[derive(Debug, Default)]
pub(super) struct Tally {
    seen: AtomicU64,
    written: AtomicU64,
    violations: AtomicU64,
    undocumented: AtomicU64,
    violating: AtomicU64,
    dropped: Mutex<BTreeMap<Dropped, u64>>,
    failed: Mutex<BTreeMap<Failed, u64>>,
}

impl Tally {
    /// Counts an exchange whose upstream failed.
    pub(super) fn failed(&self, why: Failed) {
        let mut failed = self.failed.lock();
        *failed.entry(why).or_default() += 1;
    }

    /// Counts a request, and returns its number, from 1.
    pub(super) fn count_request(&self) -> u64 {
        self.seen.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn wrote(&self) {
        self.written.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an exchange with contradictions of the spec or undocumented parts, and the numbers of
    /// both. Returns the number of such exchanges so far.
    pub(super) fn violated(&self, errors: usize, undocumented: usize) -> u64 {
        self.violations.fetch_add(errors as u64, Ordering::Relaxed);
        self.undocumented.fetch_add(undocumented as u64, Ordering::Relaxed);
        self.violating.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts a request that is not recorded; true for the first with this reason.
    pub(super) fn discard(&self, why: Dropped) -> bool {
        let mut dropped = self.dropped.lock();
        let count = dropped.entry(why).or_default();
        *count += 1;
        *count == 1
    }

    /// Moves records from written to kept aside.
    pub(super) fn set_aside(&self, count: u64) {
        if count > 0 {
            self.written.fetch_sub(count, Ordering::Relaxed);
            let mut dropped = self.dropped.lock();
            *dropped.entry(Dropped::Unsent).or_default() += count;
        }
    }

    /// At the end, counts all requests that are neither written nor dropped as dropped.
    pub(super) fn discard_rest(&self, why: Dropped) {
        let summary = self.summary(None);
        let dropped: u64 = summary.dropped.values().sum();
        let rest = summary.seen.saturating_sub(summary.written + dropped);
        if rest > 0 {
            let mut dropped = self.dropped.lock();
            *dropped.entry(why).or_default() += rest;
        }
    }

    pub(super) fn summary(&self, sink_error: Option<String>) -> Summary {
        Summary {
            seen: self.seen.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.lock().clone(),
            failed: self.failed.lock().clone(),
            violations: self.violations.load(Ordering::Relaxed),
            undocumented: self.undocumented.load(Ordering::Relaxed),
            violating: self.violating.load(Ordering::Relaxed),
            sink_error,
            replaced: Replaced::default(),
        }
    }
}

/// The result of a run. Displayed as `seen N, written N, dropped N (why)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Requests received.
    pub seen: u64,
    /// Exchanges that at least one sink accepted.
    pub written: u64,
    /// Requests without a record, by reason.
    pub dropped: BTreeMap<Dropped, u64>,
    /// Exchanges whose upstream failed; they are recorded without a complete response.
    pub failed: BTreeMap<Failed, u64>,
    /// Contradictions of the spec, if there is one.
    pub violations: u64,
    /// Undocumented parts.
    pub undocumented: u64,
    /// Exchanges with either.
    pub violating: u64,
    /// The error of a sink, even if others accepted every record.
    pub sink_error: Option<String>,
    /// The secrets that were replaced.
    pub replaced: Replaced,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dropped: u64 = self.dropped.values().sum();
        write!(f, "seen {}, written {}, dropped {dropped}", self.seen, self.written)?;
        for (index, (why, count)) in self.dropped.iter().enumerate() {
            f.write_str(if index == 0 { " (" } else { ", " })?;
            if self.dropped.len() > 1 {
                write!(f, "{count} ")?;
            }
            write!(f, "{why}")?;
        }
        f.write_str(if self.dropped.is_empty() { "" } else { ")" })?;
        if self.failed.is_empty() {
            return Ok(());
        }
        write!(f, ", failed upstream {}", self.failed.values().sum::<u64>())?;
        for (index, (why, count)) in self.failed.iter().enumerate() {
            let start = if index == 0 { " (" } else { ", " };
            write!(f, "{start}{} {count}", why.as_str())?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_conserves() {
        let tally = Tally::default();
        assert_eq!(tally.summary(None).to_string(), "seen 0, written 0, dropped 0");
        assert_eq!(
            (tally.count_request(), tally.count_request(), tally.count_request()),
            (1, 2, 3)
        );
        tally.wrote();
        assert!(tally.discard(Dropped::Refused));
        assert_eq!(tally.summary(None).to_string(), "seen 3, written 1, dropped 1 (refused)");
        tally.discard_rest(Dropped::SinkBehind);
        assert_eq!(
            tally.summary(None).to_string(),
            "seen 3, written 1, dropped 2 (1 refused, 1 destination too slow)"
        );
        let tally = Tally::default();
        assert_eq!(
            (tally.count_request(), tally.count_request(), tally.count_request()),
            (1, 2, 3)
        );
        tally.wrote();
        assert!(tally.discard(Dropped::Refused));
        assert!(tally.discard(Dropped::Malformed) && !tally.discard(Dropped::Refused));
        for why in [Failed::Tls, Failed::Dns, Failed::Tls] {
            tally.failed(why);
        }
        assert_eq!(
            tally.summary(None).to_string(),
            "seen 3, written 1, dropped 3 (2 refused, 1 malformed), failed upstream 3 (dns 1, tls 2)"
        );
    }
}
