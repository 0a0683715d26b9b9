//! A block of complete lines from one source, and the records in it.

use std::fmt;
use std::sync::Arc;

use crate::exchange::LineError;

/// Complete lines from one source: the unit of work of one worker.
#[derive(Clone, Debug)]
pub struct Block {
    /// The source's name, for messages: a path, `-`, or `TOPIC/PARTITION`.
    pub source: Arc<str>,
    /// Number of the first line of `bytes`, from 1. For a HAR, that of the first entry; for a
    /// topic, the offset of the first message.
    pub first_line: u64,
    /// The lines with their newlines, except possibly the last; or the concatenated messages of a
    /// topic.
    pub bytes: Vec<u8>,
    pub(super) kind: BlockKind,
}

/// The content of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// Lines in `bytes`.
    Lines,
    /// Lines in `bytes`; the source ends within the last one.
    Torn,
    /// One line of this many bytes, which is not held in memory.
    TooLong(u64),
    /// One entry that is not a valid exchange.
    Rejected(LineError),
    /// Messages of this partition, each with its offset.
    #[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "made by Kafka alone"))]
    Messages(i32, Vec<(u64, LineSpan)>),
}

/// The position of a message.
#[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "made by Kafka alone"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineSpan {
    /// In the bytes, from the end of the previous one to here.
    Until(usize),
    /// Not held in memory: it has this many bytes.
    TooLong(u64),
}

/// The position of a record, for messages: `FILE:LINE`, or `TOPIC/PARTITION@OFFSET`.
#[derive(Clone, Copy, Debug)]
pub struct RecordPosition<'b> {
    block: &'b Block,
    number: u64,
}

impl<'b> RecordPosition<'b> {
    /// The source's name.
    pub fn source(&self) -> &'b Arc<str> {
        &self.block.source
    }

    /// The number of the line, the entry or the message.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for RecordPosition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.block.partition().is_some() { '@' } else { ':' };
        write!(f, "{}{sign}{}", self.block.source, self.number)
    }
}

/// One record of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A line without its line break; not blank, but possibly invalid JSON.
    Line(&'a [u8]),
    /// A line of this many bytes, more than [`super::MAX_LINE`], which is not held in memory.
    TooLong(u64),
    /// The source ends within this line: its writer was killed, or is still writing. Empty if a
    /// compressed source ends early between lines.
    TornTail(&'a [u8]),
    /// A HAR entry that is not a valid exchange.
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
        spans: Vec<(u64, LineSpan)>,
    ) -> Block {
        Block { source, first_line: first, bytes, kind: BlockKind::Messages(partition, spans) }
    }

    /// The partition, if the block comes from a topic.
    pub fn partition(&self) -> Option<i32> {
        match self.kind {
            BlockKind::Messages(partition, _) => Some(partition),
            _ => None,
        }
    }

    /// The position of the record with this number.
    pub fn at(&self, number: u64) -> RecordPosition<'_> {
        RecordPosition { block: self, number }
    }

    fn messages(&self) -> impl Iterator<Item = (u64, Record<'_>)> {
        let spans = match &self.kind {
            BlockKind::Messages(_, spans) => spans.as_slice(),
            _ => &[],
        };
        let mut start = 0;
        spans.iter().filter_map(move |(offset, span)| match *span {
            LineSpan::Until(end) => {
                let message = self.bytes.get(start..end).unwrap_or_default();
                start = end;
                // Any message may be the first one, with a byte order mark.
                let message = clean(message, 1);
                (!message.is_empty()).then_some((*offset, Record::Line(message)))
            }
            LineSpan::TooLong(size) => Some((*offset, Record::TooLong(size))),
        })
    }

    /// The records with their line numbers or offsets. Blank lines are skipped, and byte order
    /// marks and carriage returns removed.
    pub fn records(&self) -> impl Iterator<Item = (u64, Record<'_>)> {
        let alone = match &self.kind {
            BlockKind::TooLong(size) => Some((self.first_line, Record::TooLong(*size))),
            BlockKind::Rejected(error) => Some((self.first_line, Record::Rejected(error.clone()))),
            BlockKind::Lines | BlockKind::Torn | BlockKind::Messages(..) => None,
        };
        let is_lines = matches!(self.kind, BlockKind::Lines | BlockKind::Torn);
        let torn = self.kind == BlockKind::Torn;
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

/// Without byte order mark, carriage return and surrounding whitespace.
fn clean(line: &[u8], number: u64) -> &[u8] {
    let line = match line.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) if number == 1 => rest,
        _ => line,
    };
    line.trim_ascii()
}
