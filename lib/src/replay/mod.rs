//! Serves recordings: exact answers in the order of the files.
//!
//! [`load`] reads exchanges into [`crate::recorded::Recordings`], and [`serve`] answers requests
//! from them. [`crate::recorded`] defines how requests are compared and what an exact answer is;
//! this module knows nothing of specs.

mod body;
mod load;
mod preflight;
mod serve;
mod upstream;

pub use load::{LoadedRecordings, RecordingsLoadError, load};
pub use serve::{Latency, ReplaySummary, ServeOptions, serve};
pub use upstream::{FallbackUpstream, UpstreamRecorder};
