//! Kafka, by the protocol: librdkafka's mock cluster stands for the brokers. What needs a real one is in `kafka_real.rs`.

mod sink;
mod source;

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::harness::HANG;

/// What a client asks a broker first, and what it would go on asking for.
const REQUESTS: [RDKafkaApiKey; 4] = [
    RDKafkaApiKey::ApiVersion,
    RDKafkaApiKey::Metadata,
    RDKafkaApiKey::Produce,
    RDKafkaApiKey::Fetch,
];

/// The mock's way to be told to cut a connection.
const CUT: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT;

/// A cluster of one broker with one topic, `t`.
pub struct Cluster {
    cluster: MockCluster<'static, DefaultProducerContext>,
    partitions: i32,
}

impl Cluster {
    pub fn start(partitions: i32) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("t", partitions, 1).unwrap();
        Cluster { cluster, partitions }
    }

    pub fn broker(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// The topic as a locator, with parameters.
    pub fn url(&self, query: &str) -> String {
        format!("kafka://{}/t?{query}", self.broker())
    }

    /// Cuts every connection off with its first request. (Brokers of the mock that are taken down give their port away, where
    /// another test may take it.)
    pub fn down(&self) {
        for key in REQUESTS {
            self.cluster.request_errors(key, &[CUT; 10_000]);
        }
    }

    pub fn up(&self) {
        for key in REQUESTS {
            self.cluster.clear_request_errors(key);
        }
    }

    /// Puts messages into partitions.
    pub fn fill<'m>(&self, messages: impl Iterator<Item = (i32, &'m str)>) {
        let producer: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", self.broker()).create().unwrap();
        for (partition, value) in messages {
            let record = BaseRecord::<(), str>::to("t").partition(partition).payload(value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(HANG).unwrap();
    }

    /// All messages: partition, key, value.
    pub fn messages(&self) -> Vec<(i32, String, String)> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.broker())
            .set("group.id", "test")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let mut all = TopicPartitionList::new();
        let mut left = 0;
        for partition in 0..self.partitions {
            all.add_partition_offset("t", partition, Offset::Beginning).unwrap();
            let (low, high) =
                consumer.fetch_watermarks("t", partition, Duration::from_secs(30)).unwrap();
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
