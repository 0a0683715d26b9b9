//! Compares new responses with the recorded ones.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::carry::recorded_shopping;
use super::send::{send, write};
use crate::harness::{Dir, Program, Received, Reply, Server, Upstream, shared};

/// An API with an id that is new in each answer. `changed` has another price, another order of
/// items, and a slow route.
fn api(changed: bool) -> Upstream {
    let counter = Mutex::new(0_u64);
    Upstream::start(move |request: &Received| {
        let mut counter = counter.lock().unwrap();
        *counter += 1;
        let uuid = format!("7d444840-9dc0-11d1-b245-{:012x}", *counter * 7919 + u64::from(changed));
        match request.target.as_str() {
            "/product" => {
                let price = if changed { 12 } else { 10 };
                Reply::json(200, &json!({"name": "Kettle", "price": price, "tags": ["a"]}))
            }
            "/ticket" => {
                let ticket = json!({"id": *counter * 10 + u64::from(changed), "queue": 1});
                Reply::json(200, &ticket)
            }
            "/trace" => Reply::json(200, &json!({"requestId": uuid, "ok": true})),
            "/items" => {
                let mut items = vec![json!({"id": 1, "n": "a"}), json!({"id": 2, "n": "b"})];
                if changed {
                    items.reverse();
                }
                Reply::json(200, &json!({"items": items}))
            }
            "/slow" => {
                if changed {
                    drop(counter);
                    std::thread::sleep(Duration::from_millis(400));
                }
                Reply::new(200, &[("Content-Type", "text/plain")], "slow\n")
            }
            _ => Reply::new(404, &[], ""),
        }
    })
}

const PATHS: [&str; 6] = ["/product", "/ticket", "/trace", "/items", "/slow", "/none"];

/// A recording of these paths.
fn record(dir: &Dir, upstream: &Upstream, paths: &[&str]) {
    let recorder = dir.program("hmt-record").args(["-p", "0", "-o", "log.jsonl", "--target"]);
    let recorder = Server::start(recorder.arg(upstream.url()));
    for path in paths {
        recorder.get(path);
    }
    recorder.stop().expect_code(0);
}

fn diff(dir: &Dir, upstream: &Upstream) -> Program {
    send(dir, upstream).args(["--diff", "-o", "new.jsonl"])
}

#[test]
fn a_change_is_named_and_new_ids_are_not() {
    let dir = Dir::new();
    record(&dir, &api(false), &PATHS);
    let same = diff(&dir, &api(false)).run().expect_code(0);
    same.expect_stderr("6 exchanges compared: 0 differences in 0 exchanges")
        .expect_stderr("sent 6, skipped 0, failed 0, differences 0");
    let run = diff(&dir, &api(true)).run().expect_code(1);
    let run = run
        .expect_stderr(
            "GET /product\n  difference: response.body#/price recorded 10, now 12 (value)",
        )
        .expect_stderr("log.jsonl:1")
        .expect_stderr("1 difference in 1 exchange")
        .expect_stderr("slower than recorded: GET /slow: ")
        .expect_stderr("differences 1")
        .expect_no_stdout();
    let text = run.err();
    for unchanged in ["/ticket", "/trace", "/items", "/none"] {
        assert!(!text.contains(&format!("GET {unchanged}")), "{unchanged}: {text}");
    }
    assert_eq!(dir.read("new.jsonl").lines().count(), 12);
}

#[test]
fn differences_can_be_ignored() {
    let dir = Dir::new();
    record(&dir, &api(false), &PATHS);
    let changed = api(true);
    diff(&dir, &changed).args(["--ignore", "json:/price"]).run().expect_code(0);
    diff(&dir, &changed).args(["--ignore", "json:/name"]).run().expect_code(1);
    for wrong in ["json:price", "credentials", "body"] {
        diff(&dir, &changed).args(["--ignore", wrong]).run().expect_code(2);
    }
    send(&dir, &changed).args(["--ignore", "json:/price"]).run().expect_code(2);
}

#[test]
fn a_login_flow_has_no_differences() {
    for flags in [&["--keep-secrets"][..], &[]] {
        let dir = Dir::new();
        let upstream = recorded_shopping(&dir, 3, flags);
        for concurrency in ["1", "8"] {
            let run = diff(&dir, &upstream).args(["--unsafe-methods", "-c", concurrency]).run();
            run.expect_code(0).expect_stderr("21 exchanges compared: 0 differences");
        }
    }
}

#[test]
fn reports_are_files_or_streams() {
    let dir = Dir::new();
    record(&dir, &api(false), &PATHS);
    let upstream = api(true);
    let run = diff(&dir, &upstream)
        .args(["--report", "json", "--report", "junit=r.xml", "--report", "html=r.html"])
        .run()
        .expect_code(1);
    let report = run.json();
    assert_eq!(report["exchanges"], 6);
    let differences = report["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{report}");
    let first = &differences[0];
    assert_eq!(first["place"], "response.body#/price");
    assert_eq!(first["rule"], "value");
    assert_eq!((&first["method"], &first["path"]), (&json!("GET"), &json!("/product")));
    assert_eq!(first["examples"], json!(["log.jsonl:1"]));
    assert_eq!(report["slower"][0]["operation"], "GET /slow");
    assert!(dir.read("r.xml").contains("<failure type=\"value\""));
    let page = dir.read("r.html");
    assert!(page.contains("recorded 10, now 12") && !page.contains("<script"));
    assert!(!run.err().contains("response.body#/price"), "no text report was asked for");
    let to = |args: &[&str]| send(&dir, &upstream).arg("--diff").args(args).run();
    to(&["--report", "json"]).expect_code(2).expect_stderr("standard output");
    let two = ["--report", "json", "--report", "html", "-o", "n.jsonl"];
    to(&two).expect_code(2).expect_stderr("only one --report");
    to(&["--report", "sarif=x", "-o", "n.jsonl"]).expect_code(2);
    let text = to(&["--report", "text=r.txt"]).expect_code(1);
    assert_eq!(text.out().lines().count(), 6, "the new exchanges");
    assert!(dir.read("r.txt").contains("recorded 10, now 12"));
}

#[test]
fn hostile_values_are_escaped() {
    let dir = Dir::new();
    let line = |body: &str| {
        json!({"request": {"method": "get", "protocol": "http", "host": "h.test", "path": "/<b>"},
            "response": {"statusCode": 200, "body": body}})
    };
    write(&dir, &[line("</script><script>alert(1)</script>\u{1b}[31m")]);
    let upstream = Upstream::start(|_| Reply::new(200, &[], "<img src=x onerror=alert(2)>"));
    let run = diff(&dir, &upstream).args(["--report", "html=r.html", "--report", "text"]).run();
    let page = dir.read("r.html");
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(!run.err().contains('\u{1b}'));
    run.expect_code(1);
}

/// A server whose answers hold the number of the request.
fn counting() -> Upstream {
    let counter = Mutex::new(0);
    Upstream::start(move |request: &Received| {
        let mut counter = counter.lock().unwrap();
        *counter += 1;
        let n = *counter;
        let headers = [("X-Count", n.to_string()), ("Content-Type", "application/json".to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let list = json!([{"views": n, "name": "a"}, {"views": n + 1, "name": "b"}]);
        match request.method.as_str() {
            "GET" => Reply::new(200, &headers, json!({"list": list}).to_string()),
            _ => Reply::new(200, &headers, json!({"n": n}).to_string()),
        }
    })
}

#[test]
fn what_varies_between_equal_requests_is_learned() {
    let dir = Dir::new();
    let upstream = counting();
    record(&dir, &upstream, &["/things/7", "/things/7", "/things/8"]);
    diff(&dir, &upstream).run().expect_code(1).expect_stderr("/things/{id}");
    dir.write("rules.txt", "# mine\nheader:x-own  # kept\n");
    let learn = |dir: &Dir| diff(dir, &upstream).args(["--learn-ignore", "rules.txt"]);
    let run = learn(&dir).run().expect_code(0).expect_stderr("2 rules learned: rules.txt");
    run.expect_stderr("differences at places that learned rules ignore");
    let rules = dir.read("rules.txt");
    assert!(rules.starts_with("# mine\nheader:x-own  # kept\n"), "{rules}");
    assert!(
        rules.contains("\nGET /things/* json:/list/*/views  # varies: log.jsonl:1 and log.jsonl:2")
    );
    assert!(rules.contains("\nGET /things/* header:x-count  # varies: "), "{rules}");
    learn(&dir).run().expect_code(0);
    assert_eq!(dir.read("rules.txt"), rules, "nothing new");
    dir.write("rules.txt", "nonsense\n");
    learn(&dir).run().expect_code(1).expect_stderr("rules.txt: line 1: ");
}

#[test]
fn two_sendings_show_what_varies() {
    let dir = Dir::new();
    let upstream = counting();
    record(&dir, &upstream, &["/things/7", "/other"]);
    let run = diff(&dir, &upstream).args(["--learn-by-sending", "--learn-ignore", "r.txt"]).run();
    run.expect_code(0);
    assert_eq!(upstream.received().len(), 6, "each was sent twice");
    assert_eq!(dir.read("new.jsonl").lines().count(), 2, "and recorded once");
    let rules = dir.read("r.txt");
    assert!(rules.starts_with("# ") && rules.contains("log.jsonl:1 was sent twice"), "{rules}");
    diff(&dir, &upstream).arg("--learn-by-sending").run().expect_code(0);
    send(&dir, &upstream).arg("--learn-by-sending").run().expect_code(2);
    let post = json!({"request": {"method": "post", "protocol": "http", "host": "h.test",
        "path": "/p"}, "response": {"statusCode": 200, "body": "{\"n\":0}",
        "headers": {"content-type": "application/json"}}});
    write(&dir, &[post]);
    let before = upstream.received().len();
    let run = diff(&dir, &upstream).args(["--learn-by-sending", "--unsafe-methods"]).run();
    run.expect_code(0);
    assert_eq!(upstream.received().len(), before + 2);
}

#[test]
fn a_lost_response_is_a_difference() {
    let dir = Dir::new();
    record(&dir, &api(false), &["/product"]);
    let upstream =
        Upstream::start(|_| Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut".to_vec()));
    diff(&dir, &upstream).run().expect_code(1).expect_stderr("(incomplete)");
    let silent = Upstream::start(|_| Reply(Vec::new()));
    diff(&dir, &silent).run().expect_code(1).expect_stderr("(no-response)");
}

/// Responses from a recording do not differ from the recorded ones.
fn serves_without_differences(path: &std::path::Path) {
    let dir = Dir::new();
    let server = Server::start(dir.program("hmt-replay").args(["serve", "-p", "0"]).arg(path));
    let program = dir.program("hmt-replay").arg("send").arg(path);
    let run = program
        .args(["-t", &server.url(), "--unsafe-methods", "--diff", "-o", "new.jsonl"])
        .run()
        .expect_code(0)
        .expect_stderr("0 differences in 0 exchanges");
    assert!(!run.err().contains("not compared"), "{run}");
}

#[test]
fn a_served_recording_has_no_differences() {
    serves_without_differences(&crate::harness::fixture("docs/recordings.jsonl"));
}

#[test]
fn served_real_recordings_have_no_differences() {
    for name in ["github", "pokeapi", "opbank"] {
        let Some(path) = shared(&format!("recordings/{name}.jsonl")) else { return };
        serves_without_differences(&path);
    }
}

#[test]
fn new_exchanges_can_be_compared_again() {
    let dir = Dir::new();
    let upstream = api(false);
    record(&dir, &upstream, &PATHS);
    diff(&dir, &upstream).run().expect_code(0);
    let program = dir.program("hmt-replay").args(["send", "new.jsonl", "-t", &upstream.url()]);
    let run = program.args(["--diff", "-o", "newer.jsonl"]).run().expect_code(0);
    run.expect_stderr("6 exchanges compared: 0 differences");
    let count = |name: &str| dir.read(name).lines().count();
    assert_eq!(count("new.jsonl"), count("newer.jsonl"));
    let value: Value =
        serde_json::from_str(dir.read("newer.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!(value["request"]["path"], "/product");
}
