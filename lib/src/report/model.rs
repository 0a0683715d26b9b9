//! The content of a report, from which all formats are made.

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

impl Report {
    /// True if an entry makes the check fail.
    pub fn fails(&self) -> bool {
        self.sections.iter().flat_map(|section| &section.entries).any(|entry| entry.fails)
    }
}

impl Entry {
    /// Place and problem as one sentence.
    pub(super) fn sentence(&self) -> String {
        match self.place.as_str() {
            "" => self.message.clone(),
            place => format!("{place} {}", self.message),
        }
    }

    /// The number of occurrences, and the first one.
    pub(super) fn occurrences(&self) -> String {
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
pub(super) fn escaped(text: &str) -> String {
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
