//! HAR as a sink: of the recorder, of `import`, and of the mock.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{parse, recorder};
use crate::harness::{Dir, Reply, Server, Upstream};

/// The entries of an archive, which is complete after each one.
fn entries(dir: &Dir, name: &str) -> Vec<Value> {
    let har: Value = serde_json::from_slice(&dir.read_bytes(name)).unwrap();
    har["log"]["entries"].as_array().unwrap().clone()
}

/// Waits until the archive has this many.
#[track_caller]
fn wait_entries(dir: &Dir, name: &str, count: usize) {
    let start = Instant::now();
    while entries(dir, name).len() < count {
        assert!(start.elapsed() < Duration::from_secs(60), "{}", dir.read(name));
        thread::sleep(Duration::from_millis(20));
    }
}

/// The common content of an exchange in both formats.
fn essence(record: &Value) -> Value {
    let (request, response) = (&record["request"], &record["response"]);
    json!([
        request["method"],
        request["host"],
        request["path"],
        request["query"],
        request["body"],
        request["headers"],
        response["statusCode"],
        response["body"],
        response["headers"],
        record["meta"]["hmt"]["responseBodyBase64"],
    ])
}

#[test]
fn the_recorder_writes_archives_that_are_always_whole() {
    let upstream = Upstream::start(|request| match request.target.as_str() {
        "/logo" => Reply::new(200, &[("Content-Type", "image/png")], b"\x89PNG\xff\x00"),
        _ => Reply::new(
            201,
            &[("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")],
            r#"{"id":1,"name":"é"}"#,
        ),
    });
    let dir = Dir::new();
    let url = upstream.url();
    let server = recorder(&dir, &["-t", &url, "-o", "x.har", "-o", "x.jsonl"]);
    for (number, path) in ["/pets?a=1&b=%20x", "/logo", "/pets/2"].into_iter().enumerate() {
        server.get(path);
        wait_entries(&dir, "x.har", number + 1);
    }
    server.request("POST", "/pets").json(&json!({"name": "x"})).send();
    server.stop().expect_code(0);
    assert_eq!(entries(&dir, "x.har").len(), 4);
    let read = |name: &str| {
        let run = dir.program("hmt-record").args(["import", "--keep-secrets", name]).run();
        parse(&run.expect_code(0).out()).iter().map(essence).collect::<Vec<Value>>()
    };
    assert_eq!(read("x.har"), read("x.jsonl"));
    // An existing archive is continued.
    dir.program("hmt-record").args(["import", "x.jsonl", "-o", "x.har"]).run().expect_code(0);
    assert_eq!(entries(&dir, "x.har").len(), 8);
}

#[test]
fn the_mock_writes_archives_too() {
    let dir = Dir::new();
    dir.write(
        "spec.yaml",
        "openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /pets:
    get:
      responses: {'200': {description: d, content: {application/json: {schema: {type: array, items: {type: integer}}}}}}
",
    );
    let mock = dir.program("hmt-mock").args(["spec.yaml", "-p", "0", "--no-admin", "-o", "m.har"]);
    let mock = Server::start(mock);
    let answer = mock.get("/pets?x=1").expect_status(200).text();
    mock.stop().expect_code(0);
    let run = dir.program("hmt-record").args(["import", "m.har"]).run().expect_code(0);
    let records = parse(&run.out());
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["request"]["path"], "/pets?x=1");
    assert_eq!(records[0]["response"]["body"], answer);
}

#[test]
fn other_packers_are_no_sinks() {
    let dir = Dir::new();
    dir.write("a.jsonl", "{\"request\":{\"method\":\"get\",\"path\":\"/\"}}\n");
    for name in ["x.jsonl.bz2", "x.zip", "x.har.zip", "x.jsonl.xz"] {
        let run = dir.program("hmt-record").args(["import", "a.jsonl", "-o", name]).run();
        let run = run.expect_code(2).expect_no_stdout();
        assert!(!dir.exists(name), "{run}");
        let args = ["-p", "0", "-t", "http://127.0.0.1:9", "-o", name];
        dir.program("hmt-record").args(args).run().expect_code(2);
    }
}
