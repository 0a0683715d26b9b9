//! Converts a tally to a report.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::checker::Checker;
use super::rules::{RULES, Severity};
use super::tally::{FindingTally, Key, Owner, Seen, Touched};
use crate::conform::{Operation, StatusKey};
use crate::report::{Entry, Level, Report, Section};
use crate::units::counted;

/// The findings that make a check fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// A finding of this severity.
    Severity(Severity),
    /// An operation or status that was never touched.
    Uncovered,
    /// Nothing.
    Never,
}

/// Why a text is not a level.
pub const NO_SUCH_LEVEL: &str = "is not one of error, undocumented, uncovered, never";

impl std::str::FromStr for FailOn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "error" => Ok(FailOn::Severity(Severity::Error)),
            "undocumented" => Ok(FailOn::Severity(Severity::Undocumented)),
            "uncovered" => Ok(FailOn::Uncovered),
            "never" => Ok(FailOn::Never),
            _ => Err(NO_SUCH_LEVEL),
        }
    }
}

/// The label of operations and statuses that were never touched.
const UNCOVERED: &str = "uncovered";

/// An operation that was never touched, or a status of an operation that was never seen.
struct Uncovered<'c> {
    operation: &'c Operation,
    /// `None` if the operation itself was never touched.
    status: Option<StatusKey>,
}

impl FindingTally {
    /// The report, which fails if it has a finding of a level in `fail_on`.
    pub fn report(&self, checker: &Checker, fail_on: &[FailOn]) -> Report {
        let mut found: BTreeMap<&Owner, Vec<Entry>> = BTreeMap::new();
        for (key, seen) in &self.findings {
            found.entry(&key.owner).or_default().push(entry(key, seen, fail_on));
        }
        let mut sections = Vec::new();
        let mut uncovered = Vec::new();
        let mut operations = Vec::new();
        for (at, api) in checker.apis().iter().enumerate() {
            for (index, operation) in api.operations.iter().enumerate() {
                let id = u32::try_from(index).unwrap_or(u32::MAX);
                let touched = self.touched.get(&(at, id)).cloned().unwrap_or_default();
                let missed = untouched(operation, &touched);
                let method = method_of(operation);
                let mut entries = found.remove(&Owner::Operation(at, id)).unwrap_or_default();
                entries.extend(missed.iter().map(|missed| uncovered_entry(missed, fail_on)));
                let mut name = format!("{} {}", method.to_ascii_uppercase(), operation.template);
                if checker.apis().len() > 1 {
                    name.push_str(&format!(" ({})", api.source));
                }
                let note = match touched.exchanges {
                    1 => "1 exchange".to_owned(),
                    count => format!("{count} exchanges"),
                };
                sections.push(Section { name, note, entries });
                let statuses: Map<String, Value> = touched
                    .statuses
                    .iter()
                    .map(|(status, count)| (status.to_string(), (*count).into()))
                    .collect();
                operations.push(json!({
                    "method": method, "path": operation.template,
                    "exchanges": touched.exchanges, "statuses": statuses,
                }));
                uncovered.extend(missed.into_iter().map(|missed| (method.clone(), missed)));
            }
        }
        for (owner, entries) in found {
            if let Owner::Unknown(path, method) = owner {
                let name = format!("{} {path}", method.to_ascii_uppercase());
                sections.push(Section { name, note: "not in the spec".to_owned(), entries });
            }
        }
        let total = operations.len();
        let findings = self.findings.iter().map(|(key, seen)| finding(checker, key, seen));
        let document = json!({
            "exchanges": self.exchanges,
            "operations": operations,
            "findings": findings.collect::<Vec<_>>(),
            "uncovered": uncovered.iter().map(|(method, missed)| listed(method, missed)).collect::<Vec<_>>(),
        });
        let names: Vec<&str> = checker.apis().iter().map(|api| api.source.as_str()).collect();
        Report {
            program: "hmt-build",
            title: format!("Traffic against {}", names.join(", ")),
            summary: self.summary(checker, total, &uncovered),
            sections,
            rules: RULES,
            aside: Some(UNCOVERED),
            document,
        }
    }

    fn summary(
        &self,
        checker: &Checker,
        operations: usize,
        uncovered: &[(String, Uncovered<'_>)],
    ) -> Vec<String> {
        let of = |severity| self.findings.keys().filter(|key| key.severity == severity).count();
        let missed = |whole: bool| {
            uncovered.iter().filter(|(_, missed)| missed.status.is_none() == whole).count()
        };
        let errors = of(Severity::Error);
        let mut lines = vec![
            format!(
                "{} compared: {} (in {}), {} undocumented",
                counted(self.exchanges, "exchange"),
                counted(errors as u64, "error"),
                counted(self.with_errors, "exchange"),
                of(Severity::Undocumented),
            ),
            format!(
                "{} of {} touched; {} of these never seen",
                operations - missed(true),
                counted(operations as u64, "operation"),
                match missed(false) {
                    1 => "1 status".to_owned(),
                    count => format!("{count} statuses"),
                },
            ),
        ];
        let mut more = |count: u64, what: &str| {
            if count > 0 {
                lines.push(format!("{}: {what}", counted(count, "exchange")));
            }
        };
        more(self.unanswered, "without a response, and not compared");
        more(self.absent, "a 404, 405, 410 or 501 for a path that the spec does not have");
        more(self.preflights, "CORS preflights, which the spec need not describe");
        if self.unlisted() > 0 {
            lines.push(format!(
                "more than {} different findings: {} occurrences of others are not listed",
                self.findings.len(),
                self.unlisted()
            ));
        }
        let warnings = checker.apis().iter().flat_map(|api| &api.warnings).count();
        if warnings > 0 {
            lines.push(format!("{} about the spec", counted(warnings as u64, "warning")));
        }
        lines
    }
}

/// The method as a key of a path item.
fn method_of(operation: &Operation) -> String {
    match operation.method {
        Some(method) => method.as_str().to_owned(),
        // A method that only OpenAPI 3.2 has: the last key of its pointer.
        None => operation.pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase(),
    }
}

/// The operation if it was never touched; otherwise its statuses that were never seen.
fn untouched<'c>(operation: &'c Operation, touched: &Touched) -> Vec<Uncovered<'c>> {
    if touched.exchanges == 0 {
        return vec![Uncovered { operation, status: None }];
    }
    let seen: Vec<StatusKey> = touched
        .statuses
        .keys()
        .filter_map(|status| operation.response(*status).map(|(key, _)| key))
        .collect();
    let all = operation.responses.iter().map(|(key, _)| *key);
    all.filter(|key| !seen.contains(key))
        .map(|key| Uncovered { operation, status: Some(key) })
        .collect()
}

fn listed(method: &str, missed: &Uncovered<'_>) -> Value {
    let mut value = json!({"method": method, "path": missed.operation.template});
    if let Some(status) = missed.status {
        value["status"] = status.to_string().into();
    }
    value
}

fn uncovered_entry(missed: &Uncovered<'_>, fail_on: &[FailOn]) -> Entry {
    let (rule, place, message) = match missed.status {
        None => ("uncovered-operation", String::new(), "never touched".to_owned()),
        Some(status) => ("uncovered-status", String::new(), format!("{status} never seen")),
    };
    Entry {
        rule: rule.into(),
        label: UNCOVERED,
        level: Level::Note,
        fails: fail_on.contains(&FailOn::Uncovered),
        place,
        message,
        count: None,
        examples: Vec::new(),
    }
}

fn entry(key: &Key, seen: &Seen, fail_on: &[FailOn]) -> Entry {
    Entry {
        rule: key.rule.into(),
        label: key.severity.name(),
        level: match key.severity {
            Severity::Error => Level::Error,
            Severity::Undocumented => Level::Warning,
        },
        fails: fail_on.contains(&FailOn::Severity(key.severity)),
        place: seen.pointer.clone(),
        message: match key.status {
            Some(status) if key.rule != "status" => format!("{} in {status}", seen.message),
            _ => seen.message.clone(),
        },
        count: Some(seen.count),
        examples: seen.places.iter().map(|place| place.example.clone()).collect(),
    }
}

fn finding(checker: &Checker, key: &Key, seen: &Seen) -> Value {
    let (method, path) = match &key.owner {
        Owner::Unknown(path, method) => (method.clone(), path.clone()),
        Owner::Operation(at, id) => {
            let api = &checker.apis()[*at];
            let operation = &api.operations[*id as usize];
            (method_of(operation), operation.template.clone())
        }
    };
    let mut value = json!({
        "rule": key.rule, "severity": key.severity.name(), "method": method, "path": path,
    });
    if let Some(status) = key.status {
        value["status"] = status.to_string().into();
    }
    value["pointer"] = seen.pointer.clone().into();
    value["message"] = seen.message.clone().into();
    value["count"] = seen.count.into();
    let examples = seen.places.iter().map(|place| Value::from(place.example.place.clone()));
    value["examples"] = examples.collect();
    value
}
