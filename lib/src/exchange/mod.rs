//! The recorded pair and its line format: model, reader, writer, bodies, secrets.
//!
//! An exchange is a line of JSON (man page `hmt-exchange(5)`). This module knows that line and nothing
//! of where lines come from ([`crate::stream`]) or of what they mean to a spec.

mod key;
mod model;

pub use key::{origin, parse_query, sorted_path};
pub use model::{
    Body, Exchange, Meta, Method, Pairs, Protocol, Request, Response, Side, UnknownMethod, header,
};
