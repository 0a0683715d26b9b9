//! Tests of topics as sinks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::Cluster;
use crate::harness::{Dir, Reply, Server, Upstream, fixture};

fn recorder(dir: &Dir, upstream: &Upstream, args: &[&str]) -> Server {
    let start = ["-p", "0", "--redact-key", "key", "-t", &upstream.url()].map(str::to_owned);
    Server::start(dir.program("hmt-record").args(start).args(args))
}

fn upstream() -> Upstream {
    Upstream::start(|request| Reply::new(200, &[], request.target.clone()))
}

/// The paths of records, sorted.
fn paths<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let path = |line| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["request"]["path"].as_str().unwrap().to_owned()
    };
    lines.map(path).collect()
}

/// The only file of unsent records.
fn unsent(dir: &Dir) -> String {
    let names = fs::read_dir(dir.join(".")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names
        .map(|name| name.into_string().unwrap())
        .filter(|name| name.starts_with("hmt-unsent-"))
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    names.remove(0)
}

#[test]
fn records_are_sent_keyed_by_their_host() {
    let (dir, cluster, upstream) = (Dir::new(), Cluster::start(4), upstream());
    let topic = ["--kafka-broker", &cluster.broker(), "--kafka-topic", "t"];
    let recorder = recorder(&dir, &upstream, &topic);
    for number in 0..50 {
        recorder.get(&format!("/{number}")).expect_status(200);
    }
    recorder.stop().expect_code(0).expect_stderr("seen 50, written 50, dropped 0");
    let messages = cluster.messages();
    assert_eq!(messages.len(), 50);
    let host = upstream.url().replace("http://", "");
    assert!(messages.iter().all(|(_, key, _)| *key == host), "{messages:?}");
    let partitions: BTreeSet<i32> = messages.iter().map(|(partition, ..)| *partition).collect();
    assert_eq!(partitions.len(), 1, "a host keeps its order");
    let expected: Vec<String> = (0..50).map(|number| format!("/{number}")).collect();
    let got = messages.iter().map(|(.., value)| {
        assert!(!value.contains('\n'));
        let record: serde_json::Value = serde_json::from_str(value).unwrap();
        record["request"]["path"].as_str().unwrap().to_owned()
    });
    assert_eq!(got.collect::<Vec<_>>(), expected);
}

#[test]
fn a_broker_that_is_away_for_a_while_costs_nothing() {
    let (dir, cluster, upstream) = (Dir::new(), Cluster::start(1), upstream());
    cluster.down();
    let recorder = recorder(&dir, &upstream, &["-o", &cluster.url("")]);
    for number in 0..10 {
        recorder.get(&format!("/before/{number}")).expect_status(200);
    }
    recorder.wait_stderr("no broker responds; records wait in memory");
    cluster.up();
    recorder.wait_stderr("a broker responds again");
    for number in 0..10 {
        recorder.get(&format!("/up/{number}")).expect_status(200);
    }
    recorder.stop().expect_code(0).expect_stderr("seen 20, written 20, dropped 0");
    let messages = cluster.messages();
    assert_eq!(messages.len(), 20);
    assert_eq!(paths(messages.iter().map(|(.., value)| value.as_str())).len(), 20);
}

#[test]
fn what_no_broker_takes_is_kept_and_can_be_sent_later() {
    let (dir, cluster, upstream) = (Dir::new(), Cluster::start(1), upstream());
    let url = cluster.url("");
    let recorder = recorder(&dir, &upstream, &["-o", &url, "--grace", "1s"]);
    recorder.get("/sent?token=CANARY").expect_status(200);
    while cluster.messages().is_empty() {}
    cluster.down();
    for number in 0..10 {
        recorder.get(&format!("/{number}?token=CANARY")).expect_status(200);
    }
    let run = recorder.stop().expect_code(1);
    let file = unsent(&dir);
    let told =
        format!("kept in {file}; send them later with: hmt-record import {file} --out '{url}'");
    let run = run.expect_stderr("10 records could not be sent").expect_stderr(&told);
    run.expect_stderr("seen 11, written 1, dropped 10 (kept in a file)");
    let mode = {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(dir.join(&file)).unwrap().permissions().mode()
    };
    assert_eq!(mode & 0o777, 0o600);
    let kept = dir.read(&file);
    assert_eq!(paths(kept.lines()).len(), 10);

    cluster.up();
    let import = ["import", &file, "--out", &url, "--redact-key", "key"];
    dir.program("hmt-record").args(import).run().expect_code(0);
    let messages = cluster.messages();
    assert_eq!(messages.len(), 11);
    // Byte for byte what was saved: secrets are replaced once.
    let sent: BTreeSet<&str> = messages.iter().map(|(.., value)| value.as_str()).collect();
    assert!(kept.lines().all(|line| sent.contains(line)));
    assert!(messages.iter().all(|(.., value)| !value.contains("CANARY")));
}

#[test]
fn acked_records_are_there_before_the_answer_ends() {
    let (dir, cluster, upstream) = (Dir::new(), Cluster::start(1), upstream());
    let args = ["-o", &cluster.url(""), "--durable", "acked"];
    let recorder = recorder(&dir, &upstream, &args);
    for number in 0..5 {
        recorder.get(&format!("/{number}")).expect_status(200);
        assert_eq!(cluster.messages().len(), number + 1);
    }
    recorder.signal("KILL");
    drop(recorder.end());
    assert_eq!(cluster.messages().len(), 5);
}

#[test]
fn an_import_gives_up_and_says_where_the_records_are() {
    let (dir, cluster) = (Dir::new(), Cluster::start(1));
    cluster.down();
    let shop = fixture("recordings/shop.jsonl");
    let args = ["import", shop.to_str().unwrap(), "--redact-key", "key", "-o"];
    let import = dir.program("hmt-record").args(args).arg(cluster.url("patience=1s"));
    import.run().expect_code(1).expect_stderr("no broker accepted it in time");
    let lines = fs::read_to_string(shop).unwrap().lines().count();
    assert_eq!(dir.read(&unsent(&dir)).lines().count(), lines);
}

#[test]
fn a_mock_sends_what_it_served() {
    let (dir, cluster) = (Dir::new(), Cluster::start(1));
    let spec = fixture("docs/spec.yaml");
    let args = ["-p", "0", "-a", "0", spec.to_str().unwrap(), "-o"];
    let mock = Server::start(dir.program("hmt-mock").args(args).arg(cluster.url("")));
    mock.get("/products/1").expect_status(200);
    mock.stop().expect_code(0);
    assert_eq!(cluster.messages().len(), 1);
}

#[test]
fn a_full_queue_makes_clients_wait_or_drops() {
    let (dir, cluster, upstream) = (Dir::new(), Cluster::start(1), upstream());
    let url = cluster.url("queue.buffering.max.messages=5");
    cluster.down();
    let recorder =
        recorder(&dir, &upstream, &["-o", &url, "--on-backpressure", "drop", "--grace", "1s"]);
    for number in 0..20 {
        recorder.get(&format!("/{number}")).expect_status(200);
    }
    // The queue before the sink holds 32 MiB more, so nothing is dropped yet, and no client waited.
    recorder.stop().expect_code(1).expect_stderr("seen 20, written 0, dropped 20 (kept in a file)");
    assert_eq!(dir.read(&unsent(&dir)).lines().count(), 20);
}

#[test]
fn wrong_usage_is_told_as_such() {
    let dir = Dir::new();
    let told: BTreeMap<&str, &str> = [
        ("kafka://b", "BROKER"),
        ("kafka://b/t?sasl.password=x", "HMT_KAFKA_SASL_PASSWORD"),
        ("kafka://b/t?no.such=x", "no.such"),
    ]
    .into();
    for (url, why) in told {
        for program in ["hmt-record", "hmt-mock"] {
            dir.program(program).args(["-o", url, "x"]).run().expect_code(2).expect_stderr(why);
        }
    }
    if cfg!(not(feature = "kafka-tls")) {
        let url = "kafka://b/t?security.protocol=sasl_ssl";
        let run = dir.program("hmt-record").args(["-o", url]).run();
        run.expect_code(2).expect_stderr("kafka-tls");
    }
    let record = dir.program("hmt-record").args(["-o", "kafka://b/t"]);
    let run = record.env("HMT_KAFKA_NO_SUCH", "x").run();
    run.expect_code(2).expect_stderr("HMT_KAFKA_NO_SUCH");
}
