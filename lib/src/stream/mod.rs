//! Locators: where exchanges come from and go to.
//!
//! This module handles files, folders, pipes, compression, captures and Kafka, and produces lines,
//! which [`crate::exchange`] parses. It is synchronous, and its memory is bounded by the size of a
//! block and of one line. Only [`ExchangeLog`] is for asynchronous callers.

mod block;
mod capture;
mod captures;
mod charles;
mod delivery_deadline;
mod detect;
mod error;
mod exchange_log;
mod file_sink;
mod har;
mod har_sink;
mod kafka;
mod lines;
mod locator;
mod locator_error;
mod log_dir;
mod mitmproxy;
mod open;
mod packed_sink;
mod postman;
mod reader;
mod rejects;
mod rotate;
mod scan;
mod sibling_files;
mod sink;
mod tnetstring;
mod unpack;
mod utf16;
mod zip;

/// A longer line is rejected without being held.
pub use crate::exchange::MAX_LINE;
pub use block::{Block, Record, RecordPosition};
pub use delivery_deadline::DeliveryDeadline;
pub use error::StreamError;
pub use exchange_log::{ExchangeLog, Written};
pub use kafka::Topic;
#[cfg(feature = "kafka")]
pub use kafka::{Committed, KnownRange, TopicEvent, TopicReader};
pub use locator::{Locator, grows};
pub use locator_error::LocatorError;
pub use log_dir::LogDir;
pub use open::{open_rotating_sink, open_sink};
pub use reader::{FilePart, PartitionRange, Reader};
pub use rejects::Rejects;
pub use rotate::Rotation;
pub use sink::{Notify, Sink, SinkError, Unsent};

/// Whether to wait for a full block, or to return what a pipe has as soon as it is a complete line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Whole,
    Prompt,
}
