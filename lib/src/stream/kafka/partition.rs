//! The state of a partition that is read: its position, and the messages that are not handed out
//! yet.

use std::ops::Range;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use super::super::MAX_LINE;
use super::super::block::{Block, LineSpan};

/// The end of what was read of a partition in earlier runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownRange {
    /// The offset after the last message.
    pub end: u64,
    /// The hash of the last message, from [`super::TopicReader::last`]. If the topic has a
    /// different message there, it was recreated.
    pub last: Option<String>,
}

pub(super) struct Partition {
    source: Arc<str>,
    number: i32,
    /// The first offset that is read.
    start: u64,
    /// The offset after the last message that was handed out.
    handed: u64,
    /// The next expected offset.
    next: u64,
    /// The offset where reading stops.
    end: Option<u64>,
    /// True once there is nothing more before `end`.
    ended: bool,
    /// True once the partition's end was reached.
    caught_up: bool,
    bytes: Vec<u8>,
    spans: Vec<(u64, LineSpan)>,
    gap: Option<Range<u64>>,
    repeated: u64,
    /// The hash of the last message that was handed out.
    last: Option<String>,
    /// The offset and expected hash of the message before the first one.
    check: Option<(u64, String)>,
    /// True if the hash differs.
    differs: bool,
}

/// The hash of a message. It is stored instead of the message, because a state may be forbidden to
/// keep values.
fn mark(payload: &[u8]) -> String {
    format!("{:016x}", XxHash3_64::oneshot(payload))
}

impl Partition {
    pub(super) fn new(source: Arc<str>, number: i32, start: u64, end: Option<u64>) -> Self {
        Partition {
            source,
            number,
            start,
            handed: start,
            next: start,
            end,
            ended: end.is_some_and(|end| start >= end),
            caught_up: false,
            bytes: Vec::new(),
            spans: Vec::new(),
            gap: None,
            repeated: 0,
            last: None,
            check: None,
            differs: false,
        }
    }

    /// Also fetches the message before the first one, to check that the topic was not recreated.
    pub(super) fn behind(self, last: Option<String>) -> Self {
        let check = last.and_then(|last| Some((self.start.checked_sub(1)?, last)));
        Partition { check, ..self }
    }

    /// The first offset to fetch.
    pub(super) fn first(&self) -> u64 {
        self.check.as_ref().map_or(self.start, |(offset, _)| *offset)
    }

    /// The offset of a message that differs from the one that was read before.
    pub(super) fn differs(&self) -> Option<u64> {
        self.differs.then(|| self.start.saturating_sub(1))
    }

    /// The hash of the last message that was handed out.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Adds a message; returns the number of bytes not handed out yet. A message without payload
    /// marks a deletion, not an exchange.
    pub(super) fn push(&mut self, offset: u64, payload: Option<&[u8]>) -> usize {
        if let Some((at, last)) = self.check.take_if(|(at, _)| *at <= offset)
            && at == offset
        {
            self.differs = mark(payload.unwrap_or_default()) != last;
            return self.bytes.len();
        }
        if offset < self.next {
            self.repeated += 1;
            return self.bytes.len();
        }
        if self.end.is_some_and(|end| offset >= end) {
            self.ended = true;
            return self.bytes.len();
        }
        if offset > self.next {
            self.gap = Some(self.next..offset);
        }
        self.next = offset + 1;
        self.ended |= self.end.is_some_and(|end| self.next >= end);
        let payload = payload.unwrap_or_default();
        if payload.len() > MAX_LINE {
            self.spans.push((offset, LineSpan::TooLong(payload.len() as u64)));
        } else {
            self.bytes.extend_from_slice(payload);
            self.spans.push((offset, LineSpan::Until(self.bytes.len())));
        }
        self.bytes.len()
    }

    /// The offsets that were skipped since the last call.
    pub(super) fn take_gap(&mut self) -> Option<Range<u64>> {
        self.gap.take()
    }

    /// The end of the partition was reached.
    pub(super) fn reached_end(&mut self) {
        self.ended |= self.end.is_some();
        self.check = None;
        self.caught_up = true;
    }

    /// True once everything has arrived that existed at the start.
    pub(super) fn is_caught_up(&self) -> bool {
        self.caught_up
    }

    /// True if everything requested has arrived and been handed out.
    pub(super) fn is_read(&self) -> bool {
        self.ended && self.spans.is_empty() && self.check.is_none()
    }

    /// True if everything requested has arrived.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The number of bytes not handed out yet; at least one if there is anything.
    pub(super) fn open(&self) -> usize {
        self.bytes.len().max(usize::from(!self.spans.is_empty()))
    }

    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    pub(super) fn handed(&self) -> Range<u64> {
        self.start..self.handed
    }

    /// Hands out the pending messages.
    pub(super) fn block(&mut self) -> Option<Block> {
        let (first, _) = *self.spans.first()?;
        self.handed = self.next;
        let start = match self.spans.iter().rev().nth(1) {
            Some((_, LineSpan::Until(end))) => Some(*end),
            None => Some(0),
            Some(_) => None,
        };
        self.last = match (start, self.spans.last()) {
            (Some(start), Some((_, LineSpan::Until(end)))) => self.bytes.get(start..*end).map(mark),
            _ => None,
        };
        let room = self.bytes.capacity();
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(room.min(2 << 20)));
        let spans = std::mem::take(&mut self.spans);
        Some(Block::of_messages(Arc::clone(&self.source), self.number, first, bytes, spans))
    }

    /// Drops the pending messages.
    pub(super) fn forget_open(&mut self) {
        self.next = self.handed;
        self.bytes.clear();
        self.spans.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::block::Record;
    use super::*;

    #[test]
    fn messages_become_blocks_with_their_offsets() {
        let mut partition = Partition::new("t/3".into(), 3, 10, Some(20));
        for (offset, payload) in [(10, "a"), (11, "{\n}"), (12, ""), (12, "again"), (15, "b")] {
            partition.push(offset, Some(payload.as_bytes()));
        }
        partition.push(16, None);
        assert_eq!(partition.take_gap(), Some(13..15));
        assert_eq!((partition.repeated(), partition.handed()), (1, 10..10));
        let block = partition.block().unwrap();
        assert_eq!(partition.handed(), 10..17);
        let records: Vec<_> = block.records().collect();
        let line = |text: &'static str| Record::Line(text.as_bytes());
        assert_eq!(records, [(10, line("a")), (11, line("{\n}")), (15, line("b"))]);
        assert_eq!(block.at(11).to_string(), "t/3@11");
        assert_eq!(block.partition(), Some(3));
        assert!(partition.block().is_none() && !partition.is_read());
        partition.push(17, Some(b"c"));
        partition.forget_open();
        partition.push(17, Some(b"c"));
        assert_eq!(partition.repeated(), 1);
        partition.push(20, Some(b"later"));
        assert!(partition.has_ended() && !partition.is_read());
        assert_eq!(partition.block().unwrap().records().count(), 1);
        assert!(partition.is_read());
        assert_eq!(partition.handed(), 10..18);
    }

    #[test]
    fn the_message_in_front_tells_whether_it_is_the_same_topic() {
        let mut first = Partition::new("t/0".into(), 0, 0, None);
        first.push(0, Some(b"a"));
        first.push(1, Some(b"bc"));
        first.block().unwrap();
        let last = first.last().map(str::to_owned);
        assert_eq!(last, Some(mark(b"bc")));
        for (offset, payload, differs) in [(1, "bc", None), (1, "b", Some(1)), (2, "b", None)] {
            let mut next = Partition::new("t/0".into(), 0, 2, Some(2)).behind(last.clone());
            assert_eq!((next.first(), next.is_read()), (1, false));
            next.push(offset, Some(payload.as_bytes()));
            assert_eq!((next.differs(), next.is_read(), next.repeated()), (differs, true, 0));
        }
        // It may be a transaction marker, which is never delivered.
        let mut next = Partition::new("t/0".into(), 0, 2, Some(2)).behind(last);
        next.reached_end();
        assert!(next.is_read());
    }
}
