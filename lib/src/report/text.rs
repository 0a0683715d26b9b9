//! Reports for people, on a terminal or in a log.

use super::model::{Entry, Report};

/// A paragraph for each section with entries, then the least important entries in short, then the
/// totals.
pub(super) fn write(report: &Report) -> String {
    let mut out = String::new();
    let is_aside = |entry: &&Entry| report.aside == Some(entry.label);
    for section in &report.sections {
        let mut entries = section.entries.iter().filter(|entry| !is_aside(entry)).peekable();
        if entries.peek().is_none() {
            continue;
        }
        out.push_str(&printable(&section.name));
        out.push('\n');
        for entry in entries {
            let sentence = printable(&entry.sentence());
            out.push_str(&format!("  {}: {sentence} ({})\n", entry.label, entry.rule));
            match entry.occurrences().as_str() {
                "" => {}
                found => out.push_str(&format!("      {}\n", printable(found))),
            }
        }
        out.push('\n');
    }
    let mut any = false;
    for section in &report.sections {
        for entry in section.entries.iter().filter(is_aside) {
            let name = printable(&section.name);
            out.push_str(&format!("{}: {name}: {}\n", entry.label, printable(&entry.sentence())));
            any = true;
        }
    }
    if any {
        out.push('\n');
    }
    for line in &report.summary {
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Text for a terminal: control characters are escaped.
fn printable(text: &str) -> String {
    let plain = !text.chars().any(char::is_control);
    if plain { text.to_owned() } else { text.escape_debug().to_string() }
}
