//! Kafka as a source and sink, by librdkafka.
//!
//! A message is one exchange, without a newline; its key is the exchange's host, so that the
//! exchanges of a host keep their order. librdkafka has its own threads; the code here is
//! synchronous.
//!
//! * `locator.rs`: parses URLs. `topic.rs`: a topic. `config.rs`: configures librdkafka.
//! * `source.rs`: reads messages. `assignment.rs`: the assigned partitions. `partition.rs`: the
//!   state of one partition. `broker.rs`: queries to brokers and the group. `outage.rs`: brokers
//!   that do not answer. `context.rs`: decisions of the group.
//! * `sink.rs`, `delivery.rs`, `unsent.rs`: write records, track acknowledgements, and save unsent
//!   records.
//!
//! Without the feature `kafka`, only `locator.rs` and `topic.rs` are built, and topics are refused.

mod locator;
mod topic;

#[cfg(feature = "kafka")]
mod assignment;
#[cfg(feature = "kafka")]
mod broker;
#[cfg(feature = "kafka")]
mod config;
#[cfg(feature = "kafka")]
mod context;
#[cfg(feature = "kafka")]
mod delivery;
#[cfg(feature = "kafka")]
mod event;
#[cfg(feature = "kafka")]
mod outage;
#[cfg(feature = "kafka")]
mod partition;
#[cfg(feature = "kafka")]
mod sink;
#[cfg(feature = "kafka")]
mod source;
#[cfg(feature = "kafka")]
mod unsent;

#[cfg(feature = "kafka")]
pub use broker::Committed;
#[cfg(feature = "kafka")]
pub use event::TopicEvent;
#[cfg(not(feature = "kafka"))]
pub(super) use locator::ABSENT;
#[cfg(feature = "kafka")]
pub use partition::KnownRange;
#[cfg(feature = "kafka")]
pub(super) use sink::open as open_sink;
#[cfg(feature = "kafka")]
pub use source::TopicReader;
pub use topic::Topic;

#[cfg(not(feature = "kafka"))]
pub(super) fn open_sink(
    topic: &Topic,
) -> Result<Box<dyn super::sink::Sink>, super::sink::SinkError> {
    Err(super::sink::SinkError::Kafka { topic: topic.short(), why: ABSENT.to_owned() })
}
