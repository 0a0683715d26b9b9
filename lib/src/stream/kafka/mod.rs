//! Kafka as a source and sink, by librdkafka.
//!
//! A message is one exchange, without a newline; its key is the exchange's host, so that those of a host keep their order.
//! librdkafka has threads of its own; what calls it here is plain synchronous code.
//!
//! * `locator.rs`: what a URL says. `config.rs`: what librdkafka is told.
//! * `source.rs`: messages in. `share.rs`: which partitions are ours. `partition.rs`: what is read of one. `broker.rs`: what brokers and
//!   the group are asked. `outage.rs`: brokers that do not answer. `context.rs`: what the group decides.
//! * `sink.rs`, `delivery.rs`, `unsent.rs`: records out, their acknowledgements, and what could not be sent.
//!
//! Without the feature `kafka` there is only the first: no URL of a topic is taken then, and nobody is here to read one.

mod locator;

#[cfg(feature = "kafka")]
mod broker;
#[cfg(feature = "kafka")]
mod config;
#[cfg(feature = "kafka")]
mod context;
#[cfg(feature = "kafka")]
mod delivery;
#[cfg(feature = "kafka")]
mod outage;
#[cfg(feature = "kafka")]
mod partition;
#[cfg(feature = "kafka")]
mod share;
#[cfg(feature = "kafka")]
mod sink;
#[cfg(feature = "kafka")]
mod source;
#[cfg(feature = "kafka")]
mod unsent;

#[cfg(feature = "kafka")]
pub use broker::Committed;
#[cfg(not(feature = "kafka"))]
pub(super) use locator::ABSENT;
pub use locator::Topic;
#[cfg(feature = "kafka")]
pub use partition::Known;
#[cfg(feature = "kafka")]
pub(super) use sink::open as open_sink;
#[cfg(feature = "kafka")]
pub use source::{Step, TopicReader};

#[cfg(not(feature = "kafka"))]
pub(super) fn open_sink(
    topic: &Topic,
) -> Result<Box<dyn super::sink::Sink>, super::sink::SinkError> {
    Err(super::sink::SinkError::Kafka { topic: topic.short(), why: ABSENT.to_owned() })
}
