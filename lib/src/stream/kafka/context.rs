//! What librdkafka tells a consumer between its messages.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientContext, TopicPartitionList};

/// What the group has decided, to be carried out by whoever polls: what was read of a partition is made durable before the
/// partition is given away, which takes longer than a callback may.
pub(super) enum Decision {
    /// These partitions are ours now.
    Assign(TopicPartitionList),
    /// These are to be given back; `lost` if others may have them already.
    Revoke { partitions: TopicPartitionList, lost: bool },
}

/// Notes what happens.
#[derive(Default)]
pub(super) struct Events {
    decisions: Mutex<VecDeque<Decision>>,
    closing: AtomicBool,
    /// An assignment was announced, and neither taken nor refused yet.
    unanswered: AtomicBool,
    down: AtomicBool,
}

impl Events {
    /// The next decision that is to be carried out.
    pub(super) fn next(&self) -> Option<Decision> {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// From now on, partitions are given back at once.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Whether an assignment waits for its answer.
    pub(super) fn is_unanswered(&self) -> bool {
        self.unanswered.load(Ordering::Relaxed)
    }

    /// Whether no broker answers.
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    pub(super) fn is_up(&self) {
        self.down.store(false, Ordering::Relaxed);
    }

    /// Notes an error; true where it is only that a broker is away, which librdkafka goes on to look for.
    pub(super) fn note(&self, code: RDKafkaErrorCode) -> bool {
        if code == RDKafkaErrorCode::AllBrokersDown {
            self.down.store(true, Ordering::Relaxed);
        }
        matches!(
            code,
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::MessageTimedOut
        )
    }
}

impl ClientContext for Events {
    /// What matters comes as an error, too.
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, _: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.note(code);
        }
    }
}

impl ConsumerContext for Events {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assign = what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.closing.load(Ordering::Relaxed) {
            // Nobody carries out decisions any more, and the consumer does not close before each has its answer. While it
            // closes, it takes every answer for one that gives all back.
            let answer =
                if assign { take(consumer, partitions) } else { give_back(consumer, partitions) };
            drop(answer);
            return;
        }
        let partitions = partitions.clone();
        self.unanswered.store(assign, Ordering::Relaxed);
        let decision = if assign {
            Decision::Assign(partitions)
        } else {
            Decision::Revoke { partitions, lost: consumer.assignment_lost() }
        };
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner).push_back(decision);
    }
}

/// Gives partitions back to the group.
pub(super) fn give_back(
    consumer: &BaseConsumer<Events>,
    partitions: &TopicPartitionList,
) -> rdkafka::error::KafkaResult<()> {
    use rdkafka::consumer::RebalanceProtocol;
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
        _ => consumer.unassign(),
    }
}

/// Takes partitions from the group.
pub(super) fn take(
    consumer: &BaseConsumer<Events>,
    partitions: &TopicPartitionList,
) -> rdkafka::error::KafkaResult<()> {
    use rdkafka::consumer::RebalanceProtocol;
    consumer.context().unanswered.store(false, Ordering::Relaxed);
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
        _ => consumer.assign(partitions),
    }
}
