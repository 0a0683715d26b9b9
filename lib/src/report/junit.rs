//! JUnit XML, as CI systems read it: a suite, a test case for each entry, and one for each section
//! without entries.

use super::model::{Entry, Report, Section, escaped};

/// <https://github.com/testmoapp/junitxml> describes what CI systems accept.
pub(super) fn write(report: &Report) -> String {
    let entries = || report.sections.iter().flat_map(|section| &section.entries);
    let failures = entries().filter(|entry| entry.fails).count();
    let clean = report.sections.iter().filter(|section| section.entries.is_empty()).count();
    let counts =
        format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\"", entries().count() + clean);
    let name = escaped(&report.title);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {counts}>\n  <testsuite name=\"{name}\" {counts} skipped=\"0\">\n",
        report.program
    );
    for section in &report.sections {
        if section.entries.is_empty() {
            let group = escaped(&section.name);
            out.push_str(&format!("    <testcase classname=\"{group}\" name=\"{group}\"/>\n"));
        }
        for entry in &section.entries {
            case(section, entry, &mut out);
        }
    }
    if !report.summary.is_empty() {
        let summary = report.summary.join("\n");
        out.push_str(&format!("    <system-out>{}</system-out>\n", escaped(&summary)));
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(section: &Section, entry: &Entry, out: &mut String) {
    let sentence = escaped(&entry.sentence());
    let group = escaped(&section.name);
    let name = escaped(&format!("{}: {}", entry.rule, entry.sentence()));
    let mut lines = vec![format!("{}: {}", entry.label, entry.sentence()), entry.occurrences()];
    lines.extend(entry.examples.iter().skip(1).map(|example| example.place.clone()));
    lines.retain(|line| !line.is_empty());
    let detail = escaped(&lines.join("\n"));
    out.push_str(&format!("    <testcase classname=\"{group}\" name=\"{name}\">\n"));
    if entry.fails {
        let rule = escaped(&entry.rule);
        out.push_str(&format!(
            "      <failure type=\"{rule}\" message=\"{sentence}\">{detail}</failure>\n"
        ));
    } else {
        out.push_str(&format!("      <system-out>{detail}</system-out>\n"));
    }
    out.push_str("    </testcase>\n");
}
