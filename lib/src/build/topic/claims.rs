//! Which run has read which part of a partition. The consumer group stores this: each committed
//! offset has a note of a few bytes, which is written together with the offset (`metadata` in
//! Kafka's OffsetCommit; brokers allow 4 KiB).
//!
//! A run that is killed after it wrote its state does not know whether its commit succeeded. If it
//! did not, another run reads the same messages again. The note shows this later: `hmt 0:RUN
//! 120:RUN` lists the runs that owned the partition, each from an offset on.

use std::fmt;
use std::ops::Range;

/// Maximum number of runs in a note, which then takes 1.2 KiB at most.
const MAX: usize = 32;

/// The prefix of a note.
const PREFIX: &str = "hmt";

/// The runs that owned a partition, each from an offset on, sorted by offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claims(Vec<(u64, String)>);

/// Whether a group has recorded the commit of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimVerdict {
    /// The commit is recorded: the run owns what it read.
    Heard,
    /// It is not recorded, and nobody has read the records since.
    Open,
    /// It is not recorded, and another run has read the records since, or is reading them.
    TakenOver,
    /// The note does not go back that far, or the offset was set by other means.
    Unknown,
}

impl Claims {
    /// Parses a note; empty if HMT did not write it.
    pub(super) fn parse(note: &str) -> Claims {
        let mut words = note.split(' ');
        if words.next() != Some(PREFIX) {
            return Claims::default();
        }
        let claim = |word: &str| {
            let (from, run) = word.split_once(':')?;
            Some((from.parse().ok()?, run.to_owned()))
        };
        let all: Option<Vec<_>> = words.map(claim).collect();
        Claims(all.filter(|all| all.is_sorted_by_key(|(from, _)| *from)).unwrap_or_default())
    }

    /// Adds a run that has owned the partition from an offset until now.
    pub(super) fn with(&self, from: u64, run: &str) -> Claims {
        let mut all: Vec<_> = self.0.iter().filter(|(start, _)| *start < from).cloned().collect();
        if all.last().is_none_or(|(_, last)| last != run) {
            all.push((from, run.to_owned()));
        }
        let oldest = all.len().saturating_sub(MAX);
        Claims(all.split_off(oldest))
    }

    /// The state of offsets that a run has read, if the group has committed `committed`. They
    /// belong to one commit, which succeeded completely or not at all.
    pub(super) fn verdict(&self, committed: u64, read: &Range<u64>, run: &str) -> ClaimVerdict {
        if committed <= read.start {
            return ClaimVerdict::Open;
        }
        if committed < read.end {
            // Another run began where this run had begun.
            return ClaimVerdict::TakenOver;
        }
        if self.0.first().is_none_or(|(from, _)| *from > read.start) {
            return ClaimVerdict::Unknown;
        }
        let ends = self.0.iter().skip(1).map(|(from, _)| *from).chain([committed]);
        let mut by = self.0.iter().zip(ends).filter_map(|((from, run), end)| {
            let common = read.start.max(*from)..read.end.min(end);
            (!common.is_empty()).then_some(run)
        });
        match (by.any(|other| other != run), read.is_empty()) {
            (false, false) => ClaimVerdict::Heard,
            _ => ClaimVerdict::TakenOver,
        }
    }
}

impl fmt::Display for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|(from, run)| write!(f, " {from}:{run}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_say_what_became_of_a_read() {
        let claims = Claims::default().with(0, "a").with(10, "b").with(10, "b").with(30, "a");
        assert_eq!(claims.to_string(), "hmt 0:a 10:b 30:a");
        assert_eq!(Claims::parse(&claims.to_string()), claims);
        for (committed, read, run, verdict) in [
            (40, 0..10, "a", ClaimVerdict::Heard),
            (40, 5..10, "a", ClaimVerdict::Heard),
            (40, 10..20, "a", ClaimVerdict::TakenOver),
            (40, 10..20, "b", ClaimVerdict::Heard),
            (40, 30..40, "a", ClaimVerdict::Heard),
            (40, 30..40, "c", ClaimVerdict::TakenOver),
            (40, 40..50, "a", ClaimVerdict::Open),
            (40, 35..50, "c", ClaimVerdict::TakenOver),
        ] {
            assert_eq!(claims.verdict(committed, &read, run), verdict, "{read:?} {run}");
        }
        // Another run takes over from one that never committed.
        let again = claims.with(30, "c");
        assert_eq!(again.to_string(), "hmt 0:a 10:b 30:c");
        assert_eq!(again.verdict(40, &(30..40), "a"), ClaimVerdict::TakenOver);
        // Parts before the note, or set by others, are unknown.
        assert_eq!(Claims::parse("hmt 5:a").verdict(9, &(0..5), "a"), ClaimVerdict::Unknown);
        for note in ["", "mine", "hmt x", "hmt 5:a 3:b", "hmt :a"] {
            assert_eq!(
                Claims::parse(note).verdict(9, &(0..5), "a"),
                ClaimVerdict::Unknown,
                "{note}"
            );
        }
    }

    #[test]
    fn notes_stay_short() {
        let run = |number: u64| format!("{number:016x}");
        let claims = (0..1000).fold(Claims::default(), |all, number| {
            all.with(u64::MAX - 1000 + number, &run(number))
        });
        assert!(claims.to_string().len() < 4096 / 2);
        let (end, last) = (u64::MAX, run(999));
        assert_eq!(claims.verdict(end, &(end - 1..end), &last), ClaimVerdict::Heard);
        assert_eq!(claims.verdict(end, &(0..1), &run(0)), ClaimVerdict::Unknown);
    }
}
