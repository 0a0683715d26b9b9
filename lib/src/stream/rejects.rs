//! Rejected input records: each named on standard error, twenty at most, then always the total.

/// How many rejected records are named before only their number is told.
const NAMED: u64 = 20;

/// Counts and names rejected records.
pub struct Rejects {
    report: Box<dyn Fn(String) + Send>,
    count: u64,
}

impl Rejects {
    /// No record rejected yet; `report` is given each message.
    pub fn new(report: impl Fn(String) + Send + 'static) -> Self {
        Rejects { report: Box::new(report), count: 0 }
    }

    /// Reports `PLACE: why`.
    pub fn add(&mut self, place: impl std::fmt::Display, why: impl std::fmt::Display) {
        self.count += 1;
        if self.count <= NAMED {
            (self.report)(format!("{place}: {why}"));
        }
    }

    /// How many so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Tells the total, if there was any.
    pub fn finish(&self, accepted: u64) {
        if self.count > 0 {
            (self.report)(format!("{} of {} records rejected", self.count, self.count + accepted));
        }
    }
}
