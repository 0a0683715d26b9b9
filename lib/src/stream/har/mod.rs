//! HTTP Archive (HAR 1.2) as a source: each entry becomes a line, numbered by entry.

mod body;
mod entry;
mod lenient;

use std::io::{self, Read};

use super::beside::Beside;
use super::capture::{Capture, Step};
use super::scan::{Array, Scan, Scanned};
use entry::Read as Entry;

/// Entries of one archive.
pub(super) struct Har {
    scan: Scan,
    beside: Beside,
    /// How many files beside the archive were named and not found.
    missing: u64,
}

impl Har {
    pub(super) fn new(input: Box<dyn Read + Send>, beside: Beside) -> Self {
        Har { scan: Scan::new(input, Array::LogEntries), beside, missing: 0 }
    }
}

impl Capture for Har {
    fn next(&mut self) -> io::Result<Step> {
        Ok(match self.scan.next_entry()? {
            Scanned::End => Step::End,
            Scanned::Torn => Step::Cut,
            Scanned::TooLong(size) => Step::TooLong(size),
            Scanned::Entry(text) => match entry::read(&text, &self.beside, &mut self.missing) {
                Ok(Entry::Exchange(exchange)) => Step::Exchange(exchange),
                Ok(Entry::Other(scheme)) => Step::PassedOver(scheme),
                Err(error) => Step::Rejected(error),
            },
        })
    }

    fn notes(&self) -> Vec<String> {
        match self.missing {
            0 => Vec::new(),
            count => vec![format!(
                "{count} bodies are in files that are not beside the archive; they count as not recorded"
            )],
        }
    }
}

#[cfg(test)]
mod tests;
