//! Receives librdkafka's events for a consumer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientContext, TopicPartitionList};

/// A decision of the group, which the polling code carries out: the messages of a partition are
/// made durable before it is given back, which takes too long for a callback.
pub(super) enum GroupDecision {
    /// These partitions are assigned to this consumer.
    Assign(TopicPartitionList),
    /// These partitions must be given back; with `lost`, other members may already have them.
    Revoke { partitions: TopicPartitionList, lost: bool },
}

/// Notes the events.
#[derive(Default)]
pub(super) struct Events {
    decisions: Mutex<VecDeque<GroupDecision>>,
    closing: AtomicBool,
    /// True while an assignment is neither accepted nor refused.
    unanswered: AtomicBool,
    down: AtomicBool,
}

impl Events {
    /// The next pending decision.
    pub(super) fn next(&self) -> Option<GroupDecision> {
        self.decisions.lock().pop_front()
    }

    /// From now on, partitions are given back at once.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Whether an assignment is unanswered.
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

    /// Notes an error; true if it only means that a broker is unavailable, which librdkafka handles
    /// itself.
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
    /// Important messages also arrive as errors.
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
            // Decisions are no longer handled, and the consumer closes only when each one is
            // answered. While it closes, it treats every answer as giving all partitions back.
            let answer =
                if assign { take(consumer, partitions) } else { give_back(consumer, partitions) };
            drop(answer);
            return;
        }
        let partitions = partitions.clone();
        self.unanswered.store(assign, Ordering::Relaxed);
        let decision = if assign {
            GroupDecision::Assign(partitions)
        } else {
            GroupDecision::Revoke { partitions, lost: consumer.assignment_lost() }
        };
        self.decisions.lock().push_back(decision);
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

/// Accepts partitions from the group.
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
