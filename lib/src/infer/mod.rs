//! Exchanges to state to spec: the heart.
