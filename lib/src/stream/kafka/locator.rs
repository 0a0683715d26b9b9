//! Parses and checks `kafka://BROKER[,BROKER]/TOPIC[?PARAMETER=VALUE…]`, without asking a broker.

use std::time::Duration;

use super::super::locator_error::LocatorError;
use super::topic::{PREFIX, StartOffset, Topic, is_secret};

/// Default time to wait for a broker that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The default broker.
const BROKER: &str = "localhost:9092";

/// The default topic.
const TOPIC: &str = "http_recordings";

/// The error of a build without the feature for a topic URL.
pub(in super::super) const ABSENT: &str = "this build of hmt does not support Kafka; build it with `cargo install --path . --features kafka`";

impl Topic {
    /// Parses a URL.
    ///
    /// # Errors
    /// A missing broker or topic, or a parameter that is unknown, that would break a guarantee, or
    /// that holds a secret.
    pub(in super::super) fn parse(url: &str) -> Result<Topic, LocatorError> {
        let wrong = |why: &str| LocatorError::Kafka { url: hidden(url), why: why.to_owned() };
        let rest = url.strip_prefix("kafka://").unwrap_or_default();
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (brokers, name) = place.split_once('/').unwrap_or_default();
        if brokers.is_empty() || name.is_empty() || name.contains('/') {
            return Err(wrong("write kafka://BROKER[,BROKER]/TOPIC"));
        }
        if brokers.contains('@') {
            return Err(wrong(
                "do not put a password in a URL, because other users can see it in the list of processes; set HMT_KAFKA_SASL_USERNAME and HMT_KAFKA_SASL_PASSWORD",
            ));
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !name.chars().all(is_name) || name.len() > 249 || matches!(name, "." | "..") {
            return Err(wrong(
                "the name of a topic consists of at most 249 letters, digits, '.', '_' and '-'",
            ));
        }
        if !cfg!(feature = "kafka") {
            return Err(wrong(ABSENT));
        }
        let mut topic = Topic {
            url: url.to_owned(),
            brokers: brokers.to_owned(),
            name: name.to_owned(),
            properties: Vec::new(),
            group: None,
            member: None,
            from: StartOffset::Beginning,
            until_end: false,
            patience: PATIENCE,
        };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            topic.set(&key, &value).map_err(|why| wrong(&why))?;
        }
        #[cfg(feature = "kafka")]
        super::config::check(&topic).map_err(|why| wrong(&why))?;
        Ok(topic)
    }

    /// A topic on some brokers, read completely or as a member of a group. By default
    /// `http_recordings` on `localhost:9092`.
    ///
    /// # Errors
    /// Invalid names.
    pub fn of(
        broker: Option<&str>,
        topic: Option<&str>,
        group: Option<&str>,
    ) -> Result<Topic, LocatorError> {
        let (broker, topic) = (broker.unwrap_or(BROKER), topic.unwrap_or(TOPIC));
        let url = format!("kafka://{broker}/{topic}");
        match group {
            None => Topic::parse(&url),
            Some(group) => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                Topic::parse(&format!("{url}?{}", query.append_pair("group", group).finish()))
            }
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "group" if value.is_empty() => return Err("group= requires a name".to_owned()),
            "group" => self.group = Some(value.to_owned()),
            "from" => {
                self.from = match value {
                    "beginning" => StartOffset::Beginning,
                    "latest" => StartOffset::Latest,
                    _ => {
                        return Err(format!(
                            "from={value} is not valid; write from=beginning or from=latest"
                        ));
                    }
                }
            }
            "until" if value == "end" => self.until_end = true,
            "until" => {
                return Err(format!(
                    "until={value} is not valid; write until=end, or leave it out"
                ));
            }
            "patience" => {
                let seconds = value.strip_suffix('s').and_then(|n| n.parse().ok());
                let seconds = seconds.ok_or_else(|| {
                    format!("patience={value} is not valid; write a duration, such as patience=30s")
                })?;
                self.patience = Duration::from_secs(seconds);
            }
            "group.id" => return Err("write group=NAME instead of group.id".to_owned()),
            // Each of these would lose records, or count some twice.
            "bootstrap.servers"
            | "metadata.broker.list"
            | "enable.auto.commit"
            | "enable.auto.offset.store"
            | "enable.partition.eof"
            | "auto.offset.reset" => {
                return Err(format!("{key} cannot be set, because hmt sets it"));
            }
            key if is_secret(key) && !value.starts_with('@') => {
                return Err(format!(
                    "do not put {key} in a URL, because other users can see it in the list of processes; set {}, or write {key}=@FILE",
                    variable(key)
                ));
            }
            key => self.properties.push((key.to_owned(), value.to_owned())),
        }
        Ok(())
    }

    /// True if both are the same topic, judging by their URLs: a common broker, and the same name.
    fn has_same_name(&self, other: &Topic) -> bool {
        let theirs: Vec<String> = other.brokers.split(',').map(address).collect();
        self.name == other.name
            && self.brokers.split(',').any(|broker| theirs.contains(&address(broker)))
    }

    /// True if both are the same topic. Brokers with different names are asked for their cluster
    /// id; if none answers within five seconds, the topics count as different.
    pub fn is_same(&self, other: &Topic) -> bool {
        if self.name != other.name || self.has_same_name(other) {
            return self.name == other.name;
        }
        #[cfg(feature = "kafka")]
        if let (Some(ours), Some(theirs)) =
            (super::broker::cluster_of(self), super::broker::cluster_of(other))
        {
            return ours == theirs;
        }
        false
    }
}

/// A broker as `HOST:PORT` in lower case; all names of loopback become one.
fn address(broker: &str) -> String {
    let broker = broker.rsplit_once("://").map_or(broker, |(_, rest)| rest).to_ascii_lowercase();
    let (host, port) = match broker.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (&*broker, "9092"),
    };
    let host = if matches!(host, "127.0.0.1" | "[::1]") { "localhost" } else { host };
    format!("{host}:{port}")
}

/// The environment variable of a property.
fn variable(property: &str) -> String {
    format!("{PREFIX}{}", property.to_ascii_uppercase().replace('.', "_"))
}

/// A URL for messages: a refused secret must not be repeated.
fn hidden(url: &str) -> String {
    let place = url.split('?').next().unwrap_or_default();
    match place.strip_prefix("kafka://").and_then(|rest| rest.rsplit_once('@')) {
        Some((_, rest)) => format!("kafka://…@{rest}"),
        None => place.to_owned(),
    }
}

#[cfg(all(test, not(feature = "kafka")))]
mod tests_without_kafka {
    use super::*;

    #[test]
    fn a_topic_names_the_missing_feature() {
        let error = Topic::parse("kafka://b/t?sasl.password=SECRET").unwrap_err().to_string();
        assert!(error.contains("--features kafka") && !error.contains("SECRET"), "{error}");
    }
}

#[cfg(all(test, feature = "kafka"))]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = "kafka://a:9092,[::1]:9093/http.rec_1?group=g&from=latest&until=end&linger.ms=7&patience=2s";
        let topic = Topic::parse(url).unwrap();
        assert_eq!(topic.brokers, "a:9092,[::1]:9093");
        assert_eq!((topic.name.as_str(), topic.group.as_deref()), ("http.rec_1", Some("g")));
        assert_eq!((topic.from, topic.until_end), (StartOffset::Latest, true));
        assert_eq!(topic.properties, [("linger.ms".to_owned(), "7".to_owned())]);
        assert_eq!(topic.patience, Duration::from_secs(2));
        assert_eq!(topic.to_string(), url);
        let plain = Topic::parse("kafka://a/t").unwrap();
        assert_eq!(
            (plain.from, plain.until_end, plain.group),
            (StartOffset::Beginning, false, None)
        );
    }

    #[test]
    fn one_topic_has_several_urls() {
        let same =
            |a: &str, b: &str| Topic::parse(a).unwrap().has_same_name(&Topic::parse(b).unwrap());
        for (a, b, expected) in [
            ("kafka://a/t", "kafka://a:9092/t?until=end", true),
            ("kafka://a,b:1/t", "kafka://c,B:1/t", true),
            ("kafka://localhost/t", "kafka://127.0.0.1:9092/t", true),
            ("kafka://[::1]/t", "kafka://localhost/t", true),
            ("kafka://a/t", "kafka://a/u", false),
            ("kafka://a:1/t", "kafka://a:2/t", false),
        ] {
            assert_eq!(same(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn wrong_urls_say_why_and_never_the_secret() {
        for (url, word) in [
            ("kafka://", "BROKER"),
            ("kafka://b", "BROKER"),
            ("kafka:///t", "BROKER"),
            ("kafka://b/", "BROKER"),
            ("kafka://b/t/u", "BROKER"),
            ("kafka://b/%20", "letters"),
            ("kafka://me:SECRET@b/t", "HMT_KAFKA_SASL_PASSWORD"),
            ("kafka://b/t?sasl.password=SECRET", "HMT_KAFKA_SASL_PASSWORD"),
            ("kafka://b/t?ssl.key.pem=SECRET", "ssl.key.pem=@FILE"),
            ("kafka://b/t?group=", "requires a name"),
            ("kafka://b/t?group.id=g", "group=NAME"),
            ("kafka://b/t?from=middle", "from=latest"),
            ("kafka://b/t?until=5", "until=end"),
            ("kafka://b/t?enable.auto.commit=true", "cannot be set, because"),
            ("kafka://b/t?no.such.thing=1", "no.such.thing"),
            ("kafka://b/t?linger.ms=soon", "linger.ms"),
            ("kafka://b/t?patience=long", "patience=30s"),
        ] {
            let error = Topic::parse(url).unwrap_err().to_string();
            assert!(error.contains(word), "{url}: {error}");
            assert!(!error.contains("SECRET"), "{error}");
        }
    }

    #[cfg(not(feature = "kafka-tls"))]
    #[test]
    fn without_tls_asking_for_it_names_the_feature() {
        for query in [
            "security.protocol=ssl",
            "security.protocol=SASL_SSL",
            "ssl.ca.location=/x",
            "sasl.mechanism=SCRAM-SHA-256",
        ] {
            let error = Topic::parse(&format!("kafka://b/t?{query}")).unwrap_err().to_string();
            assert!(error.contains("kafka-tls"), "{error}");
        }
    }
}
