//! Sends recorded requests again.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Dir, Program, Reply, Server, Upstream};

/// A recorded exchange.
pub(super) fn exchange(method: &str, target: &str, more: &Value) -> Value {
    let (pathname, _) = target.split_once('?').unwrap_or((target, ""));
    let mut line = json!({
        "request": {"method": method, "protocol": "http", "host": "api.test", "path": target,
            "pathname": pathname, "headers": {"host": "api.test"}},
        "response": {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "ok"},
    });
    merge(&mut line, more);
    line
}

fn merge(value: &mut Value, more: &Value) {
    match (value, more) {
        (Value::Object(own), Value::Object(more)) => {
            for (name, more) in more {
                merge(own.entry(name.clone()).or_insert(Value::Null), more);
            }
        }
        (value, more) => *value = more.clone(),
    }
}

pub(super) fn get(target: &str) -> Value {
    exchange("get", target, &json!({}))
}

pub(super) fn write(dir: &Dir, lines: &[Value]) {
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    dir.write("log.jsonl", lines.concat());
}

pub(super) fn send(dir: &Dir, upstream: &Upstream) -> Program {
    dir.program("hmt-replay").args(["send", "log.jsonl", "--target", &upstream.url()])
}

pub(super) fn echo() -> Upstream {
    Upstream::start(|request| {
        let body = format!("{} {}", request.method, request.target);
        Reply::new(200, &[("X-New", "1")], body)
    })
}

pub(super) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn requests_are_sent_in_order_and_recorded_anew() {
    let (dir, upstream) = (Dir::new(), echo());
    let headers = json!({"request": {"headers": {
        "accept-encoding": "gzip, br", "x-own": "1", "connection": "close, x-hop", "x-hop": "1",
        "te": "trailers", "proxy-authorization": "Basic eDp5", "x-list": ["a", "b"],
        "origin": "http://api.test", "referer": "http://api.test/page?x=1", "content-length": "9",
    }}});
    let targets = ["/a?x=%2f&y", "/a?", "/%7Euser/b;c=1", "/c?q=a+b"];
    write(&dir, &targets.map(|target| exchange("get", target, &headers)));
    let run = send(&dir, &upstream).run().expect_code(0);
    let received = upstream.received();
    let sent: Vec<&str> = received.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(sent, targets, "byte for byte");
    let first = &received[0];
    assert_eq!(first.header("host"), Some(upstream.authority().as_str()));
    assert_eq!(first.header("accept-encoding"), Some("gzip, br"));
    assert_eq!(first.header("origin"), Some(upstream.url().as_str()));
    assert_eq!(first.header("referer"), Some(format!("{}/page?x=1", upstream.url()).as_str()));
    for dropped in ["x-hop", "te", "proxy-authorization", "content-length", "connection"] {
        assert_eq!(first.header(dropped), None, "{dropped}");
    }
    let list: Vec<&str> =
        first.headers.iter().filter(|(n, _)| n == "x-list").map(|(_, v)| v.as_str()).collect();
    assert_eq!(list, ["a", "b"]);
    let new = lines(&run.out());
    assert_eq!(new.len(), 4);
    assert_eq!(new[0]["request"]["host"], upstream.authority());
    assert_eq!(new[0]["request"]["path"], "/a?x=%2f&y");
    assert_eq!(new[0]["response"]["body"], "GET /a?x=%2f&y");
    assert_eq!(new[0]["response"]["headers"]["x-new"], "1");
    assert_eq!(new[3]["meta"]["hmt"]["seq"], 3);
    run.expect_stderr("sent 4, skipped 0, failed 0").expect_stderr("latency p50 ");
}

#[test]
fn the_new_exchanges_are_exchanges() {
    let (dir, upstream) = (Dir::new(), echo());
    write(&dir, &[get("/users/1"), get("/users/2")]);
    let script = "hmt-replay send log.jsonl -t \"$0\" | hmt-build -";
    let spec = Program::of("bash", dir.path()).args(["-c", script, &upstream.url()]).run();
    spec.expect_code(0).expect_stdout("/users/{userId}:");
}

#[test]
fn unsafe_methods_are_sent_only_on_demand() {
    let (dir, upstream) = (Dir::new(), echo());
    let methods = ["post", "put", "patch", "delete"];
    let mut all: Vec<Value> =
        methods.iter().map(|method| exchange(method, "/x", &json!({}))).collect();
    let odd = json!({"meta": {"hmt": {"v": 1, "method": "PURGE"}}});
    all.push(exchange("post", "/x", &odd));
    write(&dir, &all);
    let run = send(&dir, &upstream).run().expect_code(1).expect_no_stdout();
    run.expect_stderr("--unsafe-methods").expect_stderr("skipped 5 (unsafe methods 5)");
    all.push(exchange("head", "/x", &json!({})));
    write(&dir, &all);
    send(&dir, &upstream).run().expect_code(0).expect_stderr("sent 1, skipped 5");
    send(&dir, &upstream).arg("--unsafe-methods").run().expect_code(0).expect_stderr("sent 6");
    let received = upstream.received();
    let sent: Vec<&str> = received.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(sent, ["HEAD", "POST", "PUT", "PATCH", "DELETE", "PURGE", "HEAD"]);
}

#[test]
fn bodies_are_sent_as_they_were() {
    let (dir, upstream) = (Dir::new(), echo());
    let bytes: Vec<u8> = (0..=255).collect();
    let binary = json!({"meta": {"hmt": {"v": 1, "requestBodyBase64": STANDARD.encode(&bytes)}}});
    let gzip = json!({"request": {"headers": {"content-encoding": "gzip",
        "content-type": "application/json"}, "body": "{\"a\": 1.0}"}});
    let cut = json!({"meta": {"hmt": {"v": 1, "truncated": {"request": 99}}},
        "request": {"body": "part"}});
    write(
        &dir,
        &[
            exchange("post", "/binary", &binary),
            exchange("post", "/gzip", &gzip),
            exchange("post", "/cut", &cut),
        ],
    );
    let run = send(&dir, &upstream).arg("--unsafe-methods").run().expect_code(0);
    let received = upstream.received();
    assert_eq!(received[0].body, bytes);
    let mut plain = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&received[1].body[..]);
    std::io::Read::read_to_string(&mut decoder, &mut plain).unwrap();
    assert_eq!(plain, "{\"a\": 1.0}");
    assert_eq!(lines(&run.out())[1]["request"]["body"], "{\"a\": 1.0}");
    run.expect_stderr("skipped 1 (incomplete bodies 1)");
}

#[test]
fn the_target_must_be_named_beyond_loopback() {
    let (dir, upstream) = (Dir::new(), echo());
    write(&dir, &[get("/x")]);
    let to = |target: &str| {
        dir.program("hmt-replay").args(["send", "log.jsonl", "--timeout", "1s", "--target", target])
    };
    let run = to("https://api.example.com").run();
    run.expect_code(2).expect_stderr("--allow-host api.example.com");
    to("http://localhost.example.com:1").run().expect_code(2);
    to("http://192.0.2.1:9").run().expect_code(2);
    to("ftp://127.0.0.1").run().expect_code(2);
    let allowed = to("http://nothing.invalid").args(["--allow-host", "*.invalid"]).run();
    allowed.expect_code(1).expect_stderr("failed 1 (dns 1)");
    assert!(upstream.received().is_empty());
}

#[test]
fn the_path_of_the_target_comes_first() {
    let (dir, upstream) = (Dir::new(), echo());
    write(&dir, &[get("/x?a=1")]);
    let target = format!("{}/base/", upstream.url());
    let program = dir.program("hmt-replay").args(["send", "log.jsonl", "-t", &target]);
    let run = program
        .args(["--set-query", "a=2 3", "--set-query", "b=&", "--set-header", "x-own: v:w"])
        .args(["--set-header", "accept:"])
        .run()
        .expect_code(0);
    let received = upstream.received();
    assert_eq!(received[0].target, "/base/x?a=2+3&b=%26");
    assert_eq!(received[0].header("x-own"), Some("v:w"));
    assert_eq!(lines(&run.out())[0]["request"]["pathname"], "/base/x");
    for wrong in [["--set-header", "none"], ["--set-query", "=x"], ["--speed", "0x"]] {
        send(&dir, &upstream).args(wrong).run().expect_code(2);
    }
}

#[test]
fn a_dry_run_sends_nothing() {
    let (dir, upstream) = (Dir::new(), echo());
    let at = |second: u32| json!({"request": {"timestamp": format!("2026-01-01T00:00:{second:02}.000000Z")}});
    let post = exchange("post", "/no", &json!({}));
    write(&dir, &[exchange("get", "/a", &at(1)), post, exchange("get", "/b", &at(31))]);
    let dry = |speed: &str| send(&dir, &upstream).args(["--dry-run", "--speed", speed]).run();
    let run = dry("10x").expect_code(0).expect_no_stdout();
    let run = run
        .expect_stderr(&format!("GET {}/a (log.jsonl:1, after 0.00ms)", upstream.url()))
        .expect_stderr("/b (log.jsonl:3, after 3.00s)");
    run.expect_stderr("2 requests").expect_stderr("skipped 1").expect_stderr("takes 3.00s");
    dry("1x").expect_code(0).expect_stderr("takes 30.00s");
    let rate = send(&dir, &upstream).args(["--dry-run", "--rate", "4"]).run();
    rate.expect_code(0).expect_stderr("after 250ms");
    assert!(upstream.received().is_empty());
}

#[test]
fn requests_are_counted_and_bad_records_named() {
    let (dir, upstream) = (Dir::new(), echo());
    let all: Vec<Value> = (0..5).map(|number| get(&format!("/{number}"))).collect();
    write(&dir, &all);
    send(&dir, &upstream).args(["--count", "2"]).run().expect_code(0).expect_stderr("sent 2,");
    assert_eq!(upstream.received().len(), 2);
    dir.write("log.jsonl", format!("{{}}\n{}\n", get("/x")));
    let run = send(&dir, &upstream).run();
    run.expect_code(3).expect_stderr("log.jsonl:1: ").expect_stderr("sent 1,");
    let run = send(&dir, &upstream).arg("--strict").run();
    run.expect_code(1).expect_stderr("--strict: log.jsonl:1: ");
    dir.write("log.jsonl", "{}\n");
    send(&dir, &upstream).run().expect_code(1).expect_stderr("nothing to send");
    dir.write("log.jsonl", "");
    send(&dir, &upstream).run().expect_code(0).expect_no_stdout();
}

#[test]
fn a_dead_target_is_a_failure() {
    let dir = Dir::new();
    write(&dir, &[get("/x"), get("/y")]);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = format!("http://{free}");
    let run = dir.program("hmt-replay").args(["send", "log.jsonl", "-t", &target]).run();
    let run = run.expect_code(1).expect_stderr("failed 2 (connect 2)").expect_stderr("check that");
    let new = lines(&run.out());
    assert!(new[0]["response"].is_null());
    assert!(new[0]["meta"]["hmt"]["error"].as_str().unwrap().contains("cannot connect"));
}

/// Lets requests through once a number of them is in progress.
#[derive(Default)]
struct Gate {
    inside: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Gate {
    /// Waits for `count` requests; without them, for a moment only.
    fn pass(&self, count: usize) {
        let mut inside = self.inside.lock().unwrap();
        inside.0 += 1;
        inside.1 = inside.1.max(inside.0);
        self.changed.notify_all();
        let wait = Duration::from_millis(300);
        let full = |inside: &mut (usize, usize)| inside.1 < count;
        let (mut inside, _) = self.changed.wait_timeout_while(inside, wait, full).unwrap();
        inside.0 -= 1;
    }
}

#[test]
fn connections_keep_their_order_and_do_not_wait_for_each_other() {
    let gate = Arc::new(Gate::default());
    let upstream = {
        let gate = Arc::clone(&gate);
        Upstream::start(move |request| {
            gate.pass(3);
            Reply::new(200, &[], request.target.clone())
        })
    };
    let dir = Dir::new();
    let on = |connection: u64, number: u64| {
        let meta = json!({"meta": {"hmt": {"v": 1, "run": "r", "connection": connection}}});
        exchange("get", &format!("/{connection}/{number}"), &meta)
    };
    let all: Vec<Value> = (0..4)
        .flat_map(|number| (0..3).map(move |connection| (connection, number)))
        .map(|(connection, number)| on(connection, number))
        .collect();
    write(&dir, &all);
    send(&dir, &upstream).args(["-c", "3"]).run().expect_code(0).expect_stderr("sent 12,");
    let mut last: HashMap<String, u64> = HashMap::new();
    for request in upstream.received() {
        let mut parts = request.target.split('/').skip(1);
        let connection = parts.next().unwrap().to_owned();
        let number: u64 = parts.next().unwrap().parse().unwrap();
        let expected = last.get(&connection).map_or(0, |last| last + 1);
        assert_eq!(number, expected, "connection {connection}");
        last.insert(connection, number);
    }
    assert_eq!(gate.inside.lock().unwrap().1, 3, "three at a time");
}

#[test]
fn sessions_are_lanes_and_other_requests_are_free() {
    let gate = Arc::new(Gate::default());
    let upstream = {
        let gate = Arc::clone(&gate);
        Upstream::start(move |request| {
            if request.target.starts_with("/free") {
                gate.pass(4);
            }
            Reply::new(200, &[], "")
        })
    };
    let dir = Dir::new();
    let mut all: Vec<Value> = (0..4).map(|number| get(&format!("/free/{number}"))).collect();
    let session = json!({"request": {"headers": {"cookie": "theme=dark; session=abc"}}});
    all.extend((0..6).map(|number| exchange("get", &format!("/s/{number}"), &session)));
    write(&dir, &all);
    send(&dir, &upstream).args(["-c", "8"]).run().expect_code(0);
    assert_eq!(gate.inside.lock().unwrap().1, 4);
    let received = upstream.received();
    let ordered: Vec<&str> =
        received.iter().map(|r| r.target.as_str()).filter(|t| t.starts_with("/s/")).collect();
    assert_eq!(ordered, ["/s/0", "/s/1", "/s/2", "/s/3", "/s/4", "/s/5"]);
}

#[test]
fn secrets_come_from_the_environment() {
    let (dir, upstream) = (Dir::new(), echo());
    let pseudonym = "hmt~aaaaaaaaaaaaaaaaaaaaaa";
    let request = json!({
        "meta": {"hmt": {"v": 1, "redacted": ["request.body#/otp", "request.body#/password",
            "request.header.authorization"]}},
        "request": {"headers": {"content-type": "application/json", "x-api-key": pseudonym,
                "authorization": format!("Bearer {pseudonym}"), "cookie": format!("sid={pseudonym}")},
            "body": json!({"password": pseudonym, "otp": 123_456, "n": 123_456}).to_string()},
    });
    write(&dir, &[exchange("post", "/login", &request)]);
    let all = send(&dir, &upstream)
        .env("PW", "p\"w")
        .env("OTP", "424242")
        .env("TOKEN", "real")
        .env("SID", "s1")
        .args(["--unsafe-methods", "--secret", "password=PW", "--secret", "otp=OTP"])
        .args(["--secret", "authorization=TOKEN", "--secret", "sid=SID"])
        .run()
        .expect_code(0);
    let received = &upstream.received()[0];
    let body: Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(body, json!({"password": "p\"w", "otp": 424_242, "n": 123_456}));
    assert_eq!(received.header("authorization"), Some("Bearer real"));
    assert_eq!(received.header("cookie"), Some("sid=s1"));
    assert!(!all.out().contains("real") && !all.out().contains("p\\\"w"), "{all}");
    all.expect_stderr("x-api-key 1; give them with --secret");
    let run = send(&dir, &upstream).args(["--secret", "password=NOT_SET"]).run();
    run.expect_code(2).expect_stderr("NOT_SET is not set");
}

#[test]
fn a_signal_ends_a_run_over_files_after_the_requests_in_progress() {
    let (dir, upstream) = (Dir::new(), echo());
    let at = |hour: u32| json!({"request": {"timestamp": format!("2026-01-01T{hour:02}:00:00Z")}});
    write(&dir, &[exchange("get", "/a", &at(1)), exchange("get", "/b", &at(9))]);
    let run = Server::spawn(send(&dir, &upstream).args(["--speed", "1x"]));
    run.wait_lines(1);
    run.signal("TERM");
    let run =
        run.end().expect_code(143).expect_stderr("sent 1,").expect_stderr("stopped by a signal");
    assert_eq!(lines(&run.out()).len(), 1);
}
