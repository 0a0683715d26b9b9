//! Rejected input records: each named on standard error, twenty at most, then always the total.

use super::output::Messages;

/// How many rejected records are named before only their number is told (CLI.md section 3).
const NAMED: u64 = 20;

/// Counts and names rejected records.
#[derive(Debug)]
pub struct Rejects {
    messages: Messages,
    count: u64,
}

impl Rejects {
    /// No record rejected yet.
    pub fn new(messages: Messages) -> Self {
        Rejects { messages, count: 0 }
    }

    /// Reports `PLACE: why`.
    pub fn add(&mut self, place: impl std::fmt::Display, why: impl std::fmt::Display) {
        self.count += 1;
        if self.count <= NAMED {
            self.messages.error(format_args!("{place}: {why}"));
        }
    }

    /// How many so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Tells the total, if there was any.
    pub fn finish(&self, accepted: u64) {
        if self.count > 0 {
            self.messages.error(format_args!(
                "{} of {} records rejected",
                self.count,
                self.count + accepted
            ));
        }
    }
}
