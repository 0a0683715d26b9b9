//! Kafka as a source and sink, by librdkafka.
//!
//! A message is one exchange, without a newline; its key is the exchange's host, so that those of a host keep their order.
//! librdkafka has threads of its own; what calls it here is plain synchronous code.
//!
//! * `locator.rs`: what a URL says. `config.rs`: what librdkafka is told.
//! * `source.rs`, `context.rs`, `partition.rs`: messages in; what the group decides, and what is read of a partition.
//! * `sink.rs`, `delivery.rs`, `unsent.rs`: records out, their acknowledgements, and what could not be sent.

#[cfg(feature = "kafka")]
mod config;
#[cfg(feature = "kafka")]
mod context;
#[cfg(feature = "kafka")]
mod delivery;
mod locator;
#[cfg(feature = "kafka")]
mod partition;
#[cfg(feature = "kafka")]
mod sink;
#[cfg(feature = "kafka")]
mod source;
#[cfg(feature = "kafka")]
mod unsent;

#[cfg(not(feature = "kafka"))]
mod absent;
#[cfg(not(feature = "kafka"))]
use absent as config;

#[cfg(not(feature = "kafka"))]
pub(super) use absent::open_sink;
#[cfg(not(feature = "kafka"))]
pub use absent::{Step, TopicReader};
pub use locator::Topic;
#[cfg(feature = "kafka")]
pub(super) use sink::open as open_sink;
#[cfg(feature = "kafka")]
pub use source::{Step, TopicReader};

/// Whether this build has Kafka. Without it, no locator of a topic can be made.
const BUILT_IN: bool = cfg!(feature = "kafka");
