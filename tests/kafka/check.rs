//! Compares topics with a spec, and sends the requests of topics again.

use std::fs;

use super::Cluster;
use crate::harness::{Dir, Reply, Upstream, fixture};

#[test]
fn a_topic_is_compared_with_a_spec() {
    let dir = Dir::new();
    let shop = fs::read_to_string(fixture("recordings/shop.jsonl")).unwrap();
    dir.write("shop.jsonl", &shop);
    let spec = dir.program("hmt-build").args(["-f", "json", "shop.jsonl"]).run().expect_code(0);
    dir.write("spec.json", spec.out());
    let clusters = [Some(("", Cluster::start(2)))];
    let real = Cluster::real(2).map(|real| ("&group=checked", real));
    for (query, cluster) in clusters.into_iter().flatten().chain(real) {
        let lines = shop.lines().enumerate();
        cluster.fill(lines.map(|(number, line)| (number as i32 % 2, line)));
        let url = cluster.url(&format!("until=end{query}"));
        let check = |source: &str| {
            let args = ["--check", "spec.json", "--report", "json", source];
            dir.program("hmt-build").args(args).run()
        };
        let (topic, file) = (check(&url).expect_code(0), check("shop.jsonl").expect_code(0));
        assert_eq!(topic.json()["operations"], file.json()["operations"]);
        assert_eq!(topic.json()["exchanges"], shop.lines().count());
        // A deviation is reported with its offset.
        let wrong = r#"{"request":{"method":"get","protocol":"http","host":"h","path":"/nowhere"},"response":{"statusCode":200,"body":"x"}}"#;
        cluster.fill([(0, wrong)].into_iter());
        let args = ["--check", "spec.json", "--fail-on", "undocumented", &url];
        let run = dir.program("hmt-build").args(args).run().expect_code(1);
        run.expect_stdout("/0@");
    }
}

#[test]
fn the_requests_of_a_topic_are_sent() {
    let (dir, cluster) = (Dir::new(), Cluster::start(1));
    let line = |number: u32| {
        format!(
            r#"{{"request":{{"method":"get","protocol":"http","host":"h","path":"/{number}"}},"response":{{"statusCode":200}}}}"#
        )
    };
    let lines: Vec<String> = (0..3).map(line).collect();
    cluster.fill(lines.iter().map(|line| (0, line.as_str())));
    let upstream = Upstream::start(|_| Reply::new(200, &[], "new"));
    let url = cluster.url("from=beginning");
    let program = dir.program("hmt-replay").args(["send", &url, "-t", &upstream.url()]);
    let run = program.run().expect_code(0).expect_stderr("sent 3, skipped 0, failed 0");
    assert_eq!(run.out().lines().count(), 3);
    let targets: Vec<String> = upstream.received().into_iter().map(|r| r.target).collect();
    assert_eq!(targets, ["/0", "/1", "/2"]);
}
