//! HTTP Archive (HAR 1.2) as a source: each entry becomes a line, numbered by entry.

mod body;
mod entry;
mod lenient;

use std::io::{self, Read};

use super::capture::{CaptureEntry, CaptureReader};
use super::scan::{Array, Scan, Scanned};
use super::sibling_files::SiblingFiles;
use entry::ReadEntry as Entry;

/// Entries of one archive.
pub(super) struct Har {
    scan: Scan,
    beside: SiblingFiles,
    /// The number of referenced files that were not found.
    missing: u64,
}

impl Har {
    pub(super) fn new(input: Box<dyn Read + Send>, beside: SiblingFiles) -> Self {
        Har { scan: Scan::new(input, Array::LogEntries), beside, missing: 0 }
    }
}

impl CaptureReader for Har {
    fn next(&mut self) -> io::Result<CaptureEntry> {
        Ok(match self.scan.next_entry()? {
            Scanned::End => CaptureEntry::End,
            Scanned::Torn => CaptureEntry::Cut,
            Scanned::TooLong(size) => CaptureEntry::TooLong(size),
            Scanned::Entry(text) => match entry::read(&text, &self.beside, &mut self.missing) {
                Ok(Entry::Exchange(exchange)) => CaptureEntry::Exchange(exchange),
                Ok(Entry::Other(scheme)) => CaptureEntry::PassedOver(scheme),
                Err(error) => CaptureEntry::Rejected(error),
            },
        })
    }

    fn notes(&self) -> Vec<String> {
        match self.missing {
            0 => Vec::new(),
            count => vec![format!(
                "{count} bodies are in files that are missing beside the archive; they count as not recorded"
            )],
        }
    }
}

#[cfg(test)]
mod tests;
