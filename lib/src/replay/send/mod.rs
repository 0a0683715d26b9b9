//! Sends recorded requests again.
//!
//! A thread reads and plans ([`feed`], [`plan`]). Tasks of one single-threaded runtime send
//! ([`run`]), each lane of requests in its order ([`lanes`], [`order`]). [`link`] holds the
//! connections, [`wire`] converts requests and responses, [`record`] writes the new exchanges.

mod dry;
mod feed;
mod lanes;
mod latency;
mod link;
mod options;
mod order;
mod pace;
mod plan;
mod record;
mod run;
mod summary;
mod wire;

pub use dry::{DryRun, dry_run};
pub use options::{
    Observer, RequestChange, SecretValue, SendOptions, SendProgress, Speed, WrongOption,
};
pub use record::ExchangeWriter;
pub use run::{SendError, send};
pub use summary::SendSummary;

pub(super) use options::Comparison;
pub(super) use summary::shown;
