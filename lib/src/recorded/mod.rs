//! Exact recordings: match keys, index, sequences; used by mock and replay.
//!
//! A recording is a request and the answers that it got, in order. [`Recordings`] holds many of them and
//! returns the answers again: each once, then the last one again and again. It decides what makes two requests
//! the same ([`MatchRule`], equal bodies, pseudonyms of secrets) and what an exact answer is
//! ([`Answer`]). It knows nothing of servers, and nothing of specs but the root key `x-hmt-replay`.

mod answer;
mod body;
mod difference;
mod document;
mod index;
mod json;
mod nearest;
mod pointer;
mod preference;
mod redacted;
mod rule;
mod sequence;
mod store;

pub use answer::{Answer, Unanswerable};
pub use document::ReplayError;
pub use index::{Asked, Inserted, Recordings};
pub use pointer::{NotAPointer, Pointer};
pub use rule::{BodyRule, HostRule, Ignore, Ignored, MatchRule, WrongMatchField};
pub use store::SpoolError;
