//! Exact recordings: match keys, index, sequences; used by mock and replay.
