//! A topic as a sink.
//!
//! `enable.idempotence` makes librdkafka ask for the acknowledgement of all replicas, and keep order and number through its
//! retries; `message.timeout.ms=0` makes it retry for ever, where its default drops a record after five minutes. So a record
//! leaves memory by an acknowledgement, or into the file of what could not be sent.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, Producer as _, PurgeConfig, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use super::super::delivery_deadline::DeliveryDeadline;
use super::super::sink::{Notify, Sink, SinkError};
use super::config;
use super::delivery::Delivery;
use super::locator::Topic;

/// How often it is looked whether waiting still makes sense.
const LOOK: Duration = Duration::from_millis(50);

/// What is told unless somebody says otherwise.
const SETTINGS: [(&str, &str); 8] = [
    ("enable.idempotence", "true"),
    ("message.timeout.ms", "0"),
    ("linger.ms", "5"),
    ("compression.type", "zstd"),
    // Records of a host are in the partition that the clients in Java would choose.
    ("partitioner", "murmur2_random"),
    // What waits in memory: 64 MiB, where the default is 1 GiB.
    ("queue.buffering.max.kbytes", "65536"),
    ("queue.buffering.max.messages", "500000"),
    // The broker decides what is too large; a large record goes alone, and is compressed before it is measured.
    ("message.max.bytes", "100000000"),
];

/// Records on their way to a topic.
struct KafkaSink {
    topic: Topic,
    producer: ThreadedProducer<Delivery>,
    warning: Option<String>,
    deadline: DeliveryDeadline,
    /// True once nothing more is sent.
    gave_up: bool,
    closed: bool,
}

/// Opens a topic for writing. Whether a broker answers shows later: until then, records wait in memory.
///
/// # Errors
/// Settings that librdkafka does not accept together.
pub(in super::super) fn open(topic: &Topic) -> Result<Box<dyn Sink>, SinkError> {
    let failed = |why: String| SinkError::Kafka { topic: topic.short(), why };
    let config: ClientConfig = config::build(topic, &SETTINGS).map_err(failed)?;
    let warning = config::warning(topic, &config);
    let producer = ThreadedProducer::from_config_and_context(&config, Delivery::new(topic.short()))
        .map_err(|error| failed(error.to_string()))?;
    Ok(Box::new(KafkaSink {
        topic: topic.clone(),
        producer,
        warning,
        deadline: DeliveryDeadline::default(),
        gave_up: false,
        closed: false,
    }))
}

impl KafkaSink {
    fn delivery(&self) -> &Delivery {
        self.producer.context()
    }

    /// Waits a moment for something to move; false once waiting makes no sense any more.
    fn wait(&mut self) -> bool {
        if !self.gave_up {
            self.gave_up = self.deadline.is_at_end(self.delivery().moved());
        }
        if !self.gave_up {
            self.delivery().wait(LOOK);
        }
        !self.gave_up
    }

    fn check(&self) -> Result<(), SinkError> {
        match self.delivery().fatal() {
            Some(why) => Err(SinkError::Kafka { topic: self.topic.short(), why }),
            None => Ok(()),
        }
    }

    /// Waits for what is on its way; what does not arrive goes to the file.
    fn finish(&mut self) -> Result<(), SinkError> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        while self.producer.in_flight_count() > 0
            && self.delivery().fatal().is_none()
            && self.wait()
        {}
        if self.producer.in_flight_count() > 0 {
            self.producer.purge(PurgeConfig::default().queue().inflight());
            // Every record that was purged is reported, which is what puts it into the file.
            while self.producer.in_flight_count() > 0 {
                self.delivery().wait(LOOK);
            }
        }
        let failed = |cause| SinkError::Write {
            name: format!("the file for what {} does not take", self.topic.short()),
            cause,
        };
        match self.delivery().rest(&self.topic).map_err(failed)? {
            None => self.check(),
            Some(unsent) => Err(SinkError::Unsent(Box::new(unsent))),
        }
    }
}

impl Sink for KafkaSink {
    fn write(&mut self, host: &str, line: &[u8]) -> Result<(), SinkError> {
        let record = line.strip_suffix(b"\n").unwrap_or(line);
        if let Err(error) = self.check() {
            self.delivery().keep(record, "the topic takes no more", false);
            return Err(error);
        }
        while !self.gave_up {
            let mut message = BaseRecord::to(&self.topic.name).payload(record);
            if !host.is_empty() {
                message = message.key(host.as_bytes());
            }
            match self.producer.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.wait();
                }
                Err((error, _)) => {
                    let why =
                        error.rdkafka_error_code().map_or(error.to_string(), |c| c.to_string());
                    self.delivery().keep(record, &why, true);
                    return Ok(());
                }
            }
        }
        self.delivery().keep(record, "no broker took it in time", true);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.check()
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.confirm()
    }

    fn confirm(&mut self) -> Result<(), SinkError> {
        while self.producer.in_flight_count() > 0 {
            self.check()?;
            if !self.wait() {
                break;
            }
        }
        self.check()
    }

    fn close(mut self: Box<Self>) -> Result<(), SinkError> {
        self.finish()
    }

    fn report_to(&mut self, notify: Notify) {
        if let Some(warning) = self.warning.take() {
            notify(&warning);
        }
        self.delivery().report_to(notify);
    }

    fn delivery_deadline(&self) -> Option<(DeliveryDeadline, Duration)> {
        Some((self.deadline.clone(), self.topic.patience))
    }
}

impl Drop for KafkaSink {
    /// A sink that is given up without being closed keeps its records, too.
    fn drop(&mut self) {
        self.gave_up = true;
        let _ = self.finish();
    }
}
