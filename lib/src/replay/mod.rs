//! Serving recordings: exact answers in the order of the files.
//!
//! [`load`] reads exchanges into [`crate::recorded::Recordings`], [`serve`] puts them behind a socket. How requests
//! are compared, and what an exact answer is, stands in [`crate::recorded`]; nothing here knows of specs.

mod body;
mod load;
mod preflight;
mod serve;
mod upstream;

pub use load::{LoadError, Loaded, load};
pub use serve::{Latency, ServeOptions, Served, serve};
pub use upstream::{Record, Upstream};
