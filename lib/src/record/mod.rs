//! The recorder: a proxy that records what it forwards.
//!
//! Recording never changes what client and upstream see, and bodies are streamed while a bounded
//! copy is kept. An exchange is handed to its sinks before the client gets the end of its response,
//! so a client with a complete response finds it in the recording.
//!
//! [`crate::net`] handles sockets and their limits, [`crate::stream`] files and pipes, and
//! [`crate::exchange`] the format of a record.

mod ca;
mod capture;
mod connect;
mod copy;
mod delivery;
mod headers;
mod import;
mod journal;
mod link;
mod policy;
mod progress;
mod proxies;
mod proxy;
mod recorded_body;
mod recorder;
mod redirect;
mod reply;
mod request_body;
mod response_body;
mod route;
mod run;
mod sinks;
mod stream;
mod tally;
mod target_form;
mod tunnel;
mod upgrade;
mod upstream;

pub use crate::exchange::Pattern;
pub use crate::net::{Trust, TrustError};
pub use ca::{Authority, AuthorityError};
pub use delivery::{Backpressure, DeliveryPolicy, Durability, OnSinkError, Output};
pub use import::{ImportDiagnostics, ImportError, import};
pub use policy::{TargetPolicy, TargetRefusal};
pub use progress::{OnProgress, Progress};
pub use proxies::{Proxies, ProxyError};
pub use recorder::Routing;
pub use run::{RecorderConfig, record};
pub use tally::{Dropped, Failed, Summary};
