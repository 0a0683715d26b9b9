//! HTTP Archive (HAR 1.2) as a source: each entry becomes a line, numbered by entry.

mod entry;
mod scan;

use std::io::{self, Read};
use std::sync::Arc;

use super::block::{Block, Kind};
use crate::exchange::write_line;
use scan::{Scan, Scanned};

/// Entries of one archive.
pub(super) struct Har {
    source: Arc<str>,
    scan: Scan,
    block_size: usize,
    next_entry: u64,
    held: Option<Block>,
    ended: bool,
}

impl Har {
    pub(super) fn new(source: Arc<str>, input: Box<dyn Read + Send>, block_size: usize) -> Self {
        Har { source, scan: Scan::new(input), block_size, next_entry: 1, held: None, ended: false }
    }

    /// The next block of lines; `None` at the end of the archive.
    pub(super) fn next_block(&mut self) -> io::Result<Option<Block>> {
        if let Some(block) = self.held.take() {
            return Ok(Some(block));
        }
        let first = self.next_entry;
        let mut bytes = Vec::new();
        while !self.ended && bytes.len() < self.block_size {
            let kind = match self.scan.next_entry()? {
                Scanned::End => {
                    self.ended = true;
                    break;
                }
                Scanned::Torn => {
                    self.ended = true;
                    Kind::Torn
                }
                Scanned::TooLong(size) => Kind::TooLong(size),
                Scanned::Entry(entry) => match entry::read(&entry) {
                    Ok(exchange) => {
                        write_line(&exchange, &mut bytes);
                        self.next_entry += 1;
                        continue;
                    }
                    Err(error) => Kind::Rejected(error),
                },
            };
            let odd = self.block(self.next_entry, Vec::new(), kind);
            self.next_entry += 1;
            if bytes.is_empty() {
                return Ok(Some(odd));
            }
            self.held = Some(odd);
            break;
        }
        Ok((!bytes.is_empty()).then(|| self.block(first, bytes, Kind::Lines)))
    }

    fn block(&self, first_line: u64, bytes: Vec<u8>, kind: Kind) -> Block {
        Block { source: Arc::clone(&self.source), first_line, bytes, kind }
    }
}

#[cfg(test)]
mod tests;
