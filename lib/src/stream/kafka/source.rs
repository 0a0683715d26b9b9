//! A topic as a source: partitions, each read from an offset on, as blocks.
//!
//! A reader of its own is given all partitions. A member of a group is given some, and has to give them back when it is asked to.
//! Whoever reads decides, as it knows what is there already: [`Step::Assigned`] comes before a partition is read, and
//! [`TopicReader::accept`] begins it; [`Step::Revoked`] comes before one is given back, and [`TopicReader::release`] does that.
//!
//! Where reading begins is always an offset: what is known, what the group has committed, or either end of the partition.
//! librdkafka's `auto.offset.reset` would jump in silence.

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
use super::broker::{Broker, Committed, unsigned};
use super::config;
use super::context::{Decision, Events, give_back, take};
use super::locator::Topic;
use super::outage::Outage;
use super::partition::{Known, Partition};
use super::share::{ANEW, Share};

/// How long nothing is looked at, at most.
const LOOK: Duration = Duration::from_millis(50);

/// How long a broker may take to tell of a topic, before it is looked whether there is another.
const METADATA: Duration = Duration::from_secs(1);

/// How often it is looked for partitions that were added to a topic.
const REFRESH: Duration = Duration::from_secs(10);

/// Bytes that wait in blocks that are not full.
const MAX_OPEN: usize = 32 << 20;

const SETTINGS: [(&str, &str); 7] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
    ("auto.offset.reset", "earliest"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("topic.metadata.refresh.interval.ms", "10000"),
    // What is read ahead.
    ("queued.max.messages.kbytes", "32768"),
];

/// What a reader has to say.
#[derive(Debug)]
pub enum Step {
    /// Exchanges.
    Block(Block),
    /// Nothing for now: the time is over, a stop is asked for, or what was wanted has been read.
    Rest,
    /// Partitions are ours now, each with what the group has committed of it.
    Assigned(BTreeMap<i32, Option<Committed>>),
    /// Partitions are to be given back to the group, or were lost to it.
    Revoked {
        /// Which.
        partitions: Vec<i32>,
        /// Whether others may have them already, from the last committed offset on.
        lost: bool,
    },
}

/// Reads a topic.
pub struct TopicReader {
    broker: Broker,
    cluster: String,
    block_size: usize,
    share: Share,
    /// True where reading goes on though all that was wanted is read.
    stays: bool,
    told_caught_up: bool,
    outage: Outage,
    refreshed: Instant,
}

impl TopicReader {
    /// Joins the group, or takes all partitions. A broker is waited for: as long as the topic says, or, where it is read without
    /// end, until `stop`. `None` where that came first.
    ///
    /// # Errors
    /// No broker answers, or there is no such topic.
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
                reader.share.ends.insert(*partition, high);
            }
        }
        if topic.group.is_some() {
            let subscribed = reader.broker.consumer.subscribe(&[&topic.name]);
            subscribed.map_err(|error| reader.broker.refused(&error))?;
        } else {
            reader.share.assign(partitions);
        }
        Ok(Some(reader))
    }

    /// Reads again what was read of a topic: of each partition the first of the ranges that `which` tells for the cluster.
    /// `None` where that is nothing.
    ///
    /// # Errors
    /// No broker answers, there is no such topic, or it has not all of it any more.
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
        reader.share.read_again(&ranges, &reader.broker)?;
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
            // librdkafka wants a name, also where there is no group; nothing is committed under it.
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
            share: Share::default(),
            stays: false,
            told_caught_up: false,
            outage: Outage::new(topic.short(), patience),
            refreshed: Instant::now(),
        })
    }

    /// The partitions, once a broker tells them.
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
                    "the broker does not tell which cluster it is of".to_owned()
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
            // What is to be known by then comes with the events.
            drop(self.broker.consumer.poll(LOOK));
        }
    }

    /// What comes next: a block, unless `until` or `stop` comes first, or all is read that was wanted.
    ///
    /// # Errors
    /// The topic cannot be read any further.
    pub fn next(
        &mut self,
        until: Option<Instant>,
        stop: &dyn Fn() -> bool,
        notify: &dyn Fn(&str),
    ) -> Result<Step, StreamError> {
        loop {
            self.share.notes.drain(..).for_each(|note| notify(&note));
            if let Some(step) = self.share.decided(&self.broker)? {
                return Ok(step);
            }
            self.refresh();
            let over = until.is_some_and(|until| Instant::now() >= until) || stop();
            if over || (self.is_read() && !self.stays) {
                return Ok(self.open_block().map_or(Step::Rest, Step::Block));
            }
            let limit = until
                .map_or(LOOK, |until| LOOK.min(until.saturating_duration_since(Instant::now())));
            match self.broker.consumer.poll(limit) {
                Some(Ok(message)) => {
                    let partition = message.partition();
                    let (offset, payload) = (unsigned(message.offset()), message.payload());
                    // One of a partition that was given back meanwhile is of no use.
                    let Some(ours) = self.share.ours.get_mut(&partition) else { continue };
                    let before = ours.has_ended();
                    let size = ours.push(offset, payload);
                    let gap = ours.take_gap();
                    let is_over = ours.has_ended() && !before;
                    if let Some(offset) = ours.differs() {
                        return Err(self.broker.failed(format!(
                            "partition {partition} has another message at offset {offset} than was read there before: {ANEW}"
                        )));
                    }
                    drop(message);
                    self.comes(notify);
                    if let Some(gap) = gap {
                        self.share.look_into(partition, &gap, &self.broker)?;
                    }
                    if is_over {
                        self.broker.pause(partition);
                    }
                    if size >= self.block_size {
                        return Ok(self.block_of(partition).map_or(Step::Rest, Step::Block));
                    }
                    if self.share.ours.values().map(Partition::open).sum::<usize>() > MAX_OPEN
                        && let Some(block) = self.open_block()
                    {
                        return Ok(Step::Block(block));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.comes(notify);
                    if let Some(ours) = self.share.ours.get_mut(&partition) {
                        ours.reached_end();
                    }
                    self.tell_caught_up(notify);
                }
                Some(Err(error)) => self.consider(&error, notify)?,
                None => {
                    if let Some(block) = self.open_block() {
                        return Ok(Step::Block(block));
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

    /// Something came, so a broker answers.
    fn comes(&mut self, notify: &dyn Fn(&str)) {
        self.events().is_up();
        self.outage.over(notify);
    }

    /// Who reads to the end does not wait for ever.
    fn give_up(&self) -> Result<(), StreamError> {
        if self.outage.is_too_long() {
            return Err(self.broker.failed("no broker answers any more"));
        }
        Ok(())
    }

    /// Who reads without end is told, once, when what was there has been read.
    fn tell_caught_up(&mut self, notify: &dyn Fn(&str)) {
        let caught_up = self.share.ours.values().all(Partition::is_caught_up);
        let endless = !self.broker.topic.until_end;
        if endless && caught_up && !std::mem::replace(&mut self.told_caught_up, true) {
            let topic = self.broker.topic.short();
            notify(&format!("{topic}: read up to where it ends; waiting for more"));
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
            // Where it is new, and not all brokers know it yet.
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic
                if !self.broker.topic.until_end =>
            {
                Ok(())
            }
            // The membership has ended by waiting too long; the partitions are lost, which comes as a decision.
            RDKafkaErrorCode::PollExceeded => Ok(()),
            RDKafkaErrorCode::Fatal | RDKafkaErrorCode::FencedInstanceId => Err(self.ended()),
            _ => Err(self.broker.refused(error)),
        }
    }

    /// Why librdkafka does not go on at all.
    fn ended(&self) -> StreamError {
        match self.broker.consumer.client().fatal_error() {
            None | Some((RDKafkaErrorCode::FencedInstanceId, _)) => self.broker.failed(
                "another member has joined the group under the name of this one (group.instance.id), and reads on in its place; each member needs a --state of its own",
            ),
            Some((_, why)) => self.broker.failed(why),
        }
    }

    /// Looks for partitions that were added, where a reader without a group goes on for ever.
    fn refresh(&mut self) {
        let topic = &self.broker.topic;
        if topic.group.is_some() || topic.until_end || self.refreshed.elapsed() < REFRESH {
            return;
        }
        self.refreshed = Instant::now();
        let Ok(all) = self.broker.partitions(METADATA) else { return };
        let new = all.into_iter().filter(|partition| !self.share.ours.contains_key(partition));
        let new: Vec<i32> = new.collect();
        if !new.is_empty() {
            self.share.assign(new);
        }
    }

    /// Begins to read what was assigned: each partition behind what is `known` of it, and what the group has committed.
    ///
    /// # Errors
    /// A partition ends before what is known of it; no broker answers. Later: it has another message at the end of what is known.
    pub fn accept(&mut self, known: &BTreeMap<i32, Known>) -> Result<(), StreamError> {
        self.share.accept(known, &self.broker)
    }

    /// Gives back what the group has asked for.
    ///
    /// # Errors
    /// librdkafka does not let them go.
    pub fn release(&mut self) -> Result<(), StreamError> {
        self.share.release(&self.broker)
    }

    /// Commits for the group that everything before these offsets is safe.
    ///
    /// # Errors
    /// It is not known whether the group has heard it: the partitions were lost to it, or no broker answers.
    pub fn commit(&self, offsets: &BTreeMap<i32, Committed>) -> Result<(), StreamError> {
        if self.broker.topic.group.is_none() || offsets.is_empty() {
            return Ok(());
        }
        self.broker.commit(offsets)
    }

    /// What the group has committed of partitions, where it has heard of them at all. Asked for as long as the topic
    /// says: a group's coordinator may just be moving.
    ///
    /// # Errors
    /// It does not tell.
    pub fn committed(
        &self,
        partitions: impl IntoIterator<Item = i32>,
    ) -> Result<BTreeMap<i32, Committed>, StreamError> {
        let partitions: Vec<i32> = partitions.into_iter().collect();
        self.broker.committed_patiently(&partitions)
    }

    /// What was handed out of each of our partitions.
    pub fn read(&self) -> BTreeMap<i32, Range<u64>> {
        self.share.ours.iter().map(|(partition, ours)| (*partition, ours.handed())).collect()
    }

    /// What stands for the last message that was handed out of a partition, for when it is read on.
    pub fn last(&self, partition: i32) -> Option<&str> {
        self.share.ours.get(&partition)?.last()
    }

    /// True once everything of our partitions that was wanted has been handed out.
    pub fn is_read(&self) -> bool {
        self.broker.topic.until_end && self.share.is_read()
    }

    /// Goes on as a member of the group when our own partitions are read: others may leave theirs to us.
    pub fn stay(&mut self) {
        self.stays = true;
    }

    /// True once the group as a whole has committed all that was wanted.
    pub fn is_read_by_all(&self) -> bool {
        let Ok(committed) = self.broker.committed(self.share.ends.keys().copied()) else {
            return false;
        };
        self.share.ends.iter().all(|(partition, end)| {
            *end == 0
                || committed.get(partition).is_some_and(|found| found.offset >= *end)
                // All messages before it have been deleted.
                || self.broker.first(*partition).is_some_and(|first| first >= *end)
        })
    }

    /// Records that the group would have given again, or did, though they were there already.
    pub fn repeated(&self) -> u64 {
        self.share.repeated()
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
        self.share.ours.get_mut(&partition)?.block()
    }

    /// The largest block that is not full, if there is any.
    fn open_block(&mut self) -> Option<Block> {
        let largest = self.share.ours.values_mut().max_by_key(|ours| ours.open())?;
        if largest.open() > 0 { largest.block() } else { None }
    }
}

impl Drop for TopicReader {
    /// Leaves the group. librdkafka does not close before each decision of the group has its answer, so those that nobody
    /// carried out have it here: an assignment is answered by taking none of it.
    fn drop(&mut self) {
        self.events().close();
        let _ = self.release();
        while let Some(decision) = self.events().next() {
            if let Decision::Revoke { partitions, .. } = decision {
                let _ = give_back(&self.broker.consumer, &partitions);
            }
        }
        if self.events().is_unanswered() {
            let _ = take(&self.broker.consumer, &TopicPartitionList::new());
        }
    }
}
