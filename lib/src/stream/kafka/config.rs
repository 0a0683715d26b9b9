//! The configuration for librdkafka: HMT's settings, then those of the environment, then those of
//! the URL.

use std::fs;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use super::topic::{PREFIX, Topic, is_secret};

/// Session timeout in milliseconds for a static group member. Such a member does not leave the
/// group at its end, so its partitions are given to others only after this time.
const MISSED_AFTER: &str = "10000";

/// Checks the properties of the URL and the environment: their names, their values, and whether
/// this build supports them.
pub(super) fn check(topic: &Topic) -> Result<(), String> {
    build(topic, &[]).map(|_| ())
}

/// The configuration for a topic; `ours` holds the defaults.
pub(super) fn build(topic: &Topic, ours: &[(&str, &str)]) -> Result<ClientConfig, String> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &topic.brokers).set("client.id", "hmt");
    // A returning broker is noticed within a second.
    config.set("reconnect.backoff.max.ms", "1000");
    for (key, value) in ours {
        config.set(*key, *value);
    }
    if let (Some(_), Some(member)) = (&topic.group, &topic.member) {
        config.set("group.instance.id", member).set("session.timeout.ms", MISSED_AFTER);
    }
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let key = name[PREFIX.len()..].to_ascii_lowercase().replace('_', ".");
        let value = value.to_str().ok_or_else(|| format!("{name} is not UTF-8"))?;
        set(&mut config, &key, value).map_err(|why| format!("{name}: {why}"))?;
    }
    for (key, value) in &topic.properties {
        set(&mut config, key, value)?;
    }
    if let Some(group) = &topic.group {
        config.set("group.id", group);
    }
    Ok(config)
}

fn set(config: &mut ClientConfig, key: &str, value: &str) -> Result<(), String> {
    if !cfg!(feature = "kafka-tls") && needs_tls(key, value) {
        let value = if is_secret(key) { "…" } else { value };
        return Err(format!(
            "{key}={value} requires TLS or SASL from OpenSSL, which this build does not have; build it with `cargo install --path . --features kafka-tls`"
        ));
    }
    let value = match value.strip_prefix('@') {
        Some(file) => {
            let text = fs::read_to_string(file)
                .map_err(|why| format!("{key}: cannot read {file}: {why}"))?;
            text.trim_end_matches(['\n', '\r']).to_owned()
        }
        None => value.to_owned(),
    };
    // Properties are set one by one, so that a message is about one property and never contains a
    // secret.
    let one = ClientConfig::new().set(key, &value).create_native_config();
    if let Err(KafkaError::ClientConfig(_, why, ..)) = one {
        return Err(if is_secret(key) {
            format!("{key} cannot be set")
        } else {
            format!("{key}: {why}")
        });
    }
    config.set(key, value);
    Ok(())
}

/// Only PLAIN over plain text works without OpenSSL.
fn needs_tls(key: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    match key {
        "security.protocol" => value.contains("ssl"),
        "sasl.mechanism" | "sasl.mechanisms" => value != "plain",
        _ => {
            key.starts_with("ssl.") || key.starts_with("enable.ssl.") || key.contains("oauthbearer")
        }
    }
}

/// The warning if traffic would leave the machine unencrypted.
pub(super) fn warning(topic: &Topic, config: &ClientConfig) -> Option<String> {
    let protocol = config.get("security.protocol").unwrap_or("plaintext");
    if protocol.to_ascii_lowercase().contains("ssl") {
        return None;
    }
    let is_near = |broker: &str| {
        let host = broker.rsplit_once("://").map_or(broker, |(_, rest)| rest);
        host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]")
    };
    let far = topic.brokers.split(',').find(|broker| !is_near(broker))?;
    Some(format!("{}: traffic with {far} is not encrypted; set security.protocol", topic.short()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_brokers_are_warned_of() {
        for (url, warned) in [
            ("kafka://localhost:9092/t", false),
            ("kafka://127.0.0.1,[::1]:9092/t", false),
            ("kafka://127.0.0.1,broker.example/t", true),
        ] {
            let topic = Topic::parse(url).unwrap();
            let config = build(&topic, &[]).unwrap();
            assert_eq!(warning(&topic, &config).is_some(), warned, "{url}");
        }
    }

    #[test]
    fn values_come_from_files_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        fs::write(&file, "hush\n").unwrap();
        let topic =
            Topic::parse(&format!("kafka://b/t?sasl.password=@{}", file.display())).unwrap();
        assert_eq!(build(&topic, &[]).unwrap().get("sasl.password"), Some("hush"));
        let error = Topic::parse("kafka://b/t?sasl.password=@/no/such/file").unwrap_err();
        assert!(error.to_string().contains("/no/such/file"), "{error}");
    }
}
