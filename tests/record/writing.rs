//! What is recorded, and when, and what happens if it cannot be.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use super::{parse, recorder, records};
use crate::harness::{Dir, Received, Reply, Upstream};

fn upstream() -> Upstream {
    Upstream::start(|request: &Received| Reply::json(200, &json!({"path": request.target})))
}

#[test]
fn patterns_choose_what_is_recorded() {
    let (dir, upstream) = (Dir::new(), upstream());
    let args = ["-t", &upstream.url(), "--include", "* */api/*", "--exclude", "get */health"];
    let recorder = recorder(&dir, &args);
    for (method, path) in
        [("GET", "/api/pets?q=1"), ("GET", "/api/health"), ("POST", "/api/health"), ("GET", "/x")]
    {
        recorder.request(method, path).body("b").send().expect_status(200);
    }
    let run = recorder.stop().expect_code(0);
    let run = run.expect_stderr("seen 4, written 2, dropped 2 (excluded)");
    let records = parse(&run.out());
    assert_eq!(records[0]["request"]["path"], "/api/pets?q=1");
    assert_eq!(records[1]["request"]["method"], "post");
    assert_eq!(upstream.received().len(), 4);
}

#[test]
fn contradictions_to_a_spec_stand_in_the_record() {
    let (dir, upstream) = (Dir::new(), upstream());
    let spec = json!({
        "openapi": "3.0.3", "info": {"title": "t", "version": "1"},
        "paths": {"/pets": {"get": {"responses": {"200": {"description": "", "content": {
            "application/json": {"schema": {"type": "object", "required": ["id"],
                "properties": {"path": {"type": "integer"}}}}}}}}}},
    });
    dir.write("spec.json", spec.to_string());
    let recorder = recorder(&dir, &["-t", &upstream.url(), "--spec", "spec.json"]);
    recorder.get("/pets").expect_status(200);
    recorder.get("/other").expect_status(200);
    let run = recorder.stop().expect_code(0);
    let run = run.expect_stderr("2 exchanges violate the spec: 2 errors, 1 undocumented");
    let run = run.expect_stderr("GET 127.0.0.1");
    let records = parse(&run.out());
    let texts = |record: &serde_json::Value| record["meta"]["hmt"]["violations"].to_string();
    assert!(
        texts(&records[0]).contains("error: response.body#/path is not of type integer"),
        "{}",
        records[0]
    );
    assert!(texts(&records[0]).contains("lacks the required property"));
    let unknown = "undocumented: request.path is not in the spec";
    assert!(texts(&records[1]).contains(unknown), "{}", records[1]);
    let missing = dir.program("hmt-record").args(["--spec", "none.yaml"]).run();
    missing.expect_code(1).expect_stderr("none.yaml");
}

#[test]
fn every_level_of_durability_writes_everything() {
    for level in ["kernel", "fsync", "buffered"] {
        let (dir, upstream) = (Dir::new(), upstream());
        let args = ["-t", &upstream.url(), "-o", "o.jsonl", "-l", "logs", "--durable", level];
        let recorder = recorder(&dir, &args);
        for number in 0..5 {
            recorder.get(&format!("/{number}")).expect_status(200);
            if level != "buffered" {
                assert_eq!(parse(&dir.read("o.jsonl")).len(), number + 1, "{level}");
            }
        }
        recorder.stop().expect_code(0).expect_stderr("seen 5, written 5, dropped 0");
        assert_eq!(parse(&dir.read("o.jsonl")).len(), 5);
        assert_eq!(parse(&dir.read(&format!("logs/{}", dir.list("logs")[0]))).len(), 5);
    }
}

#[test]
fn logs_are_put_aside() {
    let (dir, upstream) = (Dir::new(), upstream());
    let args = ["-t", &upstream.url(), "-l", "logs", "--rotate-size", "1k"];
    let recorder = recorder(&dir, &args);
    for number in 0..9 {
        recorder.get(&format!("/{number}")).expect_status(200);
    }
    recorder.stop().expect_code(0).expect_stderr("seen 9, written 9, dropped 0");
    let logs = dir.list("logs");
    assert!(logs.len() > 2, "{logs:?}");
    let all: String = logs.iter().map(|name| dir.read(&format!("logs/{name}"))).collect();
    let paths: Vec<String> = parse(&all)
        .iter()
        .map(|record| record["request"]["path"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = (0..9).map(|number| format!("/{number}")).collect();
    assert_eq!(paths, expected, "in the order of the names");
    // The folder can still be read as one source.
    let built = dir.program("hmt-build").arg("logs/").run().expect_code(0);
    assert!(built.out().contains("openapi"));
}

#[test]
fn a_broken_sink_can_be_borne() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let (dir, upstream) = (Dir::new(), upstream());
    let args = ["-t", &upstream.url(), "-o", "/dev/full", "--on-sink-error", "drop"];
    let recorder = recorder(&dir, &args);
    for _ in 0..3 {
        recorder.get("/").expect_status(200);
    }
    let run = recorder.stop().expect_code(1);
    run.expect_stderr("seen 3, written 0, dropped 3 (write failed)").expect_stderr("No space left");
}

#[test]
fn nobody_waits_for_a_reader_where_records_may_be_dropped() {
    let dir = Dir::new();
    let long = "x".repeat(1 << 20);
    let upstream = Upstream::start(move |_| Reply::new(200, &[], &long));
    let fifo = std::process::Command::new("mkfifo").arg(dir.join("fifo.jsonl")).status().unwrap();
    assert!(fifo.success());
    // Open at both ends, so that the recorder can open it, but never read.
    let path = dir.join("fifo.jsonl");
    let _reader = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let args = ["-t", &upstream.url(), "-o", "fifo.jsonl", "--grace", "10ms"];
    let recorder = recorder(&dir, &[args.as_slice(), &["--on-backpressure", "drop"]].concat());
    for _ in 0..40 {
        recorder.get("/").expect_status(200);
    }
    // Records that are still queued then are lost, and counted.
    let run = recorder.stop().expect_code(1);
    run.expect_stderr("seen 40, written 0, dropped 40 (destination too slow)");
}

#[test]
fn the_body_is_asked_for_where_the_client_waits_for_that() {
    let (dir, upstream) =
        (Dir::new(), Upstream::start(|request| Reply::new(200, &[], &request.body)));
    let recorder = recorder(&dir, &["-t", &upstream.url()]);
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    let head = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut go = [0; 25];
    stream.read_exact(&mut go).unwrap();
    assert_eq!(&go, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nbody"), "{answer}");
    assert_eq!(records(recorder)[0]["request"]["body"], "body");
}
