//! Partials and specs, united to one.
