//! `-d`, `stop` and `status`.

use std::os::unix::fs::symlink;

use serde_json::json;

use super::parse;
use crate::harness::{Dir, Reply, Request, Run, Upstream};

fn run(dir: &Dir, args: &[&str]) -> Run {
    dir.program("hmt-record").args(args).run()
}

/// Starts one; returns its address and port.
fn start(dir: &Dir, args: &[&str]) -> (String, String) {
    let run = run(dir, &[["-d", "-p", "0"].as_slice(), args].concat()).expect_code(0);
    let said = run.err();
    let url = said.lines().find_map(|line| line.strip_prefix("listening on ")).unwrap().to_owned();
    let port = url.rsplit(':').next().unwrap().to_owned();
    (url, port)
}

#[test]
fn a_recorder_in_the_background() {
    let dir = Dir::new();
    let upstream = Upstream::start(|_| Reply::json(200, &json!({})));
    run(&dir, &["status"]).expect_code(3);
    run(&dir, &["stop"]).expect_code(3);
    run(&dir, &["-d"]).expect_code(2).expect_stderr("-o or -l");
    let (url, port) = start(&dir, &["-t", &upstream.url(), "-o", "a.jsonl"]);
    Request::new("GET", &format!("{url}/x")).send().expect_status(200);
    run(&dir, &["status"]).expect_code(0).expect_stdout(&format!("on port {port} as process"));
    run(&dir, &["status", "-p", "1"]).expect_code(3);
    // The port is taken, which the process called with -d reports.
    let taken = run(&dir, &["-d", "-p", &port, "-o", "b.jsonl"]).expect_code(1);
    taken.expect_stderr("-p/--port");

    let (_, second) = start(&dir, &["-o", "b.jsonl"]);
    run(&dir, &["status"]).expect_code(2).expect_stderr(&port).expect_stderr(&second);
    run(&dir, &["stop", "-p", &second]).expect_code(0);
    run(&dir, &["stop"]).expect_code(0);
    run(&dir, &["status"]).expect_code(3);
    assert_eq!(parse(&dir.read("a.jsonl")).len(), 1);
    assert!(!dir.list("run/hmt").iter().any(|name| name.ends_with(".pid")));
    let logs: String =
        dir.list("run/hmt").iter().map(|name| dir.read(&format!("run/hmt/{name}"))).collect();
    assert!(logs.contains("seen 0, written 0, dropped 0") && logs.contains("seen 1, written 1"));
}

#[test]
fn pid_files_name_nobody_else() {
    let dir = Dir::new();
    let (_, port) = start(&dir, &["-o", "a.jsonl"]);
    let file = format!("run/hmt/hmt-record-{port}.pid");
    let real = dir.read(&file);
    // A file that nobody locks, although its process runs.
    dir.write("run/hmt/hmt-record-1.pid", &real);
    run(&dir, &["stop", "-p", "1"]).expect_code(3);
    // The right file with the number of another process: this test.
    let start = real.split(' ').nth(1).unwrap();
    std::fs::write(dir.join(&file), format!("{} {start}", std::process::id())).unwrap();
    run(&dir, &["stop"]).expect_code(3);
    std::fs::write(dir.join(&file), &real).unwrap();
    run(&dir, &["stop"]).expect_code(0);

    // A symbolic link to somebody's file.
    dir.write("victim", "kept");
    symlink(dir.join("victim"), dir.join("run/hmt/hmt-record-9.log")).unwrap();
    run(&dir, &["-d", "-p", "9", "-o", "a.jsonl"]).expect_code(1).expect_stderr("hmt-record-9.log");
    assert_eq!(dir.read("victim"), "kept");
}
