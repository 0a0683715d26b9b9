//! A topic as a sink.
//!
//! With `enable.idempotence`, librdkafka waits for the acknowledgement of all replicas, and keeps
//! order and uniqueness through its retries. With `message.timeout.ms=0` it retries without limit,
//! while its default drops a record after five minutes. So a record leaves memory only when it is
//! acknowledged, or is saved in the file of unsent records.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, Producer as _, PurgeConfig, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use super::super::delivery_deadline::DeliveryDeadline;
use super::super::sink::{Notify, Sink, SinkError};
use super::config;
use super::delivery::DeliveryTracker;
use super::topic::Topic;

/// Interval at which the deadline is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The default settings.
const SETTINGS: [(&str, &str); 8] = [
    ("enable.idempotence", "true"),
    ("message.timeout.ms", "0"),
    ("linger.ms", "5"),
    ("compression.type", "zstd"),
    // The same partition for a host as the Java clients choose.
    ("partitioner", "murmur2_random"),
    // The memory for queued records: 64 MiB, where the default is 1 GiB.
    ("queue.buffering.max.kbytes", "65536"),
    ("queue.buffering.max.messages", "500000"),
    // The broker limits the size; a large record is sent alone, and compressed before it is
    // measured.
    ("message.max.bytes", "100000000"),
];

/// Sends records to a topic.
struct KafkaSink {
    topic: Topic,
    producer: ThreadedProducer<DeliveryTracker>,
    warning: Option<String>,
    deadline: DeliveryDeadline,
    /// True after giving up: nothing more is sent.
    gave_up: bool,
    closed: bool,
}

/// Opens a topic for writing. Records wait in memory until a broker answers.
///
/// # Errors
/// Settings that librdkafka does not accept together.
pub(in super::super) fn open(topic: &Topic) -> Result<Box<dyn Sink>, SinkError> {
    let failed = |why: String| SinkError::Kafka { topic: topic.short(), why };
    let config: ClientConfig = config::build(topic, &SETTINGS).map_err(failed)?;
    let warning = config::warning(topic, &config);
    let producer =
        ThreadedProducer::from_config_and_context(&config, DeliveryTracker::new(topic.short()))
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
    fn delivery(&self) -> &DeliveryTracker {
        self.producer.context()
    }

    /// Waits a moment for progress; false if the deadline has passed.
    fn wait(&mut self) -> bool {
        if !self.gave_up {
            self.gave_up = self.deadline.is_at_end(self.delivery().moved());
        }
        if !self.gave_up {
            self.delivery().wait(POLL_INTERVAL);
        }
        !self.gave_up
    }

    fn check(&self) -> Result<(), SinkError> {
        match self.delivery().fatal() {
            Some(why) => Err(SinkError::Kafka { topic: self.topic.short(), why }),
            None => Ok(()),
        }
    }

    /// Waits for records in flight; those that do not arrive are saved in the file.
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
            // The report about a purged record saves it in the file.
            while self.producer.in_flight_count() > 0 {
                self.delivery().wait(POLL_INTERVAL);
            }
        }
        let failed = |cause| SinkError::Write {
            name: format!("the file for records that {} does not accept", self.topic.short()),
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
            self.delivery().keep(record, "the topic accepts no more records", false);
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
        self.delivery().keep(record, "no broker accepted it in time", true);
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
    /// Saves the records of a sink that is dropped without being closed.
    fn drop(&mut self) {
        self.gave_up = true;
        let _ = self.finish();
    }
}
