//! The recorder: a proxy that writes down what passes.
//!
//! The wire is sacred: what client and upstream see is never changed by recording, and bodies stream
//! through while a bounded copy is taken. An exchange is handed to its sinks before the client gets the
//! end of its response, so whoever has a whole answer finds it in the recording.
//!
//! Sockets and their limits are [`crate::net`]'s, files and pipes [`crate::stream`]'s, and what a record
//! looks like is [`crate::exchange`]'s.

mod ca;
mod capture;
mod connect;
mod content;
mod copy;
mod delivery;
mod download;
mod forward;
mod import;
mod journal;
mod link;
mod policy;
mod progress;
mod proxies;
mod proxy;
mod recorder;
mod redirect;
mod reply;
mod route;
mod run;
mod sinks;
mod stream;
mod tally;
mod tls;
mod tunnel;
mod upgrade;
mod upload;
mod upstream;
mod x509;

pub use crate::exchange::Pattern;
pub use ca::{Authority, AuthorityError};
pub use delivery::{Backpressure, Delivery, Durability, OnSinkError, Output};
pub use import::{Complaints, ImportError, import};
pub use policy::{Policy, Refusal};
pub use progress::{Progress, Watch};
pub use proxies::{Proxies, ProxyError};
pub use recorder::Routing;
pub use run::{Config, record};
pub use tally::{Dropped, Failed, Summary};
pub use tls::{Trust, TrustError};
