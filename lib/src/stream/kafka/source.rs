//! A topic as a source: partitions, each read from an offset on, as blocks.
//!
//! A reader of its own is given all partitions. A member of a group is given some, and has to give them back when it is asked to;
//! what was read of them should be safe by then, so this is left to whoever reads: [`Step::Revoked`] comes before, and
//! [`TopicReader::release`] does it.
//!
//! Where reading begins is always an offset: what is [known](TopicReader::open), what the group has committed, or either end of the
//! partition. librdkafka's `auto.offset.reset` would jump in silence.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::super::StreamError;
use super::super::block::Block;
use super::config;
use super::context::{Decision, Events, give_back, take};
use super::locator::{From, Topic};
use super::partition::Partition;

/// How long nothing is looked at, at most.
const LOOK: Duration = Duration::from_millis(50);

/// A broker that answers does so within this time.
const ANSWER: Duration = Duration::from_secs(5);

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
    topic: Topic,
    cluster: String,
    block_size: usize,
    consumer: BaseConsumer<Events>,
    /// Up to which offset of each partition the reader has everything.
    known: BTreeMap<i32, u64>,
    /// Up to where a partition is read, where the topic is read to its end.
    ends: BTreeMap<i32, u64>,
    /// The partitions that are ours.
    ours: BTreeMap<i32, Partition>,
    /// True once the group has said which are.
    assigned: bool,
    joined: bool,
    /// True where reading goes on though all that was wanted is read.
    stays: bool,
    revoked: Option<TopicPartitionList>,
    /// Records that the group would have given again.
    repeated: u64,
    notes: Vec<String>,
    told_down: bool,
    /// When something came last, or somebody answered.
    alive: Instant,
    refreshed: Instant,
}

impl TopicReader {
    /// Joins the group, or takes all partitions. `known` tells up to which offset of a partition everything is there already.
    /// A broker is waited for: as long as the topic says, or, where it is read without end, until `stop`. `None` where that came
    /// first.
    ///
    /// # Errors
    /// No broker answers, there is no such topic, or it ends before what is known of it.
    pub fn open(
        topic: &Topic,
        block_size: usize,
        known: impl FnOnce(&str) -> BTreeMap<i32, u64>,
        stop: &dyn Fn() -> bool,
        notify: &dyn Fn(&str),
    ) -> Result<Option<TopicReader>, StreamError> {
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
        let mut reader = TopicReader {
            topic: topic.clone(),
            cluster: String::new(),
            block_size,
            consumer,
            known: BTreeMap::new(),
            ends: BTreeMap::new(),
            ours: BTreeMap::new(),
            assigned: false,
            joined: false,
            stays: false,
            revoked: None,
            repeated: 0,
            notes: Vec::new(),
            told_down: false,
            alive: Instant::now(),
            refreshed: Instant::now(),
        };
        let Some(partitions) = reader.find(stop, notify)? else { return Ok(None) };
        reader.known = known(&reader.cluster);
        if topic.until_end {
            for partition in &partitions {
                let (_, high) = reader.watermarks(*partition)?;
                reader.ends.insert(*partition, high);
            }
        }
        if topic.group.is_some() {
            reader.consumer.subscribe(&[&topic.name]).map_err(|e| reader.failed(e.to_string()))?;
        } else {
            reader.take_over(&partitions, &BTreeMap::new())?;
            reader.assigned = true;
        }
        Ok(Some(reader))
    }

    /// The partitions, once a broker tells them.
    fn find(
        &mut self,
        stop: &dyn Fn() -> bool,
        notify: &dyn Fn(&str),
    ) -> Result<Option<Vec<i32>>, StreamError> {
        let start = Instant::now();
        let mut told = false;
        loop {
            let why = match self.partitions(Duration::from_secs(1)) {
                Ok(partitions) => {
                    if let Some(cluster) = self.consumer.client().fetch_cluster_id(ANSWER) {
                        self.cluster = cluster;
                        return Ok(Some(partitions));
                    }
                    "the broker does not tell which cluster it is of".to_owned()
                }
                Err(why) => why,
            };
            if self.topic.until_end && start.elapsed() >= self.topic.patience {
                return Err(self.failed(why));
            }
            if stop() {
                return Ok(None);
            }
            if !std::mem::replace(&mut told, true) {
                notify(&format!("{}: {why}; waiting for it", self.topic.short()));
            }
            // What is to be known by then comes with the events.
            drop(self.consumer.poll(LOOK));
        }
    }

    fn partitions(&self, limit: Duration) -> Result<Vec<i32>, String> {
        let found = self.consumer.fetch_metadata(Some(&self.topic.name), limit);
        let found = found.map_err(|_| "no broker answers".to_owned())?;
        let topic = found.topics().iter().find(|found| found.name() == self.topic.name);
        let error = topic.and_then(|topic| topic.error()).map(RDKafkaErrorCode::from);
        match (topic, error) {
            (Some(topic), None) if !topic.partitions().is_empty() => {
                Ok(topic.partitions().iter().map(|partition| partition.id()).collect())
            }
            (_, Some(error)) if error != RDKafkaErrorCode::UnknownTopicOrPartition => {
                Err(error.to_string())
            }
            _ => Err("there is no such topic".to_owned()),
        }
    }

    fn failed(&self, why: String) -> StreamError {
        StreamError::Kafka { topic: self.topic.short(), why }
    }

    /// The offsets of the first message of a partition, and behind the last.
    fn watermarks(&self, partition: i32) -> Result<(u64, u64), StreamError> {
        let start = Instant::now();
        loop {
            match self.consumer.fetch_watermarks(&self.topic.name, partition, ANSWER) {
                Ok((low, high)) => return Ok((unsigned(low), unsigned(high))),
                Err(_) if start.elapsed() < self.topic.patience => std::thread::sleep(LOOK),
                Err(error) => {
                    let why =
                        error.rdkafka_error_code().map_or(error.to_string(), |c| c.to_string());
                    return Err(self.failed(format!(
                        "cannot ask for the end of partition {partition}: {why}"
                    )));
                }
            }
        }
    }

    /// Begins to read partitions.
    fn take_over(
        &mut self,
        partitions: &[i32],
        committed: &BTreeMap<i32, u64>,
    ) -> Result<(), StreamError> {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            let (low, high) = self.watermarks(*partition)?;
            let (known, committed) = (self.known.get(partition), committed.get(partition));
            let wanted = known.max(committed).copied();
            if let (Some(known), Some(committed)) = (known, committed) {
                self.repeated += known.saturating_sub(*committed);
            }
            if let Some(wanted) = wanted.filter(|wanted| *wanted > high) {
                return Err(self.failed(format!(
                    "partition {partition} ends at offset {high}, but was read up to {wanted} before: the topic was made anew; begin with another --state, group or topic"
                )));
            }
            if let Some(wanted) = wanted.filter(|wanted| *wanted < low) {
                self.notes.push(format!(
                    "{}/{partition}: the offsets {wanted} to {low} are gone: the broker has deleted them before they were read",
                    self.topic.name
                ));
            }
            let start = wanted.unwrap_or(match self.topic.from {
                From::Beginning => low,
                From::Latest => high,
            });
            let start = start.max(low);
            let end =
                self.topic.until_end.then(|| self.ends.get(partition).copied().unwrap_or(high));
            let source: Arc<str> = format!("{}/{partition}", self.topic.name).into();
            self.ours.insert(*partition, Partition::new(source, *partition, start, end));
            let offset = Offset::Offset(i64::try_from(start).unwrap_or(i64::MAX));
            list.add_partition_offset(&self.topic.name, *partition, offset)
                .map_err(|error| self.failed(error.to_string()))?;
        }
        let taken = if self.topic.group.is_some() {
            take(&self.consumer, &list)
        } else {
            self.consumer.incremental_assign(&list)
        };
        taken.map_err(|error| self.failed(error.to_string()))
    }

    /// What the group has committed.
    fn committed(&self, list: &TopicPartitionList) -> Result<BTreeMap<i32, u64>, KafkaError> {
        let found = self.consumer.committed_offsets(list.clone(), ANSWER)?;
        let offset = |found: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match found
            .offset()
        {
            Offset::Offset(offset) if offset >= 0 => Some((found.partition(), unsigned(offset))),
            _ => None,
        };
        Ok(found.elements().iter().filter_map(offset).collect())
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
            self.notes.drain(..).for_each(|note| notify(&note));
            if self.revoked.is_none()
                && let Some(decision) = self.consumer.context().next()
                && let Some(step) = self.carry_out(decision)?
            {
                return Ok(step);
            }
            self.refresh()?;
            let over = until.is_some_and(|until| Instant::now() >= until) || stop();
            if over || (self.is_read() && !self.stays) {
                return Ok(self.open_block(1).map_or(Step::Rest, Step::Block));
            }
            let limit = until
                .map_or(LOOK, |until| LOOK.min(until.saturating_duration_since(Instant::now())));
            match self.consumer.poll(limit) {
                Some(Ok(message)) => {
                    let partition = message.partition();
                    let (offset, payload) = (unsigned(message.offset()), message.payload());
                    // One of a partition that was given back meanwhile is of no use.
                    let Some(ours) = self.ours.get_mut(&partition) else { continue };
                    let before = ours.has_ended();
                    let size = ours.push(offset, payload);
                    let gap = ours.take_gap();
                    let is_over = ours.has_ended() && !before;
                    drop(message);
                    self.comes(notify);
                    if let Some(gap) = gap {
                        self.look_into(partition, &gap);
                    }
                    if is_over {
                        self.pause(partition);
                    }
                    if size >= self.block_size {
                        return Ok(self.block_of(partition).map_or(Step::Rest, Step::Block));
                    }
                    if self.ours.values().map(Partition::open).sum::<usize>() > MAX_OPEN
                        && let Some(block) = self.open_block(1)
                    {
                        return Ok(Step::Block(block));
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.comes(notify);
                    if let Some(ours) = self.ours.get_mut(&partition) {
                        ours.reached_end();
                    }
                }
                Some(Err(error)) => self.consider(&error, notify)?,
                None => {
                    if let Some(block) = self.open_block(1) {
                        return Ok(Step::Block(block));
                    }
                    if !self.consumer.context().is_down() {
                        self.alive = Instant::now();
                    } else {
                        self.tell_down(notify);
                        self.give_up()?;
                    }
                }
            }
        }
    }

    /// Something came, so a broker answers.
    fn comes(&mut self, notify: &dyn Fn(&str)) {
        self.alive = Instant::now();
        self.consumer.context().is_up();
        if std::mem::take(&mut self.told_down) {
            notify(&format!("{}: a broker answers again", self.topic.short()));
        }
    }

    fn tell_down(&mut self, notify: &dyn Fn(&str)) {
        if !std::mem::replace(&mut self.told_down, true) {
            notify(&format!("{}: no broker answers; waiting for it", self.topic.short()));
        }
    }

    /// Who reads to the end does not wait for ever.
    fn give_up(&self) -> Result<(), StreamError> {
        if self.topic.until_end && self.alive.elapsed() >= self.topic.patience {
            return Err(self.failed("no broker answers any more".to_owned()));
        }
        Ok(())
    }

    fn consider(&mut self, error: &KafkaError, notify: &dyn Fn(&str)) -> Result<(), StreamError> {
        let Some(code) = error.rdkafka_error_code() else {
            return Err(self.failed(error.to_string()));
        };
        if self.consumer.context().note(code) {
            if self.consumer.context().is_down() {
                self.tell_down(notify);
            }
            return self.give_up();
        }
        match code {
            // Where it is new, and not all brokers know it yet.
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic
                if !self.topic.until_end =>
            {
                Ok(())
            }
            // The membership has ended by waiting too long; the partitions are lost, which comes as a decision.
            RDKafkaErrorCode::PollExceeded => Ok(()),
            code => Err(self.failed(code.to_string())),
        }
    }

    /// Looks for partitions that were added, where a reader without a group goes on for ever.
    fn refresh(&mut self) -> Result<(), StreamError> {
        if self.topic.group.is_some() || self.topic.until_end || self.refreshed.elapsed() < REFRESH
        {
            return Ok(());
        }
        self.refreshed = Instant::now();
        let Ok(all) = self.partitions(Duration::from_secs(1)) else { return Ok(()) };
        let new: Vec<i32> = all.into_iter().filter(|p| !self.ours.contains_key(p)).collect();
        if new.is_empty() { Ok(()) } else { self.take_over(&new, &BTreeMap::new()) }
    }

    /// Offsets were skipped: by a broker that has deleted them, or because they are no messages but marks of transactions, or
    /// were compacted away.
    fn look_into(&mut self, partition: i32, gap: &Range<u64>) {
        let low = self.consumer.fetch_watermarks(&self.topic.name, partition, ANSWER);
        if low.is_ok_and(|(low, _)| unsigned(low) > gap.start) {
            self.notes.push(format!(
                "{}/{partition}: the offsets {} to {} are gone: the broker has deleted them before they were read",
                self.topic.name, gap.start, gap.end
            ));
        }
    }

    fn pause(&self, partition: i32) {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic.name, partition);
        // Where it fails, more is fetched than is used.
        let _ = self.consumer.pause(&list);
    }

    fn carry_out(&mut self, decision: Decision) -> Result<Option<Step>, StreamError> {
        match decision {
            Decision::Assign(list) => {
                self.assigned = true;
                let start = Instant::now();
                let committed = loop {
                    match self.committed(&list) {
                        Ok(committed) => break committed,
                        Err(_) if start.elapsed() < self.topic.patience => {
                            std::thread::sleep(LOOK);
                        }
                        Err(error) => return Err(self.failed(error.to_string())),
                    }
                };
                self.take_over(&numbers(&list), &committed)?;
                self.joined = true;
                Ok(None)
            }
            Decision::Revoke { partitions, lost } => {
                let numbers = numbers(&partitions);
                for partition in &numbers {
                    if let Some(ours) = self.ours.get_mut(partition) {
                        // What nobody was given yet is read by whoever has the partition next.
                        ours.forget_open();
                    }
                }
                self.revoked = Some(partitions);
                Ok(Some(Step::Revoked { partitions: numbers, lost }))
            }
        }
    }

    /// Gives back what the group has asked for. `known` is then what is there of these partitions.
    ///
    /// # Errors
    /// librdkafka does not let them go.
    pub fn release(&mut self) -> Result<(), StreamError> {
        let Some(list) = self.revoked.take() else { return Ok(()) };
        for partition in numbers(&list) {
            self.ours.remove(&partition);
        }
        give_back(&self.consumer, &list).map_err(|error| self.failed(error.to_string()))
    }

    /// Sets up to where everything is there of a partition, for when it is read again.
    pub fn set_known(&mut self, partition: i32, end: Option<u64>) {
        match end {
            Some(end) => drop(self.known.insert(partition, end)),
            None => drop(self.known.remove(&partition)),
        }
    }

    /// Commits for the group that everything before these offsets is safe.
    ///
    /// # Errors
    /// The group has not heard it: the partitions were lost to it, or no broker answers.
    pub fn commit(&self, offsets: &BTreeMap<i32, u64>) -> Result<(), StreamError> {
        if self.topic.group.is_none() || offsets.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            let offset = Offset::Offset(i64::try_from(*offset).unwrap_or(i64::MAX));
            list.add_partition_offset(&self.topic.name, *partition, offset)
                .map_err(|error| self.failed(error.to_string()))?;
        }
        self.consumer.commit(&list, CommitMode::Sync).map_err(|error| {
            let why = error.rdkafka_error_code().map_or(error.to_string(), |c| c.to_string());
            self.failed(format!("the group has not noted what was read: {why}"))
        })
    }

    /// What was handed out of each of our partitions.
    pub fn read(&self) -> BTreeMap<i32, Range<u64>> {
        self.ours.iter().map(|(partition, ours)| (*partition, ours.handed())).collect()
    }

    /// True once everything of our partitions that was wanted has been handed out.
    pub fn is_read(&self) -> bool {
        self.topic.until_end
            && self.assigned
            && self.revoked.is_none()
            && self.ours.values().all(Partition::is_read)
    }

    /// True once it is known which partitions are ours.
    pub fn is_assigned(&self) -> bool {
        self.assigned
    }

    /// Whether partitions have become ours since this was asked last.
    pub fn has_joined(&mut self) -> bool {
        std::mem::take(&mut self.joined)
    }

    /// What the group has committed of a partition.
    pub fn committed_of(&self, partition: i32) -> Option<u64> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic.name, partition);
        self.committed(&list).ok()?.remove(&partition)
    }

    /// Goes on as a member of the group when our own partitions are read: others may leave theirs to us.
    pub fn stay(&mut self) {
        self.stays = true;
    }

    /// True once the group as a whole has committed all that was wanted.
    pub fn is_read_by_all(&self) -> bool {
        let mut list = TopicPartitionList::new();
        for partition in self.ends.keys() {
            list.add_partition(&self.topic.name, *partition);
        }
        let Ok(committed) = self.committed(&list) else { return false };
        self.ends.iter().all(|(partition, end)| {
            *end == 0
                || committed.get(partition).is_some_and(|offset| offset >= end)
                || self.is_empty_below(*partition, *end)
        })
    }

    /// True where all messages before an offset have been deleted.
    fn is_empty_below(&self, partition: i32, end: u64) -> bool {
        let found = self.consumer.fetch_watermarks(&self.topic.name, partition, ANSWER);
        found.is_ok_and(|(low, _)| unsigned(low) >= end)
    }

    /// Records that the group would have given again, or did, though they were there already.
    pub fn repeated(&self) -> u64 {
        self.repeated + self.ours.values().map(Partition::repeated).sum::<u64>()
    }

    /// The name of a partition for what is made of it: in which cluster, of which topic.
    pub fn name_of(&self, partition: i32) -> (&str, &str, i32) {
        (&self.cluster, &self.topic.name, partition)
    }

    fn block_of(&mut self, partition: i32) -> Option<Block> {
        self.ours.get_mut(&partition)?.block()
    }

    /// The largest block that is not full, of so many bytes at least.
    fn open_block(&mut self, least: usize) -> Option<Block> {
        let largest = self.ours.values_mut().max_by_key(|ours| ours.open())?;
        if largest.open() >= least { largest.block() } else { None }
    }
}

impl Drop for TopicReader {
    /// Leaves the group.
    fn drop(&mut self) {
        self.consumer.context().close();
        let _ = self.release();
        while let Some(decision) = self.consumer.context().next() {
            if let Decision::Revoke { partitions, .. } = decision {
                let _ = give_back(&self.consumer, &partitions);
            }
        }
    }
}

fn numbers(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|element| element.partition()).collect()
}

/// Offsets are never negative but for marks, which do not come here.
fn unsigned(offset: i64) -> u64 {
    u64::try_from(offset).unwrap_or(0)
}
