//! User settings for the delivery of records to their sinks.

use crate::stream::Sink;

/// How durably a record is stored before the response completes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The kernel has the record. Killing the recorder loses none.
    #[default]
    Kernel,
    /// The disk has the record. A power failure loses none.
    Fsync,
    /// The brokers of a topic have acknowledged the record; for other sinks, the kernel has it.
    Acked,
    /// The response does not wait. Killing the recorder may lose the records of the last second, at
    /// most 4 MiB.
    Buffered,
}

/// The behaviour while a sink accepts no records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backpressure {
    /// Clients wait.
    #[default]
    Wait,
    /// Records are dropped once 32 MiB are queued.
    Drop,
}

/// The behaviour when a sink fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSinkError {
    /// The sink is abandoned. When no sink is left, the recorder stops.
    #[default]
    Stop,
    /// Its records are dropped, and the next record is tried again.
    Drop,
}

/// How records are delivered to their sinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct DeliveryPolicy {
    pub durability: Durability,
    pub backpressure: Backpressure,
    pub on_error: OnSinkError,
}

/// A sink, and how it behaves.
pub struct Output {
    /// Takes the records.
    pub sink: Box<dyn Sink>,
    /// True if a write may block on a reader.
    pub may_wait: bool,
}
