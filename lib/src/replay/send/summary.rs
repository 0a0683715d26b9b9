//! The results of all requests.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::latency::Latencies;

/// Why a recorded request is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Skip {
    /// Its method is not safe.
    Unsafe,
    /// Its body was not recorded completely.
    Incomplete,
    /// It switches to another protocol.
    Upgrade,
    /// Its method cannot be sent.
    Method,
}

impl Skip {
    pub(super) fn name(self) -> &'static str {
        match self {
            Skip::Unsafe => "unsafe methods",
            Skip::Incomplete => "incomplete bodies",
            Skip::Upgrade => "upgrades",
            Skip::Method => "invalid methods",
        }
    }
}

/// The result of a run.
#[derive(Clone, Debug, Default)]
pub struct SendSummary {
    /// Requests with a response.
    pub sent: u64,
    pub(super) skipped: BTreeMap<Skip, u64>,
    pub(super) failed: BTreeMap<&'static str, u64>,
    /// Exchanges with differences, if responses were compared.
    pub differences: Option<u64>,
    pub(super) carried: u64,
    pub(super) kept: u64,
    /// Requests with secrets that have no value, by name.
    pub missing: BTreeMap<String, u64>,
    pub(super) latencies: Latencies,
    pub(super) elapsed: Duration,
    /// How late the last request was, at a recorded pace or a rate.
    pub(super) late: Duration,
    /// Whether a signal ended the run.
    pub stopped: bool,
    /// Requests that were in progress at the end of the grace period.
    pub cut_off: u64,
    /// Records of the input that are exchanges.
    pub exchanges: u64,
    /// Records of the input that are not exchanges.
    pub rejected: u64,
    /// Remarks on the input.
    pub notes: Vec<String>,
}

impl SendSummary {
    /// Requests that were not sent.
    pub fn skipped(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Requests without a response.
    pub fn failed(&self) -> u64 {
        self.failed.values().sum()
    }

    /// True if all requests were skipped because of their methods.
    pub fn only_unsafe(&self) -> bool {
        self.sent == 0
            && self.failed() == 0
            && self.skipped.get(&Skip::Unsafe) == Some(&self.skipped())
    }

    pub(super) fn skip(&mut self, why: Skip) {
        *self.skipped.entry(why).or_default() += 1;
    }

    /// Further lines, for people.
    pub fn remarks(&self) -> Vec<String> {
        let mut lines = self.notes.clone();
        if !self.latencies.is_empty() {
            let at = |share| shown(self.latencies.quantile(share));
            lines.push(format!(
                "latency p50 {}, p90 {}, p99 {}, max {}",
                at(0.5),
                at(0.9),
                at(0.99),
                shown(self.latencies.max())
            ));
        }
        if self.carried > 0 || self.kept > 0 {
            lines.push(format!(
                "values of new responses in requests: {} replaced, {} not found and sent as recorded",
                self.carried, self.kept
            ));
        }
        if !self.missing.is_empty() {
            let names: Vec<String> =
                self.missing.iter().map(|(name, count)| format!("{name} {count}")).collect();
            lines.push(format!(
                "secrets that were replaced in the recording and sent as pseudonyms: {}; give them with --secret NAME=ENV",
                names.join(", ")
            ));
        }
        if self.late > Duration::from_secs(1) {
            lines.push(format!(
                "the last request was {} late; raise -c/--concurrency to keep the pace",
                shown(self.late)
            ));
        }
        if self.stopped {
            lines.push("stopped by a signal before the end of the input".to_owned());
        }
        lines
    }
}

impl fmt::Display for SendSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |counts: Vec<(&str, u64)>| {
            let all: Vec<String> =
                counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            if all.is_empty() { String::new() } else { format!(" ({})", all.join(", ")) }
        };
        let skipped = self.skipped.iter().map(|(why, count)| (why.name(), *count)).collect();
        let failed = self.failed.iter().map(|(why, count)| (*why, *count)).collect();
        write!(
            f,
            "sent {}, skipped {}{}, failed {}{}",
            self.sent,
            self.skipped(),
            listed(skipped),
            self.failed(),
            listed(failed)
        )?;
        if let Some(differences) = self.differences {
            write!(f, ", differences {differences}")?;
        }
        write!(f, ", in {}", shown(self.elapsed))?;
        let seconds = self.elapsed.as_secs_f64();
        if self.sent > 1 && seconds > 0.0 {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = self.sent as f64 / seconds;
            write!(f, " ({rate:.1}/s)")?;
        }
        Ok(())
    }
}

/// A duration with three digits.
pub(in super::super) fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s >= 120.0 => format!("{}m{:02}s", duration.as_secs() / 60, duration.as_secs() % 60),
        s if s >= 1.0 => format!("{s:.2}s"),
        s if s >= 0.1 => format!("{:.0}ms", s * 1e3),
        s => format!("{:.2}ms", s * 1e3),
    }
}
