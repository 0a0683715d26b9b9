//! Kafka tests: librdkafka's mock cluster for the protocol, and a real broker for groups.

mod check;
mod group;
mod sink;
mod source;
mod state;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use rdkafka::types::{RDKafkaApiKey, RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::harness::HANG;

/// The first requests of a client, which it would repeat.
const REQUESTS: [RDKafkaApiKey; 4] = [
    RDKafkaApiKey::ApiVersion,
    RDKafkaApiKey::Metadata,
    RDKafkaApiKey::Produce,
    RDKafkaApiKey::Fetch,
];

/// Tells the mock to cut a connection.
const CUT: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT;

fn wait<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(what)
}

/// A broker with one topic.
pub struct Cluster {
    /// `None` for a real one.
    mock: Option<MockCluster<'static, DefaultProducerContext>>,
    broker: String,
    topic: String,
    partitions: i32,
}

impl Cluster {
    /// librdkafka's mock, with a topic `t`.
    pub fn start(partitions: i32) -> Self {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic("t", partitions, 1).unwrap();
        let (broker, topic) = (mock.bootstrap_servers(), "t".to_owned());
        Cluster { mock: Some(mock), broker, topic, partitions }
    }

    /// The broker that `scripts/kafka start` has started, if `HMT_TEST_KAFKA` names it, with a
    /// separate topic: groups of the mock take minutes where a broker takes a second. Tests that
    /// need it return early on `None`, but fail in CI.
    pub fn real(partitions: i32) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(broker) = std::env::var("HMT_TEST_KAFKA") else {
            assert!(std::env::var_os("CI").is_none(), "set HMT_TEST_KAFKA=$(scripts/kafka start)");
            return None;
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let topic = format!("test-{}-{number}", std::process::id());
        let cluster = Cluster { mock: None, broker, topic, partitions };
        cluster.create();
        Some(cluster)
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.broker).create().unwrap()
    }

    /// Creates the topic; after a deletion, as soon as the broker has finished it.
    fn create(&self) {
        let new = NewTopic::new(&self.topic, self.partitions, TopicReplication::Fixed(1));
        let (admin, start) = (self.admin(), Instant::now());
        loop {
            let made = wait(admin.create_topics([&new], &AdminOptions::new())).unwrap();
            match &made[..] {
                [Ok(_)] => return,
                [Err((_, RDKafkaErrorCode::TopicAlreadyExists))] if start.elapsed() < HANG => (),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Deletes the topic, and creates another one with the same name.
    pub fn recreate(&self) {
        let gone = wait(self.admin().delete_topics(&[&self.topic], &AdminOptions::new())).unwrap();
        assert!(gone.iter().all(Result::is_ok), "{gone:?}");
        self.create();
    }

    /// Deletes the messages of a partition before an offset, as retention does.
    pub fn delete_before(&self, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(offset)).unwrap();
        let gone = wait(self.admin().delete_records(&list, &AdminOptions::new())).unwrap();
        assert!(gone.elements().iter().all(|element| element.error().is_ok()), "{gone:?}");
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", self.broker())
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .create()
            .unwrap()
    }

    /// Waits until the group has committed this many messages.
    pub fn wait_committed(&self, group: &str, messages: i64) {
        let (consumer, start) = (self.consumer(group), Instant::now());
        let mut list = TopicPartitionList::new();
        list.add_partition_range(&self.topic, 0, self.partitions - 1);
        loop {
            // The group's coordinator may be moving.
            let sum = consumer.committed_offsets(list.clone(), HANG).map(|found| {
                let offsets = found.elements();
                let offsets = offsets.iter().filter_map(|found| found.offset().to_raw());
                offsets.filter(|offset| *offset > 0).sum::<i64>()
            });
            if sum == Ok(messages) {
                return;
            }
            assert!(start.elapsed() < HANG, "the group has committed {sum:?} of {messages}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn broker(&self) -> String {
        self.broker.clone()
    }

    /// The topic as a locator, with parameters.
    pub fn url(&self, query: &str) -> String {
        format!("kafka://{}/{}?{query}", self.broker, self.topic)
    }

    /// Cuts every connection at its first request. (Stopped brokers of the mock release their port,
    /// which another test may take.)
    pub fn down(&self) {
        for key in REQUESTS {
            self.mock.as_ref().unwrap().request_errors(key, &[CUT; 10_000]);
        }
    }

    pub fn up(&self) {
        for key in REQUESTS {
            self.mock.as_ref().unwrap().clear_request_errors(key);
        }
    }

    /// Puts messages into partitions.
    pub fn fill<'m>(&self, messages: impl Iterator<Item = (i32, &'m str)>) {
        let producer: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", self.broker()).create().unwrap();
        for (partition, value) in messages {
            let record = BaseRecord::<(), str>::to(&self.topic).partition(partition).payload(value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(HANG).unwrap();
    }

    /// All messages: partition, key, value.
    pub fn messages(&self) -> Vec<(i32, String, String)> {
        let consumer = self.consumer("test");
        let mut all = TopicPartitionList::new();
        let mut left = 0;
        for partition in 0..self.partitions {
            all.add_partition_offset(&self.topic, partition, Offset::Beginning).unwrap();
            let (low, high) =
                consumer.fetch_watermarks(&self.topic, partition, Duration::from_secs(30)).unwrap();
            left += high - low;
        }
        consumer.assign(&all).unwrap();
        let mut found = Vec::new();
        let start = Instant::now();
        while left > 0 {
            assert!(start.elapsed() < HANG, "{left} messages do not come");
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
            let text = |bytes: Option<&[u8]>| {
                String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap()
            };
            found.push((message.partition(), text(message.key()), text(message.payload())));
            left -= 1;
        }
        found
    }
}
