//! Tracks the records that librdkafka has accepted: each one is acknowledged, or saved in a file.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::ProducerContext;
use rdkafka::types::RDKafkaErrorCode;

use super::super::sink::{Notify, Unsent};
use super::topic::Topic;
use super::unsent::UnsentFile;

/// Shared between the sink and librdkafka's threads.
pub(super) struct DeliveryTracker {
    /// The topic, for messages.
    name: String,
    kept: Mutex<UnsentCount>,
    /// The time of the last acknowledgement.
    moved: Mutex<Instant>,
    signal: Condvar,
    report: Mutex<Reporting>,
    /// True while no broker answers.
    down: AtomicBool,
}

/// Receives messages. The client may have a message before its owner has set the receiver.
enum Reporting {
    Waiting(Vec<String>),
    To(Notify),
}

/// The records that could not be sent.
#[derive(Default)]
struct UnsentCount {
    file: UnsentFile,
    /// How many of these records were reported to the writer as sent.
    taken: u64,
    /// The reason for the first one.
    why: Option<String>,
    /// The error after which no other record will be accepted.
    fatal: Option<String>,
    /// True if some were in flight, and may have arrived.
    perhaps: bool,
    error: Option<io::Error>,
}

impl DeliveryTracker {
    pub(super) fn new(name: String) -> Self {
        DeliveryTracker {
            name,
            kept: Mutex::default(),
            moved: Mutex::new(Instant::now()),
            signal: Condvar::new(),
            report: Mutex::new(Reporting::Waiting(Vec::new())),
            down: AtomicBool::new(false),
        }
    }

    pub(super) fn report_to(&self, notify: Notify) {
        let mut report = self.report.lock();
        if let Reporting::Waiting(messages) = &*report {
            messages.iter().for_each(|message| notify(message));
        }
        *report = Reporting::To(notify);
    }

    pub(super) fn tell(&self, text: &str) {
        let message = format!("{}: {text}", self.name);
        match &mut *self.report.lock() {
            Reporting::To(notify) => notify(&message),
            Reporting::Waiting(messages) => messages.push(message),
        }
    }

    /// The time of the last acknowledgement.
    pub(super) fn moved(&self) -> Instant {
        *self.moved.lock()
    }

    /// Waits for an acknowledgement, for at most `limit`.
    pub(super) fn wait(&self, limit: Duration) {
        self.signal.wait_for(&mut self.moved.lock(), limit);
    }

    fn moves(&self) {
        *self.moved.lock() = Instant::now();
        self.signal.notify_all();
    }

    /// Saves a record in the file; `taken` is true if it was reported as sent to its writer.
    pub(super) fn keep(&self, record: &[u8], why: &str, taken: bool) {
        let first = {
            let mut kept = self.kept.lock();
            let before = kept.file.path().is_none();
            if let Err(error) = kept.file.keep(record) {
                kept.error.get_or_insert(error);
            } else if taken {
                kept.taken += 1;
            }
            kept.why.get_or_insert_with(|| why.to_owned());
            before.then(|| kept.file.path().map(|path| path.display().to_string())).flatten()
        };
        if let Some(file) = first {
            self.tell(&format!(
                "a record could not be sent ({why}); unsent records are written to {file}"
            ));
        }
    }

    /// The fatal error, if there is one.
    pub(super) fn fatal(&self) -> Option<String> {
        self.kept.lock().fatal.clone()
    }

    /// Closes the file of unsent records.
    pub(super) fn rest(&self, topic: &Topic) -> io::Result<Option<Unsent>> {
        let mut kept = self.kept.lock();
        if let Some(error) = kept.error.take() {
            return Err(error);
        }
        let Some((file, count)) = kept.file.close()? else { return Ok(None) };
        let why = kept.why.take().unwrap_or_default();
        let UnsentCount { taken, perhaps, .. } = *kept;
        let (topic, name) = (topic.to_string(), topic.short());
        Ok(Some(Unsent { topic, name, file, count, taken, why, perhaps }))
    }
}

impl ClientContext for DeliveryTracker {
    /// Important messages also arrive as errors.
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        if code == Some(RDKafkaErrorCode::AllBrokersDown) {
            if !self.down.swap(true, Ordering::Relaxed) {
                self.tell("no broker responds; records wait in memory");
            }
        } else if code == Some(RDKafkaErrorCode::Fatal) {
            self.kept.lock().fatal.get_or_insert_with(|| reason.to_owned());
        } else if matches!(code, Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL)) {
            self.tell(reason);
        }
    }
}

impl ProducerContext for DeliveryTracker {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                if self.down.swap(false, Ordering::Relaxed) {
                    self.tell("a broker responds again");
                }
            }
            Err((error, message)) => {
                let code = error.rdkafka_error_code();
                let why = match code {
                    Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight) => {
                        self.kept.lock().perhaps |= code == Some(RDKafkaErrorCode::PurgeInflight);
                        "no broker accepted it in time".to_owned()
                    }
                    Some(code) => code.to_string(),
                    None => error.to_string(),
                };
                self.keep(message.payload().unwrap_or_default(), &why, true);
                let is_of_the_record = matches!(
                    code,
                    Some(
                        RDKafkaErrorCode::MessageSizeTooLarge
                            | RDKafkaErrorCode::InvalidMessage
                            | RDKafkaErrorCode::InvalidMessageSize
                            | RDKafkaErrorCode::PurgeQueue
                            | RDKafkaErrorCode::PurgeInflight
                    )
                );
                if !is_of_the_record {
                    self.kept.lock().fatal.get_or_insert(why);
                }
            }
        }
        self.moves();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_message_before_there_is_a_report_is_kept() {
        let delivery = DeliveryTracker::new("t".to_owned());
        delivery
            .error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "all brokers are down");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&heard);
        delivery.report_to(Arc::new(move |text: &str| list.lock().push(text.to_owned())));
        delivery.tell("later");
        let expected = ["t: no broker responds; records wait in memory", "t: later"];
        assert_eq!(*heard.lock(), expected);
    }
}
