//! Hyper plumbing that the servers share: listener, limits, timeouts, drain, bodies, problem+json,
//! target routing, and the conversion of HTTP messages to exchanges.
//!
//! This module knows sockets and HTTP, but not the content of responses: the recorder passes a
//! handler to [`serve()`], and the mock and replay pass an [`Answerer`] to [`serve_answers`].

mod address;
mod answers;
mod backoff;
mod bind;
mod body;
mod client;
mod connect;
mod connection;
mod connection_limit;
mod fetch;
mod forward;
mod guarded;
mod headers;
mod inbound;
mod io;
mod limits;
mod problem;
mod protocol_detection;
mod protocols;
mod request;
mod serve;
mod target;
mod tasks;
mod throttle;
mod timer;
mod tls;
mod x509;

pub use address::{embedded_ipv4, is_link_local, is_loopback_host, is_private};
pub use answers::{Answered, Answerer, Clock, Received, Refusal, ServerOptions, serve_answers};
pub use bind::{BindError, bind, ready_line};
pub use body::{BodyError, collect_body, decoded};
pub use client::{Client, ClientError};
pub use connect::{bare_host, connect_tls, no_address, resolve};
pub use connection::{ConnectionServer, HttpVersion, Takeover, Withheld};
pub use fetch::{FetchError, Fetched, Fetcher, Reach};
pub use forward::{forwarded_headers, forwarded_request};
pub use guarded::{GuardedClient, GuardedError};
pub use headers::{
    copy_end_to_end, framing_is_sound, is_hop_by_hop, named_by_connection, recorded_headers,
};
pub use inbound::{Inbound, InboundRouting};
pub use io::{Io, Rewind};
pub use limits::{Limits, OnEnded, OnRefused, Peer, Refused, Report};
pub use problem::{problem, problem_json};
pub use protocols::{IdentityError, Protocols};
pub use request::{request_of_any_method, request_to_exchange};
pub use serve::{Drained, serve};
pub use target::{Target, TargetError, host_header};
pub use throttle::ThrottledReport;
pub use timer::DeadlineTimer;
pub use tls::{Trust, TrustError};

pub(crate) use client::with_causes;
pub(crate) use headers::{bytes_beyond_text, latin1};
pub(crate) use request::recorded_request_headers;
pub(crate) use target::SCHEME_HEADERS;
pub(crate) use tls::tls_failure_message;
