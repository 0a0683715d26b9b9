//! The partitions assigned to this reader, where each is read from, and decisions that the reader
//! must carry out.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;

use super::super::StreamError;
use super::broker::{Broker, Committed};
use super::context::{GroupDecision, give_back};
use super::event::TopicEvent;
use super::partition::{KnownRange, Partition};
use super::topic::StartOffset;

/// The error for a topic that was recreated, and what to do.
pub(super) const TOPIC_RECREATED: &str =
    "the topic was created again; start with another --state, group or topic";

/// Where to begin in a partition, if known, and the expected hash of the message before.
type Start = (Option<u64>, Option<String>);

/// A pending decision for the reader.
enum PendingDecision {
    Assigned(BTreeMap<i32, Option<Committed>>),
    Revoked(TopicPartitionList),
}

#[derive(Default)]
pub(super) struct Assignment {
    /// The assigned partitions.
    pub(super) ours: BTreeMap<i32, Partition>,
    /// Where each partition stops, if the topic is read to its end.
    pub(super) ends: BTreeMap<i32, u64>,
    /// Pending messages for the user.
    pub(super) notes: Vec<String>,
    waiting: Option<PendingDecision>,
    /// True once the assignment is known.
    known: bool,
    /// True if missing messages are an error.
    again: bool,
    /// Records that the group would have delivered again.
    repeated: u64,
}

impl Assignment {
    /// Assigns these partitions, without a group.
    pub(super) fn assign(&mut self, partitions: Vec<i32>) {
        let all = partitions.into_iter().map(|partition| (partition, None));
        self.waiting = Some(PendingDecision::Assigned(all.collect()));
    }

    /// The next decision for the reader to carry out.
    pub(super) fn decided(&mut self, broker: &Broker) -> Result<Option<TopicEvent>, StreamError> {
        if self.waiting.is_none()
            && let Some(decision) = broker.consumer.context().next()
        {
            match decision {
                GroupDecision::Assign(list) => {
                    let partitions = numbers(&list);
                    let mut committed = broker.committed_with_retries(&partitions)?;
                    let of = |partition| (partition, committed.remove(&partition));
                    let all = partitions.into_iter().map(of).collect();
                    self.waiting = Some(PendingDecision::Assigned(all));
                }
                GroupDecision::Revoke { partitions: list, lost } => {
                    let partitions = numbers(&list);
                    for partition in &partitions {
                        if let Some(ours) = self.ours.get_mut(partition) {
                            // Messages that were not handed out are read by the next owner of the
                            // partition.
                            ours.forget_open();
                        }
                    }
                    self.waiting = Some(PendingDecision::Revoked(list));
                    return Ok(Some(TopicEvent::Revoked { partitions, lost }));
                }
            }
        }
        Ok(match &self.waiting {
            Some(PendingDecision::Assigned(partitions)) => {
                Some(TopicEvent::Assigned(partitions.clone()))
            }
            _ => None,
        })
    }

    /// See [`super::TopicReader::accept`].
    pub(super) fn accept(
        &mut self,
        known: &BTreeMap<i32, KnownRange>,
        broker: &Broker,
    ) -> Result<(), StreamError> {
        let assigned = match self.waiting.take() {
            Some(PendingDecision::Assigned(assigned)) => assigned,
            other => {
                self.waiting = other;
                return Ok(());
            }
        };
        let mut starts = BTreeMap::new();
        for (partition, committed) in assigned {
            let (known, committed) = (known.get(&partition), committed.map(|found| found.offset));
            let end = known.map(|known| known.end);
            if let (Some(end), Some(committed)) = (end, committed) {
                self.repeated += end.saturating_sub(committed);
            }
            // If other readers have continued, the previous message is theirs.
            let last = known.filter(|known| committed <= Some(known.end));
            starts.insert(partition, (end.max(committed), last.and_then(|k| k.last.clone())));
        }
        self.begin(starts, broker)
    }

    /// Reads exactly these offsets. If the broker no longer has all of them, this is an error.
    pub(super) fn read_again(
        &mut self,
        ranges: &BTreeMap<i32, Range<u64>>,
        broker: &Broker,
    ) -> Result<(), StreamError> {
        self.again = true;
        self.ends = ranges.iter().map(|(partition, range)| (*partition, range.end)).collect();
        let starts =
            ranges.iter().map(|(partition, range)| (*partition, (Some(range.start), None)));
        self.begin(starts.collect(), broker)
    }

    /// Begins to read partitions, at these offsets or at the configured start of the topic.
    fn begin(&mut self, starts: BTreeMap<i32, Start>, broker: &Broker) -> Result<(), StreamError> {
        let topic = &broker.topic;
        let mut fetched = BTreeMap::new();
        for (partition, (wanted, last)) in starts {
            let (low, high) = broker.watermarks(partition)?;
            if let Some(wanted) = wanted.filter(|wanted| *wanted > high) {
                return Err(broker.failed(format!(
                    "partition {partition} ends at offset {high}, but was previously read up to {wanted}: {TOPIC_RECREATED}"
                )));
            }
            if let Some(wanted) = wanted.filter(|wanted| *wanted < low) {
                self.gone(partition, &(wanted..low), broker)?;
            }
            let start = wanted.unwrap_or(match topic.from {
                StartOffset::Beginning => low,
                StartOffset::Latest => high,
            });
            let start = start.max(low);
            let end = topic.until_end.then(|| self.ends.get(&partition).copied().unwrap_or(high));
            let source: Arc<str> = format!("{}/{partition}", topic.name).into();
            let last = last.filter(|_| wanted == Some(start) && start > low);
            let ours = Partition::new(source, partition, start, end).behind(last);
            fetched.insert(partition, ours.first());
            self.ours.insert(partition, ours);
        }
        broker.fetch(&fetched)?;
        self.known = true;
        Ok(())
    }

    /// See [`super::TopicReader::release`].
    pub(super) fn release(&mut self, broker: &Broker) -> Result<(), StreamError> {
        let list = match self.waiting.take() {
            Some(PendingDecision::Revoked(list)) => list,
            other => {
                self.waiting = other;
                return Ok(());
            }
        };
        for partition in numbers(&list) {
            self.ours.remove(&partition);
        }
        give_back(&broker.consumer, &list).map_err(|error| broker.refused(&error))
    }

    /// Examines skipped offsets: the broker may have deleted them, they may be transaction markers,
    /// or they were compacted away.
    pub(super) fn look_into(
        &mut self,
        partition: i32,
        gap: &Range<u64>,
        broker: &Broker,
    ) -> Result<(), StreamError> {
        if broker.first(partition).is_some_and(|first| first > gap.start) {
            self.gone(partition, gap, broker)?;
        }
        Ok(())
    }

    /// Reports deleted offsets.
    fn gone(
        &mut self,
        partition: i32,
        gap: &Range<u64>,
        broker: &Broker,
    ) -> Result<(), StreamError> {
        let Range { start, end } = gap;
        if self.again {
            return Err(broker.failed(format!(
                "partition {partition} cannot be read again: the broker has deleted the offsets {start} to {end}"
            )));
        }
        self.notes.push(format!(
            "{}/{partition}: the broker deleted the offsets {start} to {end} before they were read",
            broker.topic.name
        ));
        Ok(())
    }

    /// True once everything requested has been handed out, and all messages for the user were
    /// reported.
    pub(super) fn is_read(&self) -> bool {
        let is_settled = self.known && self.waiting.is_none() && self.notes.is_empty();
        is_settled && self.ours.values().all(Partition::is_read)
    }

    /// The number of known records that the group delivered again, or would have delivered again.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated + self.ours.values().map(Partition::repeated).sum::<u64>()
    }
}

fn numbers(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|element| element.partition()).collect()
}
