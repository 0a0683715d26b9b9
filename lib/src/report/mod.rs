//! Findings and differences for people and for programs: text, JSON, JUnit, SARIF and HTML.
//!
//! All formats are made from a [`Report`]. This module does not know where a report comes from.

mod html;
mod junit;
mod model;
mod sarif;
mod text;

pub use model::{Entry, Example, Level, Report, Section};

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportFormat {
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
const FORMATS: &[(&str, ReportFormat, Write)] = &[
    ("text", ReportFormat::Text, text::write),
    ("json", ReportFormat::Json, json),
    ("junit", ReportFormat::Junit, junit::write),
    ("sarif", ReportFormat::Sarif, sarif::write),
    ("html", ReportFormat::Html, html::write),
];

impl ReportFormat {
    /// The format with this name.
    pub fn of_name(name: &str) -> Option<ReportFormat> {
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

#[cfg(test)]
mod tests;
