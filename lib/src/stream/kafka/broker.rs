//! Queries to brokers and to the consumer group: partitions, watermarks, and committed offsets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::super::StreamError;
use super::config;
use super::context::{Events, take};
use super::topic::Topic;

/// A reachable broker answers within this time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause between attempts.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// The cluster id of a topic's brokers, if one answers.
pub(super) fn cluster_of(topic: &Topic) -> Option<String> {
    let config = config::build(topic, &[]).ok()?;
    let consumer: BaseConsumer<Events> =
        BaseConsumer::from_config_and_context(&config, Events::default()).ok()?;
    Broker { topic: topic.clone(), consumer }.cluster()
}

/// The commit of a group for a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Everything before this offset is durable.
    pub offset: u64,
    /// The metadata that a member committed with the offset, for other members to read.
    pub note: String,
}

/// A topic, and the consumer that talks to its brokers.
pub(super) struct Broker {
    pub(super) topic: Topic,
    pub(super) consumer: BaseConsumer<Events>,
}

impl Broker {
    pub(super) fn failed(&self, why: impl Into<String>) -> StreamError {
        StreamError::Kafka { topic: self.topic.short(), why: why.into() }
    }

    /// An error in librdkafka's words.
    pub(super) fn refused(&self, error: &KafkaError) -> StreamError {
        self.failed(words(error))
    }

    /// The id of the cluster, if a broker answers.
    pub(super) fn cluster(&self) -> Option<String> {
        self.consumer.client().fetch_cluster_id(ANSWER_TIMEOUT)
    }

    /// The topic's partitions.
    pub(super) fn partitions(&self, limit: Duration) -> Result<Vec<i32>, String> {
        let found = self.consumer.fetch_metadata(Some(&self.topic.name), limit);
        let found = found.map_err(|_| "no broker responds".to_owned())?;
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

    /// Retries for the topic's configured time while no broker answers.
    fn with_retries<T>(&self, ask: impl Fn() -> KafkaResult<T>) -> KafkaResult<T> {
        let start = Instant::now();
        loop {
            match ask() {
                Err(_) if start.elapsed() < self.topic.patience => std::thread::sleep(RETRY_PAUSE),
                answer => return answer,
            }
        }
    }

    /// The offset of the first message of a partition, and the offset after the last one.
    pub(super) fn watermarks(&self, partition: i32) -> Result<(u64, u64), StreamError> {
        let ask = || self.consumer.fetch_watermarks(&self.topic.name, partition, ANSWER_TIMEOUT);
        let (low, high) = self.with_retries(ask).map_err(|error| {
            let why = words(&error);
            self.failed(format!("cannot find the end of partition {partition}: {why}"))
        })?;
        Ok((unsigned(low), unsigned(high)))
    }

    /// The offset of the first message of a partition, if a broker answers at once.
    pub(super) fn first(&self, partition: i32) -> Option<u64> {
        let found = self.consumer.fetch_watermarks(&self.topic.name, partition, ANSWER_TIMEOUT);
        found.ok().map(|(low, _)| unsigned(low))
    }

    fn list(&self, partitions: impl IntoIterator<Item = i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic.name, partition);
        }
        list
    }

    /// The commits of the group for these partitions, without partitions that have none.
    pub(super) fn committed(
        &self,
        partitions: impl IntoIterator<Item = i32>,
    ) -> KafkaResult<BTreeMap<i32, Committed>> {
        let found = self.consumer.committed_offsets(self.list(partitions), ANSWER_TIMEOUT)?;
        let all = found.elements();
        let noted = all.iter().filter_map(|found| match found.offset() {
            Offset::Offset(offset) if offset >= 0 => {
                let note = found.metadata().to_owned();
                Some((found.partition(), Committed { offset: unsigned(offset), note }))
            }
            _ => None,
        });
        Ok(noted.collect())
    }

    /// The same, with retries for the topic's configured time.
    pub(super) fn committed_with_retries(
        &self,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, Committed>, StreamError> {
        self.with_retries(|| self.committed(partitions.iter().copied()))
            .map_err(|error| self.refused(&error))
    }

    /// Commits these offsets for the group.
    pub(super) fn commit(&self, offsets: &BTreeMap<i32, Committed>) -> Result<(), StreamError> {
        let list = self.list(offsets.keys().copied());
        for mut element in list.elements_for_topic(&self.topic.name) {
            let Some(Committed { offset, note }) = offsets.get(&element.partition()) else {
                continue;
            };
            element.set_offset(signed(*offset)).map_err(|error| self.refused(&error))?;
            element.set_metadata(note);
        }
        self.consumer.commit(&list, CommitMode::Sync).map_err(|error| {
            self.failed(format!("the offsets could not be committed: {}", words(&error)))
        })
    }

    /// Makes librdkafka fetch partitions from these offsets on.
    pub(super) fn fetch(&self, starts: &BTreeMap<i32, u64>) -> Result<(), StreamError> {
        let mut list = TopicPartitionList::new();
        for (partition, start) in starts {
            list.add_partition_offset(&self.topic.name, *partition, signed(*start))
                .map_err(|error| self.refused(&error))?;
        }
        let taken = if self.topic.group.is_some() {
            take(&self.consumer, &list)
        } else {
            self.consumer.incremental_assign(&list)
        };
        taken.map_err(|error| self.refused(&error))
    }

    /// Pauses fetching a partition. If that fails, messages are fetched in vain.
    pub(super) fn pause(&self, partition: i32) {
        let _ = self.consumer.pause(&self.list([partition]));
    }
}

fn words(error: &KafkaError) -> String {
    error.rdkafka_error_code().map_or(error.to_string(), |code| code.to_string())
}

fn signed(offset: u64) -> Offset {
    Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX))
}

/// Offsets are never negative, except for markers, which do not reach this code.
pub(super) fn unsigned(offset: i64) -> u64 {
    u64::try_from(offset).unwrap_or(0)
}
