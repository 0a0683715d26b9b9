//! What stands for Kafka in a build without it: no [`Topic`] can be made, so nothing here is ever reached.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use super::super::StreamError;
use super::super::block::Block;
use super::super::sink::{Sink, SinkError};
use super::locator::Topic;

pub(super) fn variable(property: &str) -> String {
    property.to_owned()
}

pub(super) fn check(_: &Topic) -> Result<(), String> {
    Ok(())
}

pub(in super::super) fn open_sink(topic: &Topic) -> Result<Box<dyn Sink>, SinkError> {
    Err(SinkError::Kafka { topic: topic.short(), why: "not built in".to_owned() })
}

/// What a reader has to say.
#[derive(Debug)]
pub enum Step {
    /// Exchanges.
    Block(Block),
    /// Nothing for now.
    Rest,
    /// Partitions are to be given back to the group, or were lost to it.
    Revoked {
        /// Which.
        partitions: Vec<i32>,
        /// Whether others may have them already.
        lost: bool,
    },
}

/// Reads a topic.
pub enum TopicReader {}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "as where Kafka is built in")]
impl TopicReader {
    pub fn open(
        topic: &Topic,
        _: usize,
        _: impl FnOnce(&str) -> BTreeMap<i32, u64>,
        _: &dyn Fn() -> bool,
        _: &dyn Fn(&str),
    ) -> Result<Option<TopicReader>, StreamError> {
        Err(StreamError::Kafka { topic: topic.short(), why: "not built in".to_owned() })
    }

    pub fn next(
        &mut self,
        _: Option<Instant>,
        _: &dyn Fn() -> bool,
        _: &dyn Fn(&str),
    ) -> Result<Step, StreamError> {
        match *self {}
    }

    pub fn release(&mut self) -> Result<(), StreamError> {
        match *self {}
    }

    pub fn set_known(&mut self, _: i32, _: Option<u64>) {
        match *self {}
    }

    pub fn commit(&self, _: &BTreeMap<i32, u64>) -> Result<(), StreamError> {
        match *self {}
    }

    pub fn read(&self) -> BTreeMap<i32, Range<u64>> {
        match *self {}
    }

    pub fn is_read(&self) -> bool {
        match *self {}
    }

    pub fn is_read_by_all(&self) -> bool {
        match *self {}
    }

    pub fn is_assigned(&self) -> bool {
        match *self {}
    }

    pub fn has_joined(&mut self) -> bool {
        match *self {}
    }

    pub fn committed_of(&self, _: i32) -> Option<u64> {
        match *self {}
    }

    pub fn stay(&mut self) {
        match *self {}
    }

    pub fn repeated(&self) -> u64 {
        match *self {}
    }

    pub fn name_of(&self, _: i32) -> (&str, &str, i32) {
        match *self {}
    }
}
