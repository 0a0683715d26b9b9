//! Which partitions are ours, from where on each is read, and what waits to be decided by whoever reads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;

use super::super::StreamError;
use super::broker::{Broker, Committed};
use super::context::{Decision, give_back};
use super::locator::From;
use super::partition::{Known, Partition};
use super::source::Step;

/// What became of a topic that is not what it was, and what to do.
pub(super) const ANEW: &str = "the topic was made anew; begin with another --state, group or topic";

/// Where the reading of a partition begins, if anything says so, and what is to stand in front of that.
type Start = (Option<u64>, Option<String>);

/// What was decided, and waits for whoever reads.
enum Waiting {
    Assigned(BTreeMap<i32, Option<Committed>>),
    Revoked(TopicPartitionList),
}

#[derive(Default)]
pub(super) struct Share {
    /// The partitions that are ours.
    pub(super) ours: BTreeMap<i32, Partition>,
    /// Up to where a partition is read, where the topic is read to its end.
    pub(super) ends: BTreeMap<i32, u64>,
    /// What is to be told.
    pub(super) notes: Vec<String>,
    waiting: Option<Waiting>,
    /// True once it is known which partitions are ours.
    known: bool,
    /// True where what is gone is an error.
    again: bool,
    /// Records that the group would have given again.
    repeated: u64,
}

impl Share {
    /// These are ours, without any group.
    pub(super) fn assign(&mut self, partitions: Vec<i32>) {
        let all = partitions.into_iter().map(|partition| (partition, None));
        self.waiting = Some(Waiting::Assigned(all.collect()));
    }

    /// What was decided last, for whoever reads to carry out.
    pub(super) fn decided(&mut self, broker: &Broker) -> Result<Option<Step>, StreamError> {
        if self.waiting.is_none()
            && let Some(decision) = broker.consumer.context().next()
        {
            match decision {
                Decision::Assign(list) => {
                    let partitions = numbers(&list);
                    let mut committed = broker.committed_patiently(&partitions)?;
                    let of = |partition| (partition, committed.remove(&partition));
                    let all = partitions.into_iter().map(of).collect();
                    self.waiting = Some(Waiting::Assigned(all));
                }
                Decision::Revoke { partitions: list, lost } => {
                    let partitions = numbers(&list);
                    for partition in &partitions {
                        if let Some(ours) = self.ours.get_mut(partition) {
                            // What nobody was given yet is read by whoever has the partition next.
                            ours.forget_open();
                        }
                    }
                    self.waiting = Some(Waiting::Revoked(list));
                    return Ok(Some(Step::Revoked { partitions, lost }));
                }
            }
        }
        Ok(match &self.waiting {
            Some(Waiting::Assigned(partitions)) => Some(Step::Assigned(partitions.clone())),
            _ => None,
        })
    }

    /// As of [`super::TopicReader::accept`].
    pub(super) fn accept(
        &mut self,
        known: &BTreeMap<i32, Known>,
        broker: &Broker,
    ) -> Result<(), StreamError> {
        let assigned = match self.waiting.take() {
            Some(Waiting::Assigned(assigned)) => assigned,
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
            // Where others have read on, what is in front is theirs.
            let last = known.filter(|known| committed <= Some(known.end));
            starts.insert(partition, (end.max(committed), last.and_then(|k| k.last.clone())));
        }
        self.begin(starts, broker)
    }

    /// Reads these offsets and no others; where the broker has not all of them any more, that is an error.
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

    /// Begins to read partitions, at these offsets or at that end of theirs which the topic says.
    fn begin(&mut self, starts: BTreeMap<i32, Start>, broker: &Broker) -> Result<(), StreamError> {
        let topic = &broker.topic;
        let mut fetched = BTreeMap::new();
        for (partition, (wanted, last)) in starts {
            let (low, high) = broker.watermarks(partition)?;
            if let Some(wanted) = wanted.filter(|wanted| *wanted > high) {
                return Err(broker.failed(format!(
                    "partition {partition} ends at offset {high}, but was read up to {wanted} before: {ANEW}"
                )));
            }
            if let Some(wanted) = wanted.filter(|wanted| *wanted < low) {
                self.gone(partition, &(wanted..low), broker)?;
            }
            let start = wanted.unwrap_or(match topic.from {
                From::Beginning => low,
                From::Latest => high,
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

    /// As of [`super::TopicReader::release`].
    pub(super) fn release(&mut self, broker: &Broker) -> Result<(), StreamError> {
        let list = match self.waiting.take() {
            Some(Waiting::Revoked(list)) => list,
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

    /// Offsets were skipped: by a broker that has deleted them, or because they are no messages but marks of transactions, or
    /// were compacted away.
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

    /// Offsets are gone.
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
            "{}/{partition}: the offsets {start} to {end} are gone: the broker has deleted them before they were read",
            broker.topic.name
        ));
        Ok(())
    }

    /// True once everything of our partitions that was wanted has been handed out, and what is to be told of it was told.
    pub(super) fn is_read(&self) -> bool {
        let is_settled = self.known && self.waiting.is_none() && self.notes.is_empty();
        is_settled && self.ours.values().all(Partition::is_read)
    }

    /// Records that the group would have given again, or did, though they were there already.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated + self.ours.values().map(Partition::repeated).sum::<u64>()
    }
}

fn numbers(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|element| element.partition()).collect()
}
