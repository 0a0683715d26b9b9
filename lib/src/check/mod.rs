//! Compares exchanges with specs: contradictions, undocumented parts, and operations without
//! traffic.
//!
//! A [`Checker`] checks one exchange; the recorder uses it for each record. A [`FindingTally`] sums
//! up the results and makes a report. This module neither reads exchanges nor writes reports.

mod checker;
mod report;
mod rules;
mod shape;
mod tally;
#[cfg(test)]
mod tests;

pub use checker::{Checker, Finding, Verdict};
pub use report::{FailOn, NO_SUCH_LEVEL};
pub use rules::{RULES, Severity};
pub use tally::{FindingTally, RecordPlace};
