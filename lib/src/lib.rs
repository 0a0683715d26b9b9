//! The library behind HMT, the HTTP Mocking Toolkit.
//!
//! One idea holds the house together: **an exchange is a line, a spec is a file, and everything else is a
//! filter between them.**

pub mod cli;
pub mod conform;
pub mod exchange;
pub mod fake;
pub mod format;
pub mod infer;
pub mod merge;
pub mod mock;
pub mod net;
pub mod record;
pub mod recorded;
pub mod replay;
pub mod schema;
pub mod spec;
pub mod stream;
