//! A run of whole lines of one source, and the records in it.

use std::fmt;
use std::sync::Arc;

use crate::exchange::LineError;

/// Whole lines of one source: what one worker folds at a time.
#[derive(Clone, Debug)]
pub struct Block {
    /// The source's name, for messages: a path, `-`, or `TOPIC/PARTITION`.
    pub source: Arc<str>,
    /// Number of the first line of `bytes`, from 1; for a HAR of the first entry, for a topic the offset of the first message.
    pub first_line: u64,
    /// The lines, each with its newline but perhaps the last; the messages of a topic one after the other.
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
    /// Messages of this partition, each with its offset.
    #[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "made by Kafka alone"))]
    Messages(i32, Vec<(u64, Span)>),
}

/// Where a message is.
#[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "made by Kafka alone"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// In the bytes, from the end of the one before to here.
    Until(usize),
    /// Nowhere: it is of so many bytes, more than are held.
    TooLong(u64),
}

/// The place of a record, for messages: `FILE:LINE`, or `TOPIC/PARTITION@OFFSET`.
#[derive(Clone, Copy, Debug)]
pub struct At<'b> {
    block: &'b Block,
    number: u64,
}

impl<'b> At<'b> {
    /// The source's name.
    pub fn source(&self) -> &'b Arc<str> {
        &self.block.source
    }

    /// The number of the line, the entry or the message.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.block.partition().is_some() { '@' } else { ':' };
        write!(f, "{}{sign}{}", self.block.source, self.number)
    }
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
    /// Messages of a partition, in the order of their offsets.
    #[cfg(feature = "kafka")]
    pub(super) fn of_messages(
        source: Arc<str>,
        partition: i32,
        first: u64,
        bytes: Vec<u8>,
        spans: Vec<(u64, Span)>,
    ) -> Block {
        Block { source, first_line: first, bytes, kind: Kind::Messages(partition, spans) }
    }

    /// The partition that it is of, where it is of a topic.
    pub fn partition(&self) -> Option<i32> {
        match self.kind {
            Kind::Messages(partition, _) => Some(partition),
            _ => None,
        }
    }

    /// The place of a record of this number.
    pub fn at(&self, number: u64) -> At<'_> {
        At { block: self, number }
    }

    fn messages(&self) -> impl Iterator<Item = (u64, Record<'_>)> {
        let spans = match &self.kind {
            Kind::Messages(_, spans) => spans.as_slice(),
            _ => &[],
        };
        let mut start = 0;
        spans.iter().filter_map(move |(offset, span)| match *span {
            Span::Until(end) => {
                let message = self.bytes.get(start..end).unwrap_or_default();
                start = end;
                // A byte order mark stands before a first line only, which any message may be.
                let message = clean(message, 1);
                (!message.is_empty()).then_some((*offset, Record::Line(message)))
            }
            Span::TooLong(size) => Some((*offset, Record::TooLong(size))),
        })
    }

    /// The records with their line numbers or offsets; blank lines are passed over, a byte order mark and carriage
    /// returns at line ends are taken off.
    pub fn records(&self) -> impl Iterator<Item = (u64, Record<'_>)> {
        let alone = match &self.kind {
            Kind::TooLong(size) => Some((self.first_line, Record::TooLong(*size))),
            Kind::Rejected(error) => Some((self.first_line, Record::Rejected(error.clone()))),
            Kind::Lines | Kind::Torn | Kind::Messages(..) => None,
        };
        let is_lines = matches!(self.kind, Kind::Lines | Kind::Torn);
        let torn = self.kind == Kind::Torn;
        let mut rest = self.bytes.as_slice();
        let mut number = self.first_line;
        let mut done = !is_lines;
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
        alone.into_iter().chain(self.messages()).chain(lines)
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
