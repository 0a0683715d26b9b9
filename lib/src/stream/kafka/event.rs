//! The events while a topic is read.

use std::collections::BTreeMap;

use super::super::block::Block;
use super::broker::Committed;

/// An event of a reader.
#[derive(Debug)]
pub enum TopicEvent {
    /// Exchanges.
    Block(Block),
    /// Nothing for now: the time is over, a stop was requested, or everything requested has been
    /// read.
    Rest,
    /// Newly assigned partitions, each with what the group has committed.
    Assigned(BTreeMap<i32, Option<Committed>>),
    /// Partitions that must be given back to the group, or were lost to it.
    Revoked {
        /// The partitions.
        partitions: Vec<i32>,
        /// Whether other members may already have them, from the last committed offset on.
        lost: bool,
    },
}
