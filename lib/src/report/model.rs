//! What all formats of reports are made of.

use std::borrow::Cow;

use serde_json::Value;

/// What is reported.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The program, as `hmt-build`.
    pub program: &'static str,
    /// What was compared, in a few words.
    pub title: String,
    /// What belongs together: the entries of an operation.
    pub sections: Vec<Section>,
    /// Closing lines: totals.
    pub summary: Vec<String>,
    /// All rules that entries may name, each with a sentence.
    pub rules: &'static [(&'static str, &'static str)],
    /// The label of entries that people read last, and in short.
    pub aside: Option<&'static str>,
    /// The report in JSON.
    pub document: Value,
}

/// Entries that belong together.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its heading: `GET /pets`.
    pub name: String,
    /// Something about it as a whole, or empty.
    pub note: String,
    /// What was found.
    pub entries: Vec<Entry>,
}

/// Something that was found.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name of the rule.
    pub rule: Cow<'static, str>,
    /// How bad it is, in the words of the tool: `error`, `undocumented`, `breaking`.
    pub label: &'static str,
    /// How bad it is, for formats with words of their own.
    pub level: Level,
    /// True where it makes the check fail.
    pub fails: bool,
    /// Where in a message or document it is.
    pub place: String,
    /// What is wrong there.
    pub message: String,
    /// How often it was found, where that was counted.
    pub count: Option<u64>,
    /// Where it was found first.
    pub examples: Vec<Example>,
}

/// How bad an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something is wrong.
    Error,
    /// Something should be looked at.
    Warning,
    /// Something is worth knowing.
    Note,
}

/// A record of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// `FILE:LINE`
    pub place: String,
    /// The name of the file, and the number of the line; `None` where the input is no file.
    pub file: Option<(String, u64)>,
}

impl Report {
    /// True where an entry makes the check fail.
    pub fn fails(&self) -> bool {
        self.sections.iter().flat_map(|section| &section.entries).any(|entry| entry.fails)
    }
}

impl Entry {
    /// Where and what, as one sentence.
    pub(super) fn sentence(&self) -> String {
        match self.place.as_str() {
            "" => self.message.clone(),
            place => format!("{place} {}", self.message),
        }
    }

    /// How often it was found and where first.
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
