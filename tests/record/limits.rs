//! What a recorder has little of, and what it does about it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::{parse, recorder};
use crate::harness::{Dir, Program, Reply, Server, Upstream};

#[test]
fn descriptors_that_run_out_come_back() {
    let dir = Dir::new();
    let upstream = Upstream::start(|_| Reply::new(200, &[], "ok"));
    let script = format!("ulimit -n 64; exec hmt-record -p 0 -t {} -o out.jsonl", upstream.url());
    let recorder = Server::start(Program::of("sh", dir.path()).args(["-c", &script]));
    let idle: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect(("127.0.0.1", recorder.port())).unwrap()).collect();
    recorder.wait_stderr("cannot accept connections for now");
    drop(idle);
    // It is back as soon as they are.
    recorder.get("/").expect_status(200);
    let run = recorder.stop().expect_code(0);
    assert!(run.err().matches("cannot accept").count() < 20, "{}", run.err());
    assert_eq!(parse(&dir.read("out.jsonl")).len(), 1);
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
