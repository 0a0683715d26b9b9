//! `-d`, `stop` and `status`.

use super::line;
use crate::harness::{Dir, Request, Run};

fn run(dir: &Dir, args: &[&str]) -> Run {
    dir.program("hmt-replay").arg("serve").args(args).run()
}

#[test]
fn a_replay_in_the_background() {
    let dir = Dir::new();
    dir.write("log.jsonl", line("get", "h.test", "/x", "", 200, "ok"));
    run(&dir, &["status"]).expect_code(3);
    run(&dir, &["stop"]).expect_code(3);
    run(&dir, &["-d", "-"]).expect_code(2).expect_stderr("standard input");
    let said = run(&dir, &["-d", "-p", "0", "log.jsonl"]).expect_code(0).err();
    let url = said.lines().find_map(|line| line.strip_prefix("listening on ")).unwrap().to_owned();
    let port = url.rsplit(':').next().unwrap();
    assert_eq!(Request::new("GET", &format!("{url}/x")).send().text(), "ok");
    run(&dir, &["status"]).expect_code(0).expect_stdout(&format!("on port {port} as process"));
    run(&dir, &["status", "-p", "1"]).expect_code(3);
    run(&dir, &["-d", "-p", port, "log.jsonl"]).expect_code(1).expect_stderr("-p/--port");
    run(&dir, &["stop", "-p", port]).expect_code(0);
    run(&dir, &["status"]).expect_code(3);
}
