//! Compares new responses with the recorded ones.
//!
//! * [`context`]: two responses, what is known about them, and the differences found so far.
//! * [`compare`]: compares the responses; [`headers`] and [`json`] compare their parts.
//! * [`operation`]: the operation that an exchange belongs to.
//! * [`rename`]: identifiers whose values differ from the recorded ones.
//! * [`rule`]: places that may differ; [`learn`] finds places that always vary.
//! * [`report`]: the differences for people and programs.

mod compare;
mod context;
mod headers;
mod json;
mod learn;
mod operation;
mod rename;
mod report;
mod rule;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

pub use learn::LearnedRule;
pub use rule::{IgnoreRule, RulePlace, WrongRule};

use context::{Comparing, FoundDifference, FoundPlace};
use learn::Learner;
use operation::{example, method_of, template};
use rename::Renames;

use super::send::Comparison;
use crate::exchange::{Exchange, parse_line};
use crate::report::Example;

/// Maximum number of operations and of differences that are listed.
const MAX_ENTRIES: usize = 5_000;
/// Maximum number of examples of a difference.
const MAX_EXAMPLES: usize = 3;

/// The options of the comparison.
#[derive(Clone, Debug, Default)]
pub struct DiffOptions {
    /// The places that may differ.
    pub rules: Vec<IgnoreRule>,
    /// Whether rules are learned.
    pub learns: bool,
    /// Whether rules are also learned from equal recorded requests.
    pub learns_from_recording: bool,
    /// The target, for the title of the report.
    pub target: String,
}

/// Compares the responses of a run.
pub struct Differ {
    options: DiffOptions,
    renames: Renames,
    learner: Option<Learner>,
    operations: BTreeMap<(String, String), Compared>,
    differences: BTreeMap<Key, Difference>,
    /// The number of exchanges with each set of differences, given by their numbers.
    patterns: HashMap<Vec<u32>, u64>,
    compared: u64,
    /// Recorded exchanges without a response.
    unanswered: u64,
    /// Differences beyond the listed ones.
    unlisted: u64,
}

/// The key of a difference. Differences with the same key are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    path: String,
    method: String,
    place: FoundPlace,
    rule: &'static str,
}

/// Equal differences.
#[derive(Clone, Debug)]
struct Difference {
    number: u32,
    count: u64,
    /// The path of the first request, for rules.
    pathname: String,
    /// The place in the first response.
    shown: String,
    message: String,
    old: String,
    new: String,
    status: Option<u16>,
    examples: Vec<Example>,
}

/// The exchanges of an operation.
#[derive(Clone, Copy, Debug, Default)]
struct Compared {
    exchanges: u64,
    /// Sums in milliseconds, of exchanges with both.
    recorded_ms: f64,
    new_ms: f64,
    timed: u64,
}

impl Differ {
    /// Compares with these options.
    pub fn new(options: DiffOptions) -> Differ {
        Differ {
            learner: options.learns.then(Learner::default),
            options,
            renames: Renames::default(),
            operations: BTreeMap::new(),
            differences: BTreeMap::new(),
            patterns: HashMap::new(),
            compared: 0,
            unanswered: 0,
            unlisted: 0,
        }
    }

    /// Returns true if the responses differ.
    pub(super) fn compare(&mut self, comparison: &Comparison<'_>) -> bool {
        let Ok(old) = parse_line(comparison.line) else { return false };
        if let Some(learner) = &mut self.learner
            && self.options.learns_from_recording
        {
            learner.recorded(&old, comparison.line, comparison.place, &self.options.rules);
        }
        if old.response.is_none() {
            self.unanswered += 1;
            return false;
        }
        self.compared += 1;
        for (old, new) in comparison.replaced {
            self.renames.carried(old, new);
        }
        let (method, pathname) = (method_of(&old), old.request.pathname.as_ref());
        let rules = self.options.rules.iter();
        let rules = rules.filter(|rule| rule.applies_to(&method, pathname)).collect();
        let mut comparing = Comparing::new(&old, comparison.new, rules, Some(&mut self.renames));
        comparing.responses(&old, comparison.new);
        let findings = std::mem::take(&mut comparing.findings);
        drop(comparing);
        let template = template(pathname);
        self.note(&method, &template, &old, comparison.new);
        if findings.is_empty() {
            return false;
        }
        let mut numbers: Vec<u32> = Vec::with_capacity(findings.len());
        for finding in findings {
            let key = Key {
                path: template.clone(),
                method: method.clone(),
                place: finding.place.generalised(),
                rule: finding.rule,
            };
            numbers.extend(self.add(key, &finding, pathname, &old, comparison));
        }
        numbers.sort_unstable();
        numbers.dedup();
        if self.patterns.len() < MAX_ENTRIES || self.patterns.contains_key(&numbers) {
            *self.patterns.entry(numbers).or_default() += 1;
        }
        true
    }

    /// Notes that an operation was compared, and its duration.
    fn note(&mut self, method: &str, template: &str, old: &Exchange<'_>, new: &Exchange<'_>) {
        let key = (template.to_owned(), method.to_owned());
        if self.operations.len() >= MAX_ENTRIES && !self.operations.contains_key(&key) {
            return;
        }
        let compared = self.operations.entry(key).or_default();
        compared.exchanges += 1;
        if let (Some(old), Some(new)) = (old.meta.duration_ms, new.meta.duration_ms) {
            compared.recorded_ms += old;
            compared.new_ms += new;
            compared.timed += 1;
        }
    }

    /// The number of the difference; `None` beyond the listed ones.
    fn add(
        &mut self,
        key: Key,
        finding: &FoundDifference,
        pathname: &str,
        old: &Exchange<'_>,
        comparison: &Comparison<'_>,
    ) -> Option<u32> {
        if self.differences.len() >= MAX_ENTRIES && !self.differences.contains_key(&key) {
            self.unlisted += 1;
            return None;
        }
        let number = u32::try_from(self.differences.len()).unwrap_or(u32::MAX);
        let known = self.differences.entry(key).or_insert_with(|| Difference {
            number,
            count: 0,
            pathname: pathname.to_owned(),
            shown: finding.place.shown(),
            message: finding.message(),
            old: finding.old.clone(),
            new: finding.new.clone(),
            status: old.response.as_ref().map(|response| response.status),
            examples: Vec::new(),
        });
        known.count += 1;
        if known.examples.len() < MAX_EXAMPLES {
            known.examples.push(example(comparison.place));
        }
        Some(known.number)
    }

    /// Learns rules from two new exchanges of one request.
    pub(super) fn compare_again(&mut self, comparison: &Comparison<'_>, second: &Exchange<'_>) {
        let Some(learner) = &mut self.learner else { return };
        let Ok(old) = parse_line(comparison.line) else { return };
        let method = method_of(&old);
        let pathname = old.request.pathname.as_ref();
        let place = example(comparison.place).place;
        learner.sent_twice(&method, pathname, comparison.new, second, &place, &self.options.rules);
    }

    /// Ends the comparison, and applies the learned rules to all responses.
    pub fn finish(self) -> DiffResult {
        let learned = self.learner.map(Learner::finish).unwrap_or_default();
        let is_learned = |key: &Key, difference: &Difference| {
            learned.iter().any(|learned| {
                learned.rule.applies_to(&key.method, &difference.pathname)
                    && match (&learned.rule.place, &key.place) {
                        (RulePlace::Status, FoundPlace::Status) => true,
                        (RulePlace::Header(own), FoundPlace::Header(name)) => own == name,
                        (RulePlace::Json(own), FoundPlace::Body(path)) => {
                            rule::is_within(own, path)
                        }
                        _ => false,
                    }
            })
        };
        let (ignored, differences): (BTreeMap<Key, Difference>, BTreeMap<Key, Difference>) =
            self.differences.into_iter().partition(|(key, difference)| is_learned(key, difference));
        let counted = |numbers: &Vec<u32>| {
            numbers.iter().any(|number| ignored.values().all(|ignored| ignored.number != *number))
        };
        let differing =
            self.patterns.iter().filter(|(numbers, _)| counted(numbers)).map(|(_, count)| count);
        DiffResult {
            differing: differing.sum(),
            ignored: ignored.values().map(|difference| difference.count).sum(),
            target: self.options.target,
            operations: self.operations,
            differences,
            compared: self.compared,
            unanswered: self.unanswered,
            unlisted: self.unlisted,
            renamed: self.renames.count,
            learned,
        }
    }
}

/// The result of a comparison.
#[derive(Debug)]
pub struct DiffResult {
    /// Exchanges with differences.
    pub differing: u64,
    /// The learned rules.
    pub learned: Vec<LearnedRule>,
    target: String,
    operations: BTreeMap<(String, String), Compared>,
    differences: BTreeMap<Key, Difference>,
    compared: u64,
    unanswered: u64,
    unlisted: u64,
    /// Differences at places that learned rules ignore.
    ignored: u64,
    renamed: u64,
}
