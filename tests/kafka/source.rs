//! Tests of topics as sources.

use std::fs;

use super::Cluster;
use crate::harness::{Dir, Server, fixture};

fn shop() -> String {
    fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap()
}

/// The output of one run over a file.
fn of_file(dir: &Dir, lines: &str) -> String {
    dir.program("hmt-build").arg("-").stdin(lines).run().expect_code(0).out()
}

#[test]
fn a_topic_gives_what_a_file_gives() {
    let (dir, cluster, shop) = (Dir::new(), Cluster::start(3), shop());
    cluster.fill(shop.lines().enumerate().map(|(n, line)| (n as i32 % 3, line)));
    for threads in ["1", "3"] {
        let build = dir.program("hmt-build").args(["--threads", threads]);
        let run = build.arg(cluster.url("until=end")).run();
        assert_eq!(run.expect_code(0).out(), of_file(&dir, &shop));
    }
    let (broker, topic) = (cluster.broker(), ["--kafka-topic", "t"]);
    let old = ["--source", "kafka", "--kafka-broker", &broker];
    let builder =
        Server::spawn(dir.program("hmt-build").args(old).args(topic).args(["-o", "x.yaml"]));
    builder.wait_stderr("until SIGTERM");
    // A signal ends an endless run; the spec has everything up to then.
    builder.wait_stderr("waiting for more");
    builder.signal("INT");
    builder.end().expect_code(0);
    assert_eq!(dir.read("x.yaml"), of_file(&dir, &shop));
}

#[test]
fn partials_of_topics_tell_what_they_were_made_of() {
    let (dir, cluster, shop) = (Dir::new(), Cluster::start(2), shop());
    cluster.fill(shop.lines().enumerate().map(|(n, line)| (n as i32 % 2, line)));
    let partial = || dir.program("hmt-build").args(["--partial", &cluster.url("until=end")]).run();
    let line = partial().expect_code(0).json();
    let ends: Vec<_> = line["inputs"].as_object().unwrap().values().collect();
    let half = shop.lines().count() as u64 / 2;
    assert_eq!(
        ends,
        [
            &serde_json::json!([[0, shop.lines().count() as u64 - half]]),
            &serde_json::json!([[0, half]])
        ]
    );
    dir.write("a.partial.json", partial().out());
    dir.write("b.partial.json", partial().out());
    let merge = |args: &[&str]| dir.program("hmt-merge").args(args).run();
    assert_eq!(merge(&["a.partial.json"]).expect_code(0).out(), of_file(&dir, &shop));
    merge(&["a.partial.json", "b.partial.json"]).expect_code(1).expect_stderr("/t/0 0-");
}

#[test]
fn a_spec_is_verified_by_the_same_offsets() {
    let (dir, shop) = (Dir::new(), shop());
    let count = shop.lines().count();
    let all = format!("all {count} exchanges conform to the spec");
    let mock = Some(("", Cluster::start(3)));
    let real = Cluster::real(3).map(|real| ("&group=verified", real));
    for (query, cluster) in mock.into_iter().chain(real) {
        cluster.fill(shop.lines().enumerate().map(|(n, line)| (n as i32 % 3, line)));
        let url = cluster.url(&format!("until=end{query}"));
        let run =
            |args: &[&str]| dir.program("hmt-build").arg("--verify").args(args).arg(&url).run();
        assert_eq!(run(&[]).expect_code(0).expect_stderr(&all).out(), of_file(&dir, &shop));
        // With a state, the spec contains everything that was ever read, and is checked against all
        // of it.
        for _ in 0..2 {
            run(&["--state", "s"]).expect_code(0).expect_stderr(&all);
        }
        fs::remove_file(dir.join("s")).unwrap();
    }
    // A topic with one partition and without a state is verified too, with its recordings.
    let cluster = Cluster::start(1);
    cluster.fill(shop.lines().map(|line| (0, line)));
    let url = cluster.url("until=end");
    let build = |args: &[&str]| dir.program("hmt-build").args(args).arg(&url).run();
    build(&["--verify", "--mode", "mixed"]).expect_code(0).expect_stderr(&all);
    // Files that are read together with a topic are verified too.
    dir.write("x.jsonl", &shop);
    let both = dir.program("hmt-build").args(["--verify", "x.jsonl", &url]).run();
    both.expect_code(0).expect_stderr(&format!("all {} exchanges", 2 * count));
}

#[test]
fn bad_messages_are_named_by_their_offset() {
    let (dir, cluster, shop) = (Dir::new(), Cluster::start(2), shop());
    let first = shop.lines().next().unwrap();
    cluster.fill([(1, first), (1, "{\"request\":"), (1, ""), (1, first), (0, "[]")].into_iter());
    let run = dir.program("hmt-build").arg(cluster.url("until=end")).run().expect_code(3);
    run.expect_stderr("t/1@1: ").expect_stderr("t/0@0: ").expect_stderr("2 of 4 records rejected");
}

#[test]
fn a_topic_is_taken_over_into_a_file_and_replayed() {
    let (dir, cluster, shop) = (Dir::new(), Cluster::start(1), shop());
    cluster.fill(shop.lines().map(|line| (0, line)));
    let import = ["import", &cluster.url("until=end"), "--keep-secrets", "-o", "x.jsonl"];
    dir.program("hmt-record").args(import).run().expect_code(0);
    assert_eq!(of_file(&dir, &dir.read("x.jsonl")), of_file(&dir, &shop));
    let serve = ["serve", "-p", "0", &cluster.url("")];
    let server = Server::start(dir.program("hmt-replay").args(serve));
    server.stop().expect_code(0);
}

#[test]
fn a_topic_is_not_taken_over_into_itself() {
    let (dir, cluster, shop) = (Dir::new(), Cluster::start(1), shop());
    cluster.fill(shop.lines().map(|line| (0, line)));
    let source = cluster.url("until=end");
    let import = |out: &str| {
        let args = ["import", &source, "--redact-key", "key", "--out", out];
        dir.program("hmt-record").args(args).run()
    };
    // A broker with another name is compared by the id of its cluster.
    let port = cluster.broker().rsplit(':').next().unwrap().to_owned();
    for broker in [cluster.broker(), format!("localhost:{port}"), format!("127.1:{port}")] {
        let run = import(&format!("kafka://{broker}/t"));
        run.expect_code(2).expect_stderr("both an input and the output").expect_no_stdout();
    }
    assert_eq!(cluster.messages().len(), shop.lines().count());
    let other = Cluster::start(1);
    import(&other.url("")).expect_code(0);
    assert_eq!(other.messages().len(), shop.lines().count());
}

#[test]
fn what_cannot_be_read_is_told() {
    let (dir, cluster) = (Dir::new(), Cluster::start(1));
    let run = |url: &str| dir.program("hmt-build").arg(url).run();
    let none = format!("kafka://{}/none?until=end&patience=1s", cluster.broker());
    run(&none).expect_code(1).expect_stderr("/none: there is no such topic").expect_no_stdout();
    // Nobody listens on the discard port.
    let dead = "kafka://127.0.0.1:9/t?until=end&patience=1s";
    run(dead).expect_code(1).expect_stderr("no broker responds").expect_no_stdout();
    run(&cluster.url("until=end")).expect_code(0).expect_stdout("paths: {}");
}

#[test]
fn a_broker_that_is_away_for_a_while_is_waited_for() {
    let (dir, cluster, shop) = (Dir::new(), Cluster::start(1), shop());
    cluster.fill(shop.lines().map(|line| (0, line)));
    cluster.down();
    let builder =
        Server::spawn(dir.program("hmt-build").args([&cluster.url("until=end"), "-o", "x.yaml"]));
    builder.wait_stderr("no broker responds; waiting for it");
    cluster.up();
    builder.end().expect_code(0);
    assert_eq!(dir.read("x.yaml"), of_file(&dir, &shop));
}
