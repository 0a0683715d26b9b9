//! Requests that were not recorded.

use serde_json::{Value, json};

use super::{WITH_BODY, line, serve};
use crate::harness::{Dir, Reply, Server, Upstream};

#[test]
fn a_request_that_was_never_answered_is_named() {
    let unanswered = json!({
        "meta": {"hmt": {"v": 1, "error": "connection refused"}},
        "request": {"method": "get", "protocol": "http", "host": "h.test", "path": "/dead"},
    });
    let truncated = json!({
        "meta": {"hmt": {"v": 1, "truncated": {"response": 99}}},
        "request": {"method": "get", "protocol": "http", "host": "h.test", "path": "/long"},
        "response": {"statusCode": 200, "body": "part"},
    });
    let (_dir, server) = serve(&[format!("{unanswered}\n{truncated}\n")], &[]);
    let detail = |path: &str| server.get(path).expect_status(404).json()["detail"].to_string();
    let dead = detail("/dead");
    assert!(
        dead.contains("h.test/dead was recorded") && dead.contains("connection refused"),
        "{dead}"
    );
    let long = detail("/long");
    assert!(long.contains("recorded incompletely"), "{long}");
}

#[test]
fn verbose_prints_a_line_for_each_request() {
    let (_dir, server) = serve(&[line("get", "h.test", "/x", "", 200, "a")], &["-v"]);
    server.get("/x").expect_status(200);
    server.request("POST", "/y").body("b").send().expect_status(404);
    server.request("GET", "/http://../x").send().expect_status(400);
    let stderr = String::from_utf8_lossy(&server.stop().expect_code(0).stderr).into_owned();
    for start in ["GET /x 200 recording ", "POST /y 404 miss ", "GET /http://../x 400 refused "] {
        let line = stderr.lines().find_map(|line| line.split_once(start));
        let (_, rest) = line.unwrap_or_else(|| panic!("no {start:?} in {stderr}"));
        assert!(rest.ends_with(" ms"), "{rest}");
    }
}

#[test]
fn a_miss_names_the_first_difference() {
    let lines = [
        line("get", "h.test", "/list?page=1&size=5", "", 200, ""),
        line("post", "h.test", "/form", "a=1&b=2", 200, ""),
    ];
    let (_dir, server) = serve(&lines, WITH_BODY);
    let detail = server.get("/list?page=2&size=5").expect_status(404).text();
    assert!(detail.contains("query parameter page"), "{detail}");
    let detail = server.request("POST", "/form").body("a=1&b=3").send().expect_status(404).text();
    assert!(detail.contains("form field b"), "{detail}");
}

#[test]
fn a_server_is_asked_for_what_was_not_recorded() {
    let upstream = Upstream::start(|request| {
        Reply::new(201, &[("X-From", "upstream")], format!("{} {}", request.method, request.target))
    });
    let on_miss = format!("{}/base", upstream.url());
    let (_dir, server) =
        serve(&[line("get", "h.test", "/x", "", 200, "recorded")], &["--on-miss", &on_miss]);
    assert_eq!(server.get("/x").text(), "recorded");
    let answer = server.request("POST", "/y?q=1").body("b").send().expect_status(201);
    assert_eq!(answer.text(), "POST /base/y?q=1");
    assert_eq!(answer.header("x-from"), Some("upstream"));
    server.stop().expect_code(0).expect_stderr("answered 1, missed 1, sent upstream 1");
    assert_eq!(upstream.received()[0].body, b"b");
}

#[test]
fn what_was_asked_can_be_recorded() {
    let upstream = Upstream::start(|_| Reply::json(200, &json!({"access_token": "S3cretS3cret"})));
    let on_miss = format!("record={}", upstream.url());
    let dir = Dir::new();
    dir.write("log.jsonl", line("get", "h.test", "/x", "", 200, "recorded"));
    let args = ["serve", "-p", "0", "--on-miss", &on_miss, "-o", "log.jsonl", "log.jsonl"];
    let server = Server::start(dir.program("hmt-replay").args(args));
    assert_eq!(server.get("/y").json()["access_token"], "S3cretS3cret");
    let log = dir.read("log.jsonl");
    assert_eq!(log.lines().count(), 2);
    let exchange: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(exchange["request"]["path"], "/y");
    assert!(!log.contains("S3cret"), "{log}");
    server.stop().expect_code(0);
    let server = Server::start(dir.program("hmt-replay").args(["serve", "-p", "0", "log.jsonl"]));
    server.get("/y").expect_status(200);
}

#[test]
fn recording_needs_a_place_and_an_upstream_may_be_dead() {
    let dir = Dir::new();
    dir.write("log.jsonl", line("get", "h.test", "/x", "", 200, ""));
    let run =
        |args: &[&str]| dir.program("hmt-replay").args(["serve", "log.jsonl"]).args(args).run();
    run(&["--on-miss", "record=http://127.0.0.1:1"]).expect_code(2).expect_stderr("--out");
    run(&["--on-miss", "http://127.0.0.1:1", "-o", "x.jsonl"]).expect_code(2);
    run(&["--on-miss", "127.0.0.1:1"]).expect_code(2).expect_stderr("http://");
    let (_dir, server) = serve(&[], &["--on-miss", "http://127.0.0.1:1"]);
    assert_eq!(server.get("/x").status, 502);
    server.stop().expect_stderr("127.0.0.1:1").expect_stderr("failed 1");
}

#[test]
fn an_exchange_that_cannot_be_recorded_is_not_answered_and_ends_with_1() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let upstream = Upstream::start(|_| Reply::new(200, &[], "from upstream"));
    let on_miss = format!("record={}", upstream.url());
    let (_dir, server) = serve(
        &[line("get", "h.test", "/x", "", 200, "recorded")],
        &["--on-miss", &on_miss, "-o", "/dev/full"],
    );
    for _ in 0..3 {
        let answer = server.get("/y");
        assert_eq!(answer.status, 500);
        assert!(!answer.text().contains("from upstream"), "{}", answer.text());
    }
    assert_eq!(server.get("/x").text(), "recorded");
    let run = server.stop().expect_code(1).expect_stderr("/dev/full");
    let run = run.expect_stderr("answered 1, missed 3, sent upstream 0, failed 3");
    assert_eq!(run.err().matches("could not be recorded").count(), 1, "{run}");
}

#[test]
fn a_folder_without_captures_ends_with_1() {
    let dir = Dir::new();
    dir.write("empty/notes.txt", "nothing");
    let run = dir.program("hmt-replay").args(["serve", "-p", "0", "empty"]).run().expect_code(1);
    run.expect_stderr("empty: this folder contains no captures");
}

#[test]
fn preflights_are_answered_for_what_was_recorded() {
    let lines = [line("put", "h.test", "/x", "{}", 200, "ok")];
    let (_dir, server) = serve(&lines, &[]);
    let preflight = |path: &str, method: &str| {
        let request = server.request("OPTIONS", path).header("Origin", "http://page.test");
        let request = request.header("Access-Control-Request-Headers", "content-type");
        request.header("Access-Control-Request-Method", method).send()
    };
    let answer = preflight("/x", "PUT").expect_status(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://page.test"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("PUT"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type"));
    assert_eq!(preflight("/x", "DELETE").status, 404);
    assert_eq!(preflight("/y", "PUT").status, 404);
    assert_eq!(server.request("OPTIONS", "/x").send().status, 404);
}

#[test]
fn the_first_bad_record_ends_a_strict_start() {
    let dir = Dir::new();
    dir.write("log.jsonl", format!("{}{{}}\n", line("get", "h.test", "/x", "", 200, "")));
    let run = dir.program("hmt-replay").args(["serve", "--strict", "-p", "0", "log.jsonl"]).run();
    run.expect_code(1).expect_stderr("log.jsonl:2: ");
}
