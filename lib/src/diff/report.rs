//! Converts changes to a report.

use serde_json::{Value, json};

use super::change::{Change, Impact};
use crate::report::{Entry, Example, Level, Report, Section};

/// The report of changes, which fails if one of them is breaking. `old` and `new` are the names of
/// the specs.
pub fn report(changes: &[Change], old: &str, new: &str) -> Report {
    let mut sections: Vec<Section> = Vec::new();
    for change in changes {
        let name = match (change.method.as_str(), change.path.as_str()) {
            ("", _) => "the whole API".to_owned(),
            (method, path) => format!("{} {path}", method.to_ascii_uppercase()),
        };
        if sections.last().is_none_or(|section| section.name != name) {
            sections.push(Section { name, ..Section::default() });
        }
        if let Some(section) = sections.last_mut() {
            section.entries.push(entry(change));
        }
    }
    for section in &mut sections {
        // A stable sort: changes of equal severity keep the order of the spec.
        section.entries.sort_by_key(|entry| match entry.level {
            Level::Error => 0,
            Level::Warning => 1,
            Level::Note => 2,
        });
    }
    let count = |verdict| changes.iter().filter(|change| change.verdict == verdict).count();
    let counts =
        [Impact::Breaking, Impact::Unknown, Impact::Compatible].map(|v| (v.name(), count(v)));
    let [(_, breaking), (_, unknown), (_, compatible)] = counts;
    let word = if changes.len() == 1 { "change" } else { "changes" };
    let document = json!({
        "old": old, "new": new,
        "breaking": breaking, "unknown": unknown, "notBreaking": compatible,
        "changes": changes.iter().map(listed).collect::<Vec<_>>(),
    });
    Report {
        program: "hmt-merge",
        title: format!("Changes from {old} to {new}"),
        sections,
        summary: vec![format!(
            "{} {word}: {breaking} breaking, {unknown} unknown, {compatible} not breaking",
            changes.len()
        )],
        document,
        ..Report::default()
    }
}

fn entry(change: &Change) -> Entry {
    Entry {
        rule: change.rule.clone().into(),
        label: change.verdict.name(),
        level: match change.verdict {
            Impact::Breaking => Level::Error,
            Impact::Unknown => Level::Warning,
            Impact::Compatible => Level::Note,
        },
        fails: change.verdict == Impact::Breaking,
        place: String::new(),
        message: change.message.clone(),
        count: None,
        examples: vec![Example { place: format!("#{}", change.pointer), file: None }],
    }
}

fn listed(change: &Change) -> Value {
    let mut value = json!({"rule": change.rule, "verdict": change.verdict.name()});
    if !change.method.is_empty() {
        value["method"] = change.method.clone().into();
        value["path"] = change.path.clone().into();
    }
    if let Some(status) = &change.status {
        value["status"] = status.clone().into();
    }
    value["pointer"] = change.pointer.clone().into();
    value["message"] = change.message.clone().into();
    value
}
