//! Hyper plumbing shared by the servers: listener, limits, time-outs, drain, bodies, problem+json, target
//! routing, and the way from an HTTP message to an exchange.
//!
//! It knows sockets and HTTP, and nothing of what a server answers: the recorder, the mock and replay
//! each give [`serve()`] a handler.

mod backoff;
mod bind;
mod body;
mod carrier;
mod client;
mod crowd;
mod headers;
mod inbound;
mod io;
mod offer;
mod patience;
mod problem;
mod request;
mod serve;
mod target;
mod tasks;
mod trouble;

pub use bind::{BindError, bind, ready_line, ready_line_tls};
pub use body::{BodyError, collect_body, collect_decoded, decoded};
pub use carrier::{Carrier, Takeover, Wire, Withheld};
pub use client::{Client, ClientError};
pub use headers::{framing_is_sound, is_hop_by_hop, named_by_connection, recorded_headers};
pub use inbound::{Inbound, Routing};
pub use io::{Io, Rewind};
pub use offer::{IdentityError, Offer};
pub use patience::Patience;
pub use problem::{problem, problem_json};
pub use request::{request_of_any_method, request_to_exchange};
pub use serve::{Drained, Limits, OnEnded, OnRefused, Peer, Refused, Report, serve};
pub use target::{Target, TargetError, host_header};
pub use trouble::Trouble;

pub(crate) use client::with_causes;
pub(crate) use headers::{bytes_beyond_text, latin1};
pub(crate) use request::request_headers;
pub(crate) use target::SCHEME_HEADERS;
