//! Serving recordings, and sending them again.
