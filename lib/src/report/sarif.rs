//! SARIF 2.1.0 (OASIS), which code scanners and editors show.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::model::{Entry, Example, Level, Report, Section};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Characters that need no escape in a relative URI (RFC 3986, section 3.3).
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn write(report: &Report) -> String {
    let rules: Vec<Value> = report
        .rules
        .iter()
        .map(|(id, text)| json!({"id": id, "shortDescription": {"text": text}}))
        .collect();
    let results = report.sections.iter().flat_map(|section| {
        section.entries.iter().map(move |entry| result(report, section, entry))
    });
    let results: Vec<Value> = results.collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": report.program,
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "properties": {"title": report.title, "summary": report.summary},
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(report: &Report, section: &Section, entry: &Entry) -> Value {
    let logical = json!([{
        "name": entry.place,
        "fullyQualifiedName": format!("{} {}", section.name, entry.place).trim_end(),
    }]);
    let physical = |example: &Example| {
        let (file, line) = example.file.as_ref()?;
        let uri = utf8_percent_encode(file, IN_PATH).to_string();
        let uri = if file.starts_with('/') { format!("file://{uri}") } else { uri };
        let region = json!({"startLine": line});
        Some(json!({"artifactLocation": {"uri": uri}, "region": region}))
    };
    let mut locations: Vec<Value> = entry
        .examples
        .iter()
        .filter_map(physical)
        .map(|place| json!({"physicalLocation": place, "logicalLocations": logical}))
        .collect();
    if locations.is_empty() {
        locations.push(json!({"logicalLocations": logical}));
    }
    let level = match entry.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let mut result = json!({
        "ruleId": entry.rule,
        "level": level,
        "message": {"text": format!("{}: {}", section.name, entry.sentence())},
        "locations": locations,
        "properties": {"severity": entry.label},
    });
    if let Some(at) = report.rules.iter().position(|(id, _)| *id == entry.rule) {
        result["ruleIndex"] = at.into();
    }
    if let Some(count) = entry.count {
        result["occurrenceCount"] = count.into();
    }
    result
}
