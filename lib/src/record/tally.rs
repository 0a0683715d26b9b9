//! What became of the requests: seen = written + dropped, with the reasons.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::exchange::Replaced;

/// Why an exchange is not in the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
    /// The recorder answered the request itself: no target, a refused one, or a malformed request.
    Refused,
    /// It is no request that HTTP knows, or has too many headers or too long ones.
    Malformed,
    /// A line cannot hold its target (`OPTIONS *`).
    NoPath,
    /// `--include` or `--exclude` left it out.
    Excluded,
    /// The client broke off the TLS handshake in a tunnel, so what it wanted to ask is not known.
    Handshake,
    /// No sink took it.
    SinkFailed,
    /// A topic did not take it; it is in the file that was told.
    Unsent,
    /// The sinks were too far behind, and nobody could be made to wait: the client had left already, records
    /// may be dropped, or the run ended.
    SinkBehind,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dropped::Refused => "refused",
            Dropped::Malformed => "malformed",
            Dropped::NoPath => "target without a path",
            Dropped::Excluded => "excluded",
            Dropped::Handshake => "TLS handshake broken off",
            Dropped::SinkFailed => "sink failed",
            Dropped::Unsent => "kept in a file",
            Dropped::SinkBehind => "sink too slow",
        })
    }
}

/// Why an upstream gave no answer, or no whole one. The exchange is recorded in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failed {
    /// The name of its host is not known.
    Dns,
    /// Nobody listens there, or no way leads there.
    Connect,
    /// No TLS, or a certificate that is not accepted.
    Tls,
    /// The proxy on the way gives no tunnel.
    Proxy,
    /// It was silent for too long.
    Timeout,
    /// What it sent is no answer.
    Answer,
    /// It broke off within its answer.
    Cut,
}

impl Failed {
    /// The word in the closing line.
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

/// Counts requests while they happen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    seen: AtomicU64,
    written: AtomicU64,
    violations: AtomicU64,
    violating: AtomicU64,
    dropped: Mutex<BTreeMap<Dropped, u64>>,
    failed: Mutex<BTreeMap<Failed, u64>>,
}

impl Tally {
    /// Counts an exchange whose upstream failed.
    pub(super) fn failed(&self, why: Failed) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed.entry(why).or_default() += 1;
    }

    /// Counts a request, and gives it its number, from 1.
    pub(super) fn see(&self) -> u64 {
        self.seen.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn wrote(&self) {
        self.written.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an exchange that contradicts the spec; gives how many there are now.
    pub(super) fn violated(&self, violations: usize) -> u64 {
        self.violations.fetch_add(violations as u64, Ordering::Relaxed);
        self.violating.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts a request that is not recorded; true for the first with this reason.
    pub(super) fn discard(&self, why: Dropped) -> bool {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let count = dropped.entry(why).or_default();
        *count += 1;
        *count == 1
    }

    /// Counts records that were thought written as kept aside.
    pub(super) fn set_aside(&self, count: u64) {
        if count > 0 {
            self.written.fetch_sub(count, Ordering::Relaxed);
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            *dropped.entry(Dropped::Unsent).or_default() += count;
        }
    }

    /// Counts what nobody will write any more: at the end, all that is neither written nor dropped.
    pub(super) fn discard_rest(&self, why: Dropped) {
        let summary = self.summary(None);
        let dropped: u64 = summary.dropped.values().sum();
        let rest = summary.seen.saturating_sub(summary.written + dropped);
        if rest > 0 {
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            *dropped.entry(why).or_default() += rest;
        }
    }

    pub(super) fn summary(&self, sink_error: Option<String>) -> Summary {
        Summary {
            seen: self.seen.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            failed: self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            violations: self.violations.load(Ordering::Relaxed),
            violating: self.violating.load(Ordering::Relaxed),
            sink_error,
            replaced: Replaced::default(),
        }
    }
}

/// What a run has recorded. Displayed as `seen N, written N, dropped N (why)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Requests that came.
    pub seen: u64,
    /// Exchanges that at least one sink took.
    pub written: u64,
    /// Those that no sink took, by reason.
    pub dropped: BTreeMap<Dropped, u64>,
    /// Exchanges whose upstream failed, which are recorded without a whole answer.
    pub failed: BTreeMap<Failed, u64>,
    /// Contradictions to the spec, where there is one.
    pub violations: u64,
    /// Exchanges that have them.
    pub violating: u64,
    /// What befell a sink, even if others took everything.
    pub sink_error: Option<String>,
    /// Secrets that were replaced.
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
        assert_eq!((tally.see(), tally.see(), tally.see()), (1, 2, 3));
        tally.wrote();
        assert!(tally.discard(Dropped::Refused));
        assert_eq!(tally.summary(None).to_string(), "seen 3, written 1, dropped 1 (refused)");
        tally.discard_rest(Dropped::SinkBehind);
        assert_eq!(
            tally.summary(None).to_string(),
            "seen 3, written 1, dropped 2 (1 refused, 1 sink too slow)"
        );
        let tally = Tally::default();
        assert_eq!((tally.see(), tally.see(), tally.see()), (1, 2, 3));
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
