//! A topic, and how it is read or written.

use std::fmt;
use std::time::Duration;

/// The prefix of variables that set properties: `HMT_KAFKA_SASL_PASSWORD` is `sasl.password`.
pub(super) const PREFIX: &str = "HMT_KAFKA_";

/// A topic, and how it is read or written. It holds no secrets: those come from the environment or
/// files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub(super) url: String,
    /// `HOST:PORT`, separated by commas.
    pub(super) brokers: String,
    /// The topic's name.
    pub(super) name: String,
    /// Properties of librdkafka, in the given order; a value `@FILE` is read from that file.
    pub(super) properties: Vec<(String, String)>,
    /// The consumer group, if any.
    pub(super) group: Option<String>,
    /// The default of `group.instance.id`, the name of a static group member.
    pub(super) member: Option<String>,
    /// Where to begin in partitions that were never read.
    pub(super) from: StartOffset,
    /// Whether to stop at the end that the topic had at the start.
    pub(super) until_end: bool,
    /// How long to wait for a broker that does not answer.
    pub(super) patience: Duration,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartOffset {
    Beginning,
    Latest,
}

impl Topic {
    /// The same topic, read as a static group member with this name. A static member gets its
    /// partitions back immediately after a restart; others must wait for the session timeout
    /// (KIP-345).
    #[must_use]
    pub fn with_member(self, name: String) -> Topic {
        Topic { member: Some(name), ..self }
    }

    /// The name from [`Topic::with_member`], if any.
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    /// The name for messages: without parameters.
    pub fn short(&self) -> String {
        format!("kafka://{}/{}", self.brokers, self.name)
    }

    /// The topic's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True if it is read by a consumer group.
    pub fn has_group(&self) -> bool {
        self.group.is_some()
    }

    /// True if reading stops at the end that the topic had at the start.
    pub fn ends(&self) -> bool {
        self.until_end
    }

    /// The same topic, read up to its current end.
    #[must_use]
    pub fn to_end(mut self) -> Topic {
        self.until_end = true;
        self
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// Properties for authentication (CONFIGURATION.md of librdkafka).
pub(super) fn is_secret(property: &str) -> bool {
    ["password", "secret", "passphrase", "key.pem", "oauthbearer.config"]
        .iter()
        .any(|word| property.contains(word))
}
