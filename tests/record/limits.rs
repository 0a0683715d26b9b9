//! The limited resources of a recorder, and its behaviour when they run out.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{parse, recorder};
use crate::harness::{Dir, Program, Reply, Server, Upstream, fixture};

#[test]
fn descriptors_that_run_out_come_back() {
    let dir = Dir::new();
    let upstream = Upstream::start(|_| Reply::new(200, &[], "ok"));
    let script = format!("ulimit -n 64; exec hmt-record -p 0 -t {} -o out.jsonl", upstream.url());
    let recorder = Server::start(Program::of("sh", dir.path()).args(["-c", &script]));
    let idle: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect(("127.0.0.1", recorder.port())).unwrap()).collect();
    recorder.wait_stderr("cannot accept connections at the moment");
    drop(idle);
    // It recovers when they are available again.
    recorder.get("/").expect_status(200);
    let run = recorder.stop().expect_code(0);
    assert!(run.err().matches("cannot accept").count() < 20, "{}", run.err());
    assert_eq!(parse(&dir.read("out.jsonl")).len(), 1);
}

/// Only `--bind` opens ports to the network: otherwise every port is on 127.0.0.1.
#[test]
fn only_this_machine_is_listened_to() {
    let dir = Dir::new();
    let spec = fixture("docs/spec.yaml");
    let lines = fixture("docs/recordings.jsonl");
    let (spec, lines) = (spec.to_str().unwrap(), lines.to_str().unwrap());
    for (program, args) in [
        ("hmt-record", &["-p", "0"][..]),
        ("hmt-record", &["-p", "0", "--forward", "--ca-dir", "ca"]),
        ("hmt-mock", &["-p", "0", "-a", "0", spec]),
        ("hmt-replay", &["serve", "-p", "0", lines]),
    ] {
        let server = Server::start(dir.program(program).args(args));
        let mut ports = vec![server.port()];
        if program == "hmt-mock" {
            let admin = server.admin_url();
            ports.push(
                admin["http://127.0.0.1:".len()..].trim_end_matches("/admin").parse().unwrap(),
            );
        }
        for port in ports {
            TcpStream::connect(("127.0.0.1", port)).unwrap();
            // A listener on all addresses is reachable here as well.
            TcpStream::connect(("127.0.0.2", port)).unwrap_err();
        }
        server.stop();
    }
}

/// Clients that send nothing, or a byte now and then, and never finish.
#[test]
fn silent_clients_keep_nobody_waiting() {
    let dir = Dir::new();
    let upstream = Upstream::start(|_| Reply::new(200, &[], "ok"));
    let recorder = recorder(&dir, &["-t", &upstream.url(), "-o", "out.jsonl", "--grace", "1s"]);
    let mut dripping: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(("127.0.0.1", recorder.port())).unwrap()).collect();
    for (round, byte) in b"GET /slow HTTP/1.1\r\nhost: x\r\nx-a: ".iter().enumerate() {
        for (number, stream) in dripping.iter_mut().enumerate() {
            if number % 3 != 0 {
                stream.write_all(&[*byte]).unwrap();
            }
        }
        recorder.get(&format!("/{round}")).expect_status(200);
    }
    // Their bytes are not requests, and do not delay the end.
    let run = recorder.stop().expect_code(0);
    run.expect_stderr("dropped 0");
    assert!(parse(&dir.read("out.jsonl")).iter().all(|r| r["request"]["path"] != "/slow"));
}

/// Clients that disconnect while sending or receiving leave nothing behind.
#[test]
fn clients_that_leave_are_forgotten() {
    let dir = Dir::new();
    let big = "x".repeat(16 << 20);
    let upstream = Upstream::start(move |_| Reply::new(200, &[], &big));
    let recorder = recorder(&dir, &["-t", &upstream.url(), "-o", "out.jsonl", "--max-body", "1k"]);
    recorder.get("/").expect_status(200);
    let open = || std::fs::read_dir(format!("/proc/{}/fd", recorder.pid())).unwrap().count();
    let before = open();
    let heads = [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\npart of it",
        "GET / HT",
    ];
    for round in 0..300 {
        let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
        stream.write_all(heads[round % heads.len()].as_bytes()).unwrap();
        if round % heads.len() == 0 {
            stream.read_exact(&mut [0; 100]).unwrap();
        }
    }
    // There is no external sign when the last of them is gone; the timeout only guards against a
    // hang.
    let start = Instant::now();
    while open() > before + 8 && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(open() <= before + 8, "{} descriptors, {before} before", open());
    recorder.get("/").expect_status(200);
    recorder.stop().expect_code(0);
    let records = parse(&dir.read("out.jsonl"));
    let cut = records.iter().filter(|r| r["meta"]["hmt"]["incomplete"] == "client").count();
    // Half a head is not a request yet.
    assert_eq!((records.len(), cut), (202, 200));
}

/// Several recorders write complete lines to one file.
#[test]
fn one_file_takes_several_recorders() {
    let dir = Dir::new();
    let long = "é\"".repeat(20_000);
    let upstream = Upstream::start(move |request| {
        let body = if request.target.ends_with('7') { long.as_str() } else { "short" };
        Reply::new(200, &[("content-type", "text/plain; charset=utf-8")], body)
    });
    let recorders: Vec<Server> =
        (0..4).map(|_| recorder(&dir, &["-t", &upstream.url(), "-o", "out.jsonl"])).collect();
    std::thread::scope(|scope| {
        for (index, recorder) in recorders.iter().enumerate() {
            for client in 0..4 {
                scope.spawn(move || {
                    for round in 0..50 {
                        recorder.get(&format!("/{index}/{client}/{round}")).expect_status(200);
                    }
                });
            }
        }
    });
    for recorder in recorders {
        recorder.stop().expect_code(0).expect_stderr("seen 200, written 200, dropped 0");
    }
    let mut paths: Vec<String> = parse(&dir.read("out.jsonl"))
        .iter()
        .map(|record| record["request"]["path"].as_str().unwrap().to_owned())
        .collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 4 * 4 * 50);
}

#[test]
fn what_clients_send_does_not_reach_the_terminal() {
    let dir = Dir::new();
    let upstream = Upstream::start(|_| Reply::new(200, &[], "ok"));
    let recorder = recorder(&dir, &["-t", &upstream.url(), "-v"]);
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    let request =
        "GET /\u{1b}]0;x\u{7}/\u{202e}/%0a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    recorder.get("/\u{202e}/%0aseen").expect_status(200);
    let run = recorder.stop().expect_code(0);
    let said = run.err();
    assert!(said.contains("seen"), "{said}");
    assert!(!said.contains('\u{202e}') && !said.contains('\u{1b}'), "{said:?}");
    assert!(said.bytes().all(|byte| byte == b'\n' || byte >= b' '), "{said:?}");
}
