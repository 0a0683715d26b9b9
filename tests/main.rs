//! The only test executable: runs the programs as users do.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod build;
mod docs;
mod harness;
mod hmt;
#[cfg(feature = "kafka")]
mod kafka;
mod merge;
mod mock;
mod pipeline;
mod record;
mod replay;
