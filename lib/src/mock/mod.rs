//! The mock server: loading, routing, choice of the answer, log, admin.
//!
//! A [`Mock`] is compiled once from documents and then answers requests; [`serve`] puts it behind sockets. The
//! chain of answers is in `serving`, the choice among what an operation declares in `choose`. What a spec means
//! stands in [`crate::conform`], what a recording is in [`crate::recorded`], how data is generated in
//! [`crate::fake`].

mod admin;
mod choose;
mod compile;
mod cors;
mod credentials;
mod current;
mod farewell;
mod leads;
mod load;
mod log;
mod media;
mod reply;
mod server;
mod serving;
mod state;
mod upstream;
mod wish;
mod xml;

pub use current::{Current, Seen, WATCH_EVERY};
pub use load::{Fetch, LoadError, Loaded, Sources};
pub use log::{Log, Written};
pub use reply::{Reply, Source};
pub use server::{Served, ServerOptions, admin_ready_line, serve};
pub use serving::{Asked, CompileError, Mock, Options};
pub use state::{DataError, State, Storage};
pub use upstream::Upstream;
