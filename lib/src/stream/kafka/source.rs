//! A topic as a source: partitions, each read from an offset on, as blocks.
//!
//! A reader without a group has all partitions. A member of a group has some, and must give them
//! back on request. The caller decides, because it knows what was read before:
//! [`TopicEvent::Assigned`] comes before a partition is read, and [`TopicReader::accept`] begins
//! it; [`TopicEvent::Revoked`] comes before one is given back, and [`TopicReader::release`] does
//! that.
//!
//! Reading always begins at an explicit offset: a known one, the committed one, or either end of
//! the partition. librdkafka's `auto.offset.reset` would jump silently.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::types::RDKafkaErrorCode;

use super::super::StreamError;
use super::super::block::Block;
use super::assignment::{Assignment, TOPIC_RECREATED};
use super::broker::{Broker, Committed, unsigned};
use super::config;
use super::context::{Events, GroupDecision, give_back, take};
use super::event::TopicEvent;
use super::outage::Outage;
use super::partition::{KnownRange, Partition};
use super::topic::Topic;

/// Maximum time between two checks of events and deadlines.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Timeout for a broker's metadata of a topic.
const METADATA: Duration = Duration::from_secs(1);

/// Interval at which new partitions are detected.
const REFRESH: Duration = Duration::from_secs(10);

/// Maximum bytes of pending blocks that are not full.
const MAX_OPEN: usize = 32 << 20;

const SETTINGS: [(&str, &str); 7] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
    ("auto.offset.reset", "earliest"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("topic.metadata.refresh.interval.ms", "10000"),
    // The size of the prefetch queue.
    ("queued.max.messages.kbytes", "32768"),
];

/// Reads a topic.
pub struct TopicReader {
    broker: Broker,
    cluster: String,
    block_size: usize,
    assignment: Assignment,
    /// True if the reader continues after everything requested is read.
    stays: bool,
    told_caught_up: bool,
    outage: Outage,
    refreshed: Instant,
}

impl TopicReader {
    /// Joins the group, or takes all partitions. It waits for a broker for the configured time or,
    /// without an end, until `stop`. `None` if `stop` came first.
    ///
    /// # Errors
    /// No broker answers, or the topic does not exist.
    pub fn open(
        topic: &Topic,
        block_size: usize,
        stop: &dyn Fn() -> bool,
        notify: &dyn Fn(&str),
    ) -> Result<Option<TopicReader>, StreamError> {
        let mut reader = TopicReader::new(topic, block_size, notify)?;
        let Some(partitions) = reader.find(stop, notify)? else { return Ok(None) };
        if topic.until_end {
            for partition in &partitions {
                let (_, high) = reader.broker.watermarks(*partition)?;
                reader.assignment.ends.insert(*partition, high);
            }
        }
        if topic.group.is_some() {
            let subscribed = reader.broker.consumer.subscribe(&[&topic.name]);
            subscribed.map_err(|error| reader.broker.refused(&error))?;
        } else {
            reader.assignment.assign(partitions);
        }
        Ok(Some(reader))
    }

    /// Reads parts of a topic again: for each partition the first of the ranges that `which`
    /// returns for the cluster. `None` if there are none.
    ///
    /// # Errors
    /// No broker answers, the topic does not exist, or no longer has all of it.
    pub(in super::super) fn open_again(
        topic: &Topic,
        block_size: usize,
        which: impl FnOnce(&str, &str) -> BTreeMap<i32, Range<u64>>,
        stop: &dyn Fn() -> bool,
        notify: &dyn Fn(&str),
    ) -> Result<Option<TopicReader>, StreamError> {
        let mut topic = topic.clone().to_end();
        topic.group = None;
        let mut reader = TopicReader::new(&topic, block_size, notify)?;
        if reader.find(stop, notify)?.is_none() {
            return Ok(None);
        }
        let ranges = which(&reader.cluster, &topic.name);
        if ranges.is_empty() {
            return Ok(None);
        }
        reader.assignment.read_again(&ranges, &reader.broker)?;
        Ok(Some(reader))
    }

    fn new(
        topic: &Topic,
        block_size: usize,
        notify: &dyn Fn(&str),
    ) -> Result<TopicReader, StreamError> {
        let failed = |why: String| StreamError::Kafka { topic: topic.short(), why };
        let mut config = config::build(topic, &SETTINGS).map_err(failed)?;
        if topic.group.is_none() {
            // librdkafka requires a group id even without a group; nothing is committed under it.
            config.set("group.id", "hmt");
        }
        if let Some(warning) = config::warning(topic, &config) {
            notify(&warning);
        }
        let consumer: BaseConsumer<Events> =
            BaseConsumer::from_config_and_context(&config, Events::default())
                .map_err(|error| failed(error.to_string()))?;
        let patience = topic.until_end.then_some(topic.patience);
        Ok(TopicReader {
            broker: Broker { topic: topic.clone(), consumer },
            cluster: String::new(),
            block_size,
            assignment: Assignment::default(),
            stays: false,
            told_caught_up: false,
            outage: Outage::new(topic.short(), patience),
            refreshed: Instant::now(),
        })
    }

    /// The partitions, once a broker answers.
    fn find(
        &mut self,
        stop: &dyn Fn() -> bool,
        notify: &dyn Fn(&str),
    ) -> Result<Option<Vec<i32>>, StreamError> {
        let mut told = false;
        loop {
            let why = match self.broker.partitions(METADATA) {
                Ok(partitions) => {
                    if let Some(cluster) = self.broker.cluster() {
                        self.cluster = cluster;
                        self.outage.is_none();
                        return Ok(Some(partitions));
                    }
                    "the broker does not report the id of its cluster".to_owned()
                }
                Err(why) => why,
            };
            if self.outage.is_too_long() {
                return Err(self.broker.failed(why));
            }
            if stop() {
                return Ok(None);
            }
            if !std::mem::replace(&mut told, true) {
                notify(&format!("{}: {why}; waiting for it", self.broker.topic.short()));
            }
            // By then, the events contain the details.
            drop(self.broker.consumer.poll(POLL_INTERVAL));
        }
    }

    /// The next event: a block, unless `until` or `stop` comes first, or everything requested is
    /// read.
    ///
    /// # Errors
    /// The topic cannot be read any further.
    pub fn next(
        &mut self,
        until: Option<Instant>,
        stop: &dyn Fn() -> bool,
        notify: &dyn Fn(&str),
    ) -> Result<TopicEvent, StreamError> {
        loop {
            self.assignment.notes.drain(..).for_each(|note| notify(&note));
            if let Some(step) = self.assignment.decided(&self.broker)? {
                return Ok(step);
            }
            self.refresh();
            let over = until.is_some_and(|until| Instant::now() >= until) || stop();
            if over || (self.is_read() && !self.stays) {
                return Ok(self.open_block().map_or(TopicEvent::Rest, TopicEvent::Block));
            }
            let limit = until.map_or(POLL_INTERVAL, |until| {
                POLL_INTERVAL.min(until.saturating_duration_since(Instant::now()))
            });
            match self.broker.consumer.poll(limit) {
                Some(Ok(message)) => {
                    let partition = message.partition();
                    let (offset, payload) = (unsigned(message.offset()), message.payload());
                    // A message of a partition that was given back meanwhile is ignored.
                    let Some(ours) = self.assignment.ours.get_mut(&partition) else { continue };
                    let before = ours.has_ended();
                    let size = ours.push(offset, payload);
                    let gap = ours.take_gap();
                    let is_over = ours.has_ended() && !before;
                    if let Some(offset) = ours.differs() {
                        return Err(self.broker.failed(format!(
                            "partition {partition} has another message at offset {offset} than was read there before: {TOPIC_RECREATED}"
                        )));
                    }
                    drop(message);
                    self.comes(notify);
                    if let Some(gap) = gap {
                        self.assignment.look_into(partition, &gap, &self.broker)?;
                    }
                    if is_over {
                        self.broker.pause(partition);
                    }
                    if size >= self.block_size {
                        return Ok(self
                            .block_of(partition)
                            .map_or(TopicEvent::Rest, TopicEvent::Block));
                    }
                    if self.assignment.ours.values().map(Partition::open).sum::<usize>() > MAX_OPEN
                        && let Some(block) = self.open_block()
                    {
                        return Ok(TopicEvent::Block(block));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.comes(notify);
                    if let Some(ours) = self.assignment.ours.get_mut(&partition) {
                        ours.reached_end();
                    }
                    self.tell_caught_up(notify);
                }
                Some(Err(error)) => self.consider(&error, notify)?,
                None => {
                    if let Some(block) = self.open_block() {
                        return Ok(TopicEvent::Block(block));
                    }
                    if !self.events().is_down() {
                        self.outage.is_none();
                    } else {
                        self.outage.tell(notify);
                        self.give_up()?;
                    }
                }
            }
        }
    }

    fn events(&self) -> &Events {
        self.broker.consumer.context()
    }

    /// A message arrived, so a broker answers.
    fn comes(&mut self, notify: &dyn Fn(&str)) {
        self.events().is_up();
        self.outage.over(notify);
    }

    /// A reader with an end does not wait without limit.
    fn give_up(&self) -> Result<(), StreamError> {
        if self.outage.is_too_long() {
            return Err(self.broker.failed("no broker responds any more"));
        }
        Ok(())
    }

    /// Reports once when a reader without an end has read everything that existed.
    fn tell_caught_up(&mut self, notify: &dyn Fn(&str)) {
        let caught_up = self.assignment.ours.values().all(Partition::is_caught_up);
        let endless = !self.broker.topic.until_end;
        if endless && caught_up && !std::mem::replace(&mut self.told_caught_up, true) {
            let topic = self.broker.topic.short();
            notify(&format!("{topic}: read to its current end; waiting for more"));
        }
    }

    fn consider(&mut self, error: &KafkaError, notify: &dyn Fn(&str)) -> Result<(), StreamError> {
        let Some(code) = error.rdkafka_error_code() else {
            return Err(self.broker.refused(error));
        };
        if self.events().note(code) {
            if self.events().is_down() {
                self.outage.tell(notify);
            }
            return self.give_up();
        }
        match code {
            // The topic may be new, and unknown to some brokers.
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic
                if !self.broker.topic.until_end =>
            {
                Ok(())
            }
            // The membership timed out; the lost partitions arrive as a decision.
            RDKafkaErrorCode::PollExceeded => Ok(()),
            RDKafkaErrorCode::Fatal | RDKafkaErrorCode::FencedInstanceId => Err(self.ended()),
            _ => Err(self.broker.refused(error)),
        }
    }

    /// The fatal error of librdkafka.
    fn ended(&self) -> StreamError {
        match self.broker.consumer.client().fatal_error() {
            None | Some((RDKafkaErrorCode::FencedInstanceId, _)) => self.broker.failed(
                "another member has joined the group under the name of this one (group.instance.id), and continues in its place; each member needs its own --state",
            ),
            Some((_, why)) => self.broker.failed(why),
        }
    }

    /// Detects added partitions, for a reader without group and end.
    fn refresh(&mut self) {
        let topic = &self.broker.topic;
        if topic.group.is_some() || topic.until_end || self.refreshed.elapsed() < REFRESH {
            return;
        }
        self.refreshed = Instant::now();
        let Ok(all) = self.broker.partitions(METADATA) else { return };
        let new = all.into_iter().filter(|partition| !self.assignment.ours.contains_key(partition));
        let new: Vec<i32> = new.collect();
        if !new.is_empty() {
            self.assignment.assign(new);
        }
    }

    /// Begins to read the assigned partitions, each after its `known` records and the commits of
    /// the group.
    ///
    /// # Errors
    /// A partition ends before the end of its known records, or no broker answers. Later: it has a
    /// different message at that end.
    pub fn accept(&mut self, known: &BTreeMap<i32, KnownRange>) -> Result<(), StreamError> {
        self.assignment.accept(known, &self.broker)
    }

    /// Gives back the partitions that the group has requested.
    ///
    /// # Errors
    /// librdkafka does not release them.
    pub fn release(&mut self) -> Result<(), StreamError> {
        self.assignment.release(&self.broker)
    }

    /// Commits for the group that everything before these offsets is durable.
    ///
    /// # Errors
    /// It is unknown whether the commit arrived: the partitions were lost, or no broker answers.
    pub fn commit(&self, offsets: &BTreeMap<i32, Committed>) -> Result<(), StreamError> {
        if self.broker.topic.group.is_none() || offsets.is_empty() {
            return Ok(());
        }
        self.broker.commit(offsets)
    }

    /// The commits of the group for partitions. Retries for the configured time, because the
    /// group's coordinator may be moving.
    ///
    /// # Errors
    /// There is no answer.
    pub fn committed(
        &self,
        partitions: impl IntoIterator<Item = i32>,
    ) -> Result<BTreeMap<i32, Committed>, StreamError> {
        let partitions: Vec<i32> = partitions.into_iter().collect();
        self.broker.committed_with_retries(&partitions)
    }

    /// The range that was handed out of each assigned partition.
    pub fn read(&self) -> BTreeMap<i32, Range<u64>> {
        self.assignment.ours.iter().map(|(partition, ours)| (*partition, ours.handed())).collect()
    }

    /// The hash of the last message that was handed out of a partition, for a later run.
    pub fn last(&self, partition: i32) -> Option<&str> {
        self.assignment.ours.get(&partition)?.last()
    }

    /// True once everything requested of the assigned partitions has been handed out.
    pub fn is_read(&self) -> bool {
        self.broker.topic.until_end && self.assignment.is_read()
    }

    /// Stays a member of the group after its partitions are read, because it may get the partitions
    /// of members that leave.
    pub fn stay(&mut self) {
        self.stays = true;
    }

    /// True once the group as a whole has committed everything requested.
    pub fn is_read_by_all(&self) -> bool {
        let Ok(committed) = self.broker.committed(self.assignment.ends.keys().copied()) else {
            return false;
        };
        self.assignment.ends.iter().all(|(partition, end)| {
            *end == 0
                || committed.get(partition).is_some_and(|found| found.offset >= *end)
                // All messages before it have been deleted.
                || self.broker.first(*partition).is_some_and(|first| first >= *end)
        })
    }

    /// The number of known records that the group delivered again, or would have delivered again.
    pub fn repeated(&self) -> u64 {
        self.assignment.repeated()
    }

    /// The id of the cluster.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The topic.
    pub fn topic(&self) -> &Topic {
        &self.broker.topic
    }

    fn block_of(&mut self, partition: i32) -> Option<Block> {
        self.assignment.ours.get_mut(&partition)?.block()
    }

    /// The largest pending block, if there is one.
    fn open_block(&mut self) -> Option<Block> {
        let largest = self.assignment.ours.values_mut().max_by_key(|ours| ours.open())?;
        if largest.open() > 0 { largest.block() } else { None }
    }
}

impl Drop for TopicReader {
    /// Leaves the group. librdkafka closes only when each decision of the group is answered, so
    /// pending ones are answered here: an assignment is answered by accepting no partition.
    fn drop(&mut self) {
        self.events().close();
        let _ = self.release();
        while let Some(decision) = self.events().next() {
            if let GroupDecision::Revoke { partitions, .. } = decision {
                let _ = give_back(&self.broker.consumer, &partitions);
            }
        }
        if self.events().is_unanswered() {
            let _ = take(&self.broker.consumer, &TopicPartitionList::new());
        }
    }
}
