//! Exact recordings: match keys, index, sequences; used by mock and replay.
//!
//! A recording is a request and the answers that it got, in order. [`Recordings`] holds many of them and
//! hands the answers out again: each once, then the last for ever. It deals with what makes two requests
//! the same ([`MatchRule`], equal bodies, pseudonyms of secrets) and with what an exact answer is
//! ([`Answer`]). It knows nothing of servers, and nothing of specs but the root key `x-hmt-replay`.

mod answer;
mod body;
mod document;
mod index;
mod nearest;
mod rule;
mod veil;

pub use answer::{Answer, Unanswerable};
pub use document::ReplayError;
pub use index::{Inserted, Recordings};
pub use rule::{BodyRule, HostRule, MatchRule, WrongMatchField};
