//! `hmt-record import`.

use serde_json::json;

use super::parse;
use crate::harness::Dir;

const LINE: &str = r#"{"request":{"method":"get","host":"a.test","path":"/x?token=s3cr3t","headers":{"Authorization":"Bearer s3cr3t"}},"response":{"statusCode":200,"body":"{}"}}"#;

#[test]
fn recordings_are_scrubbed() {
    let dir = Dir::new();
    dir.write("old.jsonl", format!("{LINE}\n{LINE}\n"));
    let run = dir.program("hmt-record").args(["import", "old.jsonl"]).run().expect_code(0);
    let records = parse(&run.out());
    assert_eq!(records.len(), 2);
    assert!(!run.out().contains("s3cr3t"));
    let value = records[0]["request"]["headers"]["authorization"].as_str().unwrap();
    assert!(value.starts_with("Bearer hmt~"));
    assert_eq!(records[0]["request"]["headers"], records[1]["request"]["headers"]);
    assert_eq!(
        records[0]["meta"]["hmt"]["redacted"],
        json!(["request.header.authorization", "request.query.token"])
    );
    // Replaced values stay as they are.
    let again = dir.program("hmt-record").args(["import", "-"]).stdin(run.stdout.clone()).run();
    assert_eq!(again.expect_code(0).stdout, run.stdout);
}

#[test]
fn rejected_lines_are_named() {
    let dir = Dir::new();
    dir.write(
        "some.jsonl",
        format!("{LINE}\nno json\n{{\"request\":{{\"method\":\"brew\"}}}}\n{LINE}\n"),
    );
    let import = |args: &[&str]| dir.program("hmt-record").arg("import").args(args).run();
    let run = import(&["some.jsonl", "-l", "logs"]).expect_code(3).expect_no_stdout();
    let run = run.expect_stderr("some.jsonl:2: ").expect_stderr("some.jsonl:3: ");
    run.expect_stderr("2 of 4 records rejected");
    assert_eq!(dir.list("logs"), ["a.test-recordings.jsonl"]);
    assert_eq!(parse(&dir.read("logs/a.test-recordings.jsonl")).len(), 2);

    import(&["some.jsonl", "--strict"]).expect_code(1);
    dir.write("bad.jsonl", "no json\n");
    import(&["bad.jsonl"]).expect_code(1).expect_no_stdout();
    dir.write("none.jsonl", "");
    import(&["none.jsonl"]).expect_code(0).expect_no_stdout();
    import(&["missing.jsonl"]).expect_code(1).expect_stderr("missing.jsonl");
    import(&["some.jsonl", "-o", "some.jsonl"])
        .expect_code(2)
        .expect_stderr("both an input and the output");
}

#[test]
fn a_har_becomes_records() {
    let dir = Dir::new();
    let entry = json!({
        "startedDateTime": "2026-01-02T03:04:05.678Z",
        "time": 5,
        "request": {
            "method": "GET", "url": "https://a.test/pets?x=1", "httpVersion": "HTTP/1.1",
            "headers": [{"name": "Accept", "value": "*/*"}], "queryString": [], "cookies": [],
            "headersSize": -1, "bodySize": 0
        },
        "response": {
            "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": 2, "mimeType": "application/json", "text": "[]"},
            "redirectURL": "", "headersSize": -1, "bodySize": 2
        },
        "cache": {}, "timings": {"send": 1, "wait": 2, "receive": 2}
    });
    let har = json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [entry]}});
    dir.write("session.har", har.to_string());
    let args = ["import", "session.har", "-o", "api.jsonl.zst"];
    dir.program("hmt-record").args(args).run().expect_code(0);
    let lines = zstd::decode_all(dir.read_bytes("api.jsonl.zst").as_slice()).unwrap();
    let records = parse(std::str::from_utf8(&lines).unwrap());
    assert_eq!(records[0]["request"]["host"], "a.test");
    assert_eq!(records[0]["request"]["protocol"], "https");
    assert_eq!(records[0]["response"]["body"], "[]");
}
