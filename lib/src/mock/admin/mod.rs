//! The admin port: a file for each group of endpoints, and a row for each endpoint in
//! `ROUTES` of [`router`].
//!
//! It only listens on loopback, and refuses requests that a foreign page could make a browser send.
//! No endpoint adds code, files or commands.

mod endpoint;
mod faults;
mod guard;
mod health;
mod nearest;
mod overrides;
mod page;
mod pregen;
mod reload;
mod requests;
mod router;
mod routes;
mod scope;
mod serve;
mod storage;

pub(super) use router::Access;
pub use serve::admin_ready_line;
pub(super) use serve::serve;
