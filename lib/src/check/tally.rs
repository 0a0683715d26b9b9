//! The findings of many exchanges, and the coverage of the specs. Memory does not grow with the
//! input.

use std::collections::{BTreeMap, HashMap};

use super::checker::{Checker, Finding, Verdict};
use super::rules::Severity;
use crate::exchange::Exchange;
use crate::report::Example;

/// Maximum number of different findings. The ones that sort first are kept, so that the result does
/// not depend on the order of the input.
const MAX_FINDINGS: usize = 10_000;
/// Maximum number of places that are listed for each finding.
const MAX_EXAMPLES: usize = 3;

/// Where a record is: its position in the input, and its name in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPlace {
    /// The number of the block of input, and of the record within its source.
    pub order: (u64, u64),
    /// The name in messages.
    pub example: Example,
}

/// The operation of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// The index of the spec, and the index of the operation in the spec.
    Operation(usize, u32),
    /// An operation that no spec has: path and method.
    Unknown(String, String),
}

/// The key of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) owner: Owner,
    pub(super) severity: Severity,
    /// `None` for requests.
    pub(super) status: Option<u16>,
    pub(super) pattern: String,
    pub(super) rule: &'static str,
    name: String,
}

/// The data of a finding.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Exchanges that have it.
    pub(super) count: u64,
    pub(super) places: Vec<RecordPlace>,
    /// The message for the first exchange.
    pub(super) pointer: String,
    pub(super) message: String,
}

/// How often an operation was touched.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    pub(super) exchanges: u64,
    /// By status.
    pub(super) statuses: BTreeMap<u16, u64>,
}

/// The summary of many exchanges.
#[derive(Clone, Debug, Default)]
pub struct FindingTally {
    pub(super) exchanges: u64,
    /// Exchanges without an answer.
    pub(super) unanswered: u64,
    /// Responses of 404 and the like to paths that no spec has.
    pub(super) absent: u64,
    pub(super) preflights: u64,
    /// Exchanges with a finding of this severity.
    pub(super) with_errors: u64,
    pub(super) touched: HashMap<(usize, u32), Touched>,
    pub(super) findings: BTreeMap<Key, Seen>,
    /// Findings that sort after this one are no longer kept.
    bound: Option<Key>,
    /// Number of findings, whether kept or not.
    hits: u64,
}

impl FindingTally {
    /// Compares an exchange and counts its findings. `place` is called only if there are any.
    pub fn add(
        &mut self,
        checker: &Checker,
        exchange: &Exchange<'_>,
        place: impl Fn() -> RecordPlace,
    ) {
        self.exchanges += 1;
        let answered = exchange.response.as_ref().map(|response| response.status);
        self.unanswered += u64::from(answered.is_none());
        match checker.check(exchange) {
            Verdict::Operation(api, id, findings) => {
                let touched = self.touched.entry((api, id.0)).or_default();
                touched.exchanges += 1;
                if let Some(status) = answered {
                    *touched.statuses.entry(status).or_default() += 1;
                }
                let has_error = |found: &Finding| found.severity == Severity::Error;
                self.with_errors += u64::from(findings.iter().any(has_error));
                let mut known: Vec<Key> = Vec::new();
                for finding in findings {
                    let owner = Owner::Operation(api, id.0);
                    let key = Key::of(owner, &finding);
                    // An exchange counts once, even if many items of a list have the finding.
                    if !known.contains(&key) {
                        self.found(key.clone(), finding, &place);
                        known.push(key);
                    }
                }
            }
            Verdict::Unknown(path, finding) => {
                let method = match &exchange.meta.method {
                    Some(name) => name.to_ascii_lowercase(),
                    None => exchange.request.method.as_str().to_owned(),
                };
                let key = Key::of(Owner::Unknown(path, method), &finding);
                self.found(key, finding, &place);
            }
            Verdict::Absent => self.absent += u64::from(answered.is_some()),
            Verdict::Preflight => self.preflights += 1,
        }
    }

    fn found(&mut self, key: Key, finding: Finding, place: &dyn Fn() -> RecordPlace) {
        self.hits += 1;
        if self.bound.as_ref().is_some_and(|bound| key >= *bound) {
            return;
        }
        if let Some(seen) = self.findings.get_mut(&key) {
            seen.count += 1;
            if seen.places.len() < MAX_EXAMPLES {
                seen.places.push(place());
            }
            return;
        }
        let Finding { pointer, message, .. } = finding;
        self.findings.insert(key, Seen { count: 1, places: vec![place()], pointer, message });
        self.trim();
    }

    fn trim(&mut self) {
        while self.findings.len() > MAX_FINDINGS {
            let Some((key, _)) = self.findings.pop_last() else { return };
            self.bound = Some(key);
        }
    }

    /// Adds the summary of other exchanges.
    pub fn merge(&mut self, other: FindingTally) {
        self.exchanges += other.exchanges;
        self.unanswered += other.unanswered;
        self.absent += other.absent;
        self.preflights += other.preflights;
        self.with_errors += other.with_errors;
        self.hits += other.hits;
        for (operation, touched) in other.touched {
            let own = self.touched.entry(operation).or_default();
            own.exchanges += touched.exchanges;
            for (status, count) in touched.statuses {
                *own.statuses.entry(status).or_default() += count;
            }
        }
        self.bound = match (self.bound.take(), other.bound) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for (key, seen) in other.findings {
            match self.findings.get_mut(&key) {
                Some(own) => own.unite(seen),
                None => drop(self.findings.insert(key, seen)),
            }
        }
        if let Some(bound) = &self.bound {
            self.findings.split_off(bound);
        }
        self.trim();
    }

    /// Number of findings that are not listed.
    pub(super) fn unlisted(&self) -> u64 {
        self.hits - self.findings.values().map(|seen| seen.count).sum::<u64>()
    }
}

impl Key {
    fn of(owner: Owner, finding: &Finding) -> Key {
        let Finding { severity, status, rule, .. } = *finding;
        let (pattern, name) = (finding.pattern.clone(), finding.name.clone());
        Key { owner, severity, status, pattern, rule, name }
    }
}

impl Seen {
    fn unite(&mut self, other: Seen) {
        self.count += other.count;
        let first = |seen: &Seen| seen.places.first().map(|place| place.order);
        if first(&other) < first(self) {
            self.pointer = other.pointer;
            self.message = other.message;
        }
        self.places.extend(other.places);
        self.places.sort_by_key(|place| place.order);
        self.places.truncate(MAX_EXAMPLES);
    }
}
