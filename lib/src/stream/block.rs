//! A run of whole lines of one source, and the records in it.

use std::sync::Arc;

use crate::exchange::LineError;

/// Whole lines of one source: what one worker folds at a time.
#[derive(Clone, Debug)]
pub struct Block {
    /// The source's name, for messages: a path, or `-`.
    pub source: Arc<str>,
    /// Number of the first line of `bytes`, from 1; for a HAR of the first entry.
    pub first_line: u64,
    /// The lines, each with its newline but perhaps the last.
    pub bytes: Vec<u8>,
    pub(super) kind: Kind,
}

/// What a block holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines in `bytes`.
    Lines,
    /// Lines in `bytes`, and the source ends within the last one.
    Torn,
    /// One line, not held, of so many bytes.
    TooLong(u64),
    /// One entry that is no exchange.
    Rejected(LineError),
}

/// One line of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A line without its line end; neither blank nor known to be whole JSON.
    Line(&'a [u8]),
    /// A line of so many bytes, more than [`super::MAX_LINE`]; it was not held.
    TooLong(u64),
    /// The source ends within this line: the writer was killed, or still writes. Empty where a compressed
    /// source breaks off between lines.
    TornTail(&'a [u8]),
    /// An entry of a HAR that cannot be an exchange.
    Rejected(LineError),
}

impl Block {
    /// The records with their line numbers; blank lines are passed over, a byte order mark and carriage
    /// returns at line ends are taken off.
    pub fn records(&self) -> impl Iterator<Item = (u64, Record<'_>)> {
        let alone = match &self.kind {
            Kind::TooLong(size) => Some((self.first_line, Record::TooLong(*size))),
            Kind::Rejected(error) => Some((self.first_line, Record::Rejected(error.clone()))),
            Kind::Lines | Kind::Torn => None,
        };
        let torn = self.kind == Kind::Torn;
        let mut rest = self.bytes.as_slice();
        let mut number = self.first_line;
        let mut done = alone.is_some();
        let lines = std::iter::from_fn(move || {
            while !done {
                let (line, last) = match memchr::memchr(b'\n', rest) {
                    Some(end) => {
                        let line = &rest[..end];
                        rest = &rest[end + 1..];
                        (line, false)
                    }
                    None => (rest, true),
                };
                let at = number;
                number += 1;
                done = last;
                let line = clean(line, at);
                if last && torn {
                    return Some((at, Record::TornTail(line)));
                }
                if !line.is_empty() {
                    return Some((at, Record::Line(line)));
                }
            }
            None
        });
        alone.into_iter().chain(lines)
    }
}

/// Without byte order mark, carriage return and surrounding blanks.
fn clean(line: &[u8], number: u64) -> &[u8] {
    let line = match line.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) if number == 1 => rest,
        _ => line,
    };
    line.trim_ascii()
}
