//! The one test executable: the programs, run as users run them.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod build;
mod docs;
mod edits;
mod faults;
mod follow;
mod front;
mod harness;
#[cfg(feature = "kafka")]
mod kafka;
mod laws;
mod merge;
mod mock;
mod options;
mod pipeline;
mod record;
mod replay;
mod syntaxes;
mod words;
