//! Exact recordings: match keys, index, and sequences, for mock and replay.
//!
//! A recording is a request and its answers in order. [`Recordings`] holds many of them and returns
//! each answer once, and then the last one repeatedly. It defines which requests are equal
//! ([`MatchRule`], equal bodies, pseudonyms of secrets) and what an exact answer is
//! ([`RecordedAnswer`]). It does not depend on servers. The only part of a spec that it reads is
//! the root key `x-hmt-replay`.

mod answer;
mod body;
mod compared;
mod difference;
mod document;
mod index;
mod json;
mod lookup;
mod nearest;
mod pointer;
mod preference;
mod redacted;
mod rule;
mod sequence;
mod store;

pub use answer::{RecordedAnswer, Unanswerable};
pub use document::{ReplayError, is_recordings_only, recorded_exchanges};
pub use index::{Inserted, Recordings};
pub use lookup::Lookup;
pub use pointer::{NotAPointer, Pointer};
pub use rule::{BodyRule, HostRule, Ignore, Ignored, MatchRule, WrongMatchField};
pub use store::SpoolError;

pub(crate) use difference::abridged;
pub(crate) use json::{JsonValue, json_string, same_number};
pub(crate) use pointer::display as display_pointer;
