//! Reports rejected records: the first twenty individually, and always the total.

/// Number of rejected records that are reported individually.
const MAX_REPORTED: u64 = 20;

/// Counts and names rejected records.
pub struct Rejects {
    report: Box<dyn Fn(String) + Send>,
    count: u64,
}

impl Rejects {
    /// Nothing is rejected yet; `report` receives each message.
    pub fn new(report: impl Fn(String) + Send + 'static) -> Self {
        Rejects { report: Box::new(report), count: 0 }
    }

    /// Reports `PLACE: why`.
    pub fn add(&mut self, place: impl std::fmt::Display, why: impl std::fmt::Display) {
        self.count += 1;
        if self.count <= MAX_REPORTED {
            (self.report)(format!("{place}: {why}"));
        }
    }

    /// The number so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Reports the total, if there is any.
    pub fn finish(&self, accepted: u64) {
        if self.count > 0 {
            (self.report)(format!("{} of {} records rejected", self.count, self.count + accepted));
        }
    }
}
