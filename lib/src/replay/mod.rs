//! Serves recordings, and sends them again.
//!
//! [`load`] reads exchanges into [`crate::recorded::Recordings`], and [`serve`] answers requests
//! from them. [`crate::recorded`] defines how requests are compared and what an exact answer is;
//! this module does not depend on specs.
//!
//! [`send()`] sends the recorded requests to a server. The module `carry` replaces cookies, tokens
//! and ids in them with those of the new responses. The module `diff` compares the new responses
//! with the recorded ones.

mod body;
mod carry;
mod diff;
mod load;
mod preflight;
mod send;
mod serve;
mod upstream;

pub use diff::{DiffOptions, DiffResult, Differ, IgnoreRule, LearnedRule, RulePlace, WrongRule};
pub use load::{LoadedRecordings, RecordingsLoadError, load};
pub use send::{
    DryRun, ExchangeWriter, Observer, RequestChange, SecretValue, SendError, SendOptions,
    SendProgress, SendSummary, Speed, WrongOption, dry_run, send,
};
pub use serve::{Latency, ReplaySummary, serve};
pub use upstream::FallbackUpstream;
