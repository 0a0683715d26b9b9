//! Findings and differences for people and for programs: text, JSON, JUnit, SARIF and HTML.
//!
//! All formats are made from a [`Report`]. This module does not know where a report comes from.

mod html;
mod junit;
mod sarif;
mod text;

use std::borrow::Cow;

use serde_json::Value;

/// A report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The program, as `hmt-build`.
    pub program: &'static str,
    /// A short title: what was compared.
    pub title: String,
    /// The sections, for instance one for each operation.
    pub sections: Vec<Section>,
    /// Closing lines: totals.
    pub summary: Vec<String>,
    /// All rules that entries can have, each with a sentence.
    pub rules: &'static [(&'static str, &'static str)],
    /// The label of the least important entries, which are listed last and briefly.
    pub aside: Option<&'static str>,
    /// The report in JSON.
    pub document: Value,
}

/// A section: entries that belong together.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its heading: `GET /pets`.
    pub name: String,
    /// A remark about the whole section; may be empty.
    pub note: String,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// A finding or difference.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name of the rule.
    pub rule: Cow<'static, str>,
    /// The severity in the terms of the tool: `error`, `undocumented`, `breaking`.
    pub label: &'static str,
    /// The severity, for formats with their own terms.
    pub level: Level,
    /// True if it makes the check fail.
    pub fails: bool,
    /// The place in a message or document.
    pub place: String,
    /// The problem.
    pub message: String,
    /// The number of occurrences, if they were counted.
    pub count: Option<u64>,
    /// The first occurrences.
    pub examples: Vec<Example>,
}

/// The severity of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// An error.
    Error,
    /// Something that should be examined.
    Warning,
    /// Information.
    Note,
}

/// A record of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// `FILE:LINE`
    pub place: String,
    /// The name of the file, and the number of the line; `None` if the input is not a file.
    pub file: Option<(String, u64)>,
}

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people, on a terminal.
    Text,
    /// For programs.
    Json,
    /// JUnit's XML, for CI systems.
    Junit,
    /// SARIF 2.1.0, for code scanners and editors.
    Sarif,
    /// A page that needs no other files.
    Html,
}

type Write = fn(&Report) -> String;

/// The formats by their names.
const FORMATS: &[(&str, Format, Write)] = &[
    ("text", Format::Text, text::write),
    ("json", Format::Json, json),
    ("junit", Format::Junit, junit::write),
    ("sarif", Format::Sarif, sarif::write),
    ("html", Format::Html, html::write),
];

impl Format {
    /// The format with this name.
    pub fn of_name(name: &str) -> Option<Format> {
        FORMATS.iter().find(|(known, ..)| *known == name).map(|(_, format, _)| *format)
    }

    /// The name of the format.
    pub fn name(self) -> &'static str {
        FORMATS.iter().find(|(_, format, _)| *format == self).map_or("", |(name, ..)| name)
    }

    /// Writes a report; the text ends with a newline.
    pub fn write(self, report: &Report) -> String {
        let found = FORMATS.iter().find(|(_, format, _)| *format == self);
        found.map_or_else(String::new, |(_, _, write)| write(report))
    }
}

fn json(report: &Report) -> String {
    format!("{:#}\n", report.document)
}

impl Report {
    /// True if an entry makes the check fail.
    pub fn fails(&self) -> bool {
        self.sections.iter().flat_map(|section| &section.entries).any(|entry| entry.fails)
    }
}

impl Entry {
    /// Place and problem as one sentence.
    fn sentence(&self) -> String {
        match self.place.as_str() {
            "" => self.message.clone(),
            place => format!("{place} {}", self.message),
        }
    }

    /// The number of occurrences, and the first one.
    fn occurrences(&self) -> String {
        let count = match self.count {
            None => String::new(),
            Some(1) => "once".to_owned(),
            Some(count) => format!("{count} times"),
        };
        match (self.examples.first(), count.as_str()) {
            (None, _) => count,
            (Some(first), "" | "once") => first.place.clone(),
            (Some(first), _) => format!("{count}, first {}", first.place),
        }
    }
}

/// Text within XML and HTML. Control characters, which XML cannot hold, become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(c))),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
