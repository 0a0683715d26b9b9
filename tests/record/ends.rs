//! How a recorder ends, and what is on disk by then.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};

use super::{parse, recorder};
use crate::harness::{Dir, Program, Reply, Response, Server, Upstream};

/// Holds back responses until a test opens it.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

/// Sends a request, and returns once the upstream has it.
fn ask(recorder: &Server, upstream: &Upstream) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    while upstream.received().is_empty() {
        std::thread::yield_now();
    }
    stream
}

#[test]
fn the_record_is_there_before_the_answer_ends() {
    let dir = Dir::new();
    let upstream =
        Upstream::start(|request| Reply::chunked(200, &[], &[request.target.as_bytes()]));
    let recorder = recorder(&dir, &["-t", &upstream.url(), "-o", "out.jsonl"]);
    for number in 1..=20 {
        let response = recorder.get(&format!("/{number}")).expect_status(200);
        assert_eq!(response.text(), format!("/{number}"));
        let records = parse(&dir.read("out.jsonl"));
        assert_eq!(records.len(), number);
        assert_eq!(records[number - 1]["request"]["path"], format!("/{number}"));
    }
    recorder.signal("KILL");
    drop(recorder.end());
    assert_eq!(parse(&dir.read("out.jsonl")).len(), 20);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(dir.join("out.jsonl")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn sigterm_finishes_what_is_in_flight() {
    for signal in ["TERM", "INT"] {
        let (dir, gate) = (Dir::new(), Gate::default());
        let upstream = Upstream::start({
            let gate = gate.clone();
            move |_| {
                gate.pass();
                Reply::new(200, &[], "late")
            }
        });
        let recorder = recorder(&dir, &["-t", &upstream.url(), "--grace", "1m"]);
        let stream = ask(&recorder, &upstream);
        recorder.signal(signal);
        while TcpStream::connect(("127.0.0.1", recorder.port())).is_ok() {
            std::thread::yield_now();
        }
        gate.open();
        let response = Response::read(&mut BufReader::new(stream), false);
        assert_eq!(response.expect_status(200).text(), "late");
        let run = recorder.end().expect_code(0).expect_stderr("seen 1, written 1, dropped 0");
        assert_eq!(parse(&run.out()).len(), 1);
    }
}

#[test]
fn what_outlasts_the_grace_is_cut_and_recorded_so() {
    let (dir, gate) = (Dir::new(), Gate::default());
    let upstream = Upstream::start({
        let gate = gate.clone();
        move |_| {
            gate.pass();
            Reply::new(200, &[], "never")
        }
    });
    let recorder = recorder(&dir, &["-t", &upstream.url(), "--grace", "10ms"]);
    let mut stream = ask(&recorder, &upstream);
    let run = recorder.stop().expect_code(0).expect_stderr("connections were closed");
    let record = &parse(&run.out())[0];
    assert_eq!(record["meta"]["hmt"]["incomplete"], "client");
    assert!(record.get("response").is_none());
    assert_eq!(stream.read(&mut [0; 10]).unwrap_or(0), 0);
    gate.open();
}

#[test]
fn a_second_signal_ends_at_once() {
    let (dir, gate) = (Dir::new(), Gate::default());
    let upstream = Upstream::start({
        let gate = gate.clone();
        move |_| {
            gate.pass();
            Reply::new(200, &[], "never")
        }
    });
    let recorder = recorder(&dir, &["-t", &upstream.url(), "--grace", "1h"]);
    let _stream = ask(&recorder, &upstream);
    recorder.signal("INT");
    while TcpStream::connect(("127.0.0.1", recorder.port())).is_ok() {
        std::thread::yield_now();
    }
    recorder.signal("INT");
    recorder.end().expect_code(130);
    gate.open();
}

#[test]
fn one_sink_of_two_goes_on_alone() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let dir = Dir::new();
    let upstream = Upstream::start(|_| Reply::new(200, &[], "ok"));
    let args = ["-t", &upstream.url(), "-o", "/dev/full", "-o", "kept.jsonl.gz"];
    let recorder = recorder(&dir, &args);
    for _ in 0..3 {
        recorder.get("/").expect_status(200);
    }
    recorder.stop().expect_code(1).expect_stderr("seen 3, written 3, dropped 0");
    let mut lines = String::new();
    flate2::read::MultiGzDecoder::new(dir.read_bytes("kept.jsonl.gz").as_slice())
        .read_to_string(&mut lines)
        .unwrap();
    assert_eq!(parse(&lines).len(), 3);
}

#[test]
fn a_reader_that_leaves_ends_the_recorder() {
    let dir = Dir::new();
    let upstream = Upstream::start(|_| Reply::new(200, &[], "ok"));
    let script =
        format!("{{ hmt-record -p 0 -t {}; echo \"status $?\" >&2; }} | head -1", upstream.url());
    let pipeline = Server::start(Program::of("sh", dir.path()).args(["-c", &script]));
    pipeline.get("/1").expect_status(200);
    let run = pipeline.end().expect_code(0).expect_stderr("status 1");
    assert_eq!(parse(&run.out()).len(), 1);
}

#[test]
fn logs_are_continued_after_a_torn_line() {
    let dir = Dir::new();
    dir.write("logs/127.0.0.1-recordings.jsonl", "");
    dir.write("out.jsonl", "{\"torn");
    let upstream = Upstream::start(|_| Reply::new(200, &[], "ok"));
    let recorder = recorder(&dir, &["-t", &upstream.url(), "-o", "out.jsonl", "-l", "logs"]);
    recorder.get("/").expect_status(200);
    recorder.stop().expect_code(0);
    let text = dir.read("out.jsonl");
    let (torn, rest) = text.split_once('\n').unwrap();
    assert_eq!(torn, "{\"torn");
    assert_eq!(parse(rest).len(), 1);
    let log = format!("logs/{}-recordings.jsonl", upstream.authority().replace(':', "_"));
    assert_eq!(parse(&dir.read(&log)).len(), 1);
}

#[test]
fn wrong_usage() {
    let dir = Dir::new();
    let run = |args: &[&str]| dir.program("hmt-record").args(args).run();
    run(&["-p", "0", "--bind", "0.0.0.0"])
        .expect_code(2)
        .expect_stderr("--allow-host")
        .expect_no_stdout();
    run(&["-t", "ftp://x"]).expect_code(2).expect_stderr("ftp://x");
    run(&["-t", "http://x", "--allow-host", "y"]).expect_code(2);
    run(&["-t", "http://x", "-r"]).expect_code(2);
    run(&["stray.jsonl"]).expect_code(2);
    run(&["import"]).expect_code(2).expect_stderr("nothing to import");
    run(&["import", "x.jsonl", "-p", "1"]).expect_code(2).expect_stderr("--port");
    run(&["start", "x.jsonl"]).expect_code(2);
    run(&["--upstream-ca", "none.pem"]).expect_code(1).expect_stderr("none.pem");
    run(&["--redact-json", "no pointer"]).expect_code(2);

    let first = recorder(&dir, &[]);
    let port = first.port().to_string();
    run(&["-p", &port]).expect_code(1).expect_stderr("-p/--port").expect_no_stdout();
    first.stop().expect_code(0).expect_stderr("seen 0, written 0, dropped 0");
}
