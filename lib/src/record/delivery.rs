//! How records get to their sinks: what users choose.

use crate::stream::Sink;

/// When a client may have the end of its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once the kernel has the record: a kill loses none.
    #[default]
    Kernel,
    /// Once the disk has it: a power cut loses none.
    Fsync,
    /// Once the brokers of a topic have acknowledged it; of other sinks, once the kernel has it.
    Acked,
    /// At once: a kill may lose the records of the last second, and 4 MiB at most.
    Buffered,
}

/// What happens while a sink takes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backpressure {
    /// Clients wait.
    #[default]
    Wait,
    /// Records are dropped, once 32 MiB wait.
    Drop,
}

/// What happens when a sink fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSinkError {
    /// It is given up; the recorder ends with the last one.
    #[default]
    Stop,
    /// Its records are dropped, and it is tried again with the next.
    Drop,
}

/// How records get to their sinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Delivery {
    pub durability: Durability,
    pub backpressure: Backpressure,
    pub on_error: OnSinkError,
}

/// A sink, and how it behaves.
pub struct Output {
    /// Takes the records.
    pub sink: Box<dyn Sink>,
    /// True where a write may have to wait for a reader.
    pub may_wait: bool,
}
