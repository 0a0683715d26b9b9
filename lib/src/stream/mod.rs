//! Locators: where exchanges come from and go to.
//!
//! This module deals with files, folders, pipes, compression and HAR, and hands over lines; what a line
//! says is [`crate::exchange`]'s. It is synchronous, and its memory is bounded by the size of a block and of
//! one line.

mod block;
mod error;
mod har;
mod lines;
mod locator;
mod reader;
mod unpack;

pub use block::{Block, Record};
pub use error::StreamError;
pub use locator::{Locator, LocatorError};
pub use reader::Reader;

/// A line longer than this is rejected without being held: 64 MiB.
pub const MAX_LINE: usize = 64 << 20;

/// Whether to wait for a full block, or to hand over what a pipe gives as soon as it holds a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Whole,
    Prompt,
}
