//! Problems are reported as they happen, with a remedy, and counted at the end.

use std::io::{Read as _, Write as _};

use super::{raw, recorder};
use crate::harness::{Dir, Server, exchange_raw};

fn ask(recorder: &Server, request: &str) -> crate::harness::Response {
    exchange_raw(&format!("127.0.0.1:{}", recorder.port()), request.as_bytes(), false)
}

#[test]
fn upstreams_that_fail_are_reported_and_counted() {
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-o", "out.jsonl"]);
    // Nobody listens on port 1.
    for _ in 0..3 {
        recorder.get("/http://127.0.0.1:1/x?token=s3cret").expect_status(502);
    }
    recorder.get("/http://no-such-host.invalid/").expect_status(502);
    let plain = raw::raw(|mut reader, _| {
        // The response of servers to a TLS handshake on an HTTP port.
        let _ = reader.read(&mut [0; 4096]);
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        let _ = reader.get_mut().write_all(answer);
    });
    let plain = plain.replace("http://", "https://");
    let no_tls = recorder.get(&format!("/{plain}/")).expect_status(502);
    assert!(
        no_tls.text().contains("does not use TLS on this port; try http://"),
        "{}",
        no_tls.text()
    );
    let cut = raw::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut");
    assert!(!recorder.get(&format!("/{cut}/")).complete);
    recorder.get(&format!("/{}/", raw::answering(b"garbage\r\n\r\n"))).expect_status(502);
    let run = recorder.stop().expect_code(0);
    let err = run.err();
    for part in [
        "no response from http://127.0.0.1:1: cannot connect to 127.0.0.1:1",
        "no response from http://no-such-host.invalid: cannot resolve no-such-host.invalid",
        "does not use TLS on this port; try http://",
        "ended its response early",
        "check that it uses HTTP/1 on this port, or request https:// if it uses TLS",
        "seen 7, written 7, dropped 0, failed upstream 7 (dns 1, connect 3, tls 1, answer 1, cut 1)",
    ] {
        assert!(err.contains(part), "{part}\n{err}");
    }
    assert_eq!(err.matches("cannot connect").count(), 1, "{err}");
    assert!(!err.contains("s3cret"), "{err}");
}

#[test]
fn requests_that_lead_nowhere_are_reported_and_counted() {
    let dir = Dir::new();
    let by_path = recorder(&dir, &[]);
    let answer = by_path.get("/foo?token=s3cret").expect_status(400);
    assert!(answer.text().contains("/http://HOST/PATH"), "{}", answer.text());
    by_path.get("/bar").expect_status(400);
    let page = by_path.request("GET", "/").header("Accept", "text/html,*/*;q=0.8").send();
    let page = page.expect_status(400);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("hmt-record"), "{}", page.text());
    ask(&by_path, "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n").expect_status(501);
    by_path
        .stop()
        .expect_code(0)
        .expect_stderr("a request was refused with 400: the path \"/foo\" names no target; request /http://HOST/PATH")
        .expect_stderr("a request was refused with 501: CONNECT requires --forward")
        .expect_stderr("seen 4, written 0, dropped 4 (refused)");
    let fixed = recorder(&dir, &["-t", "http://127.0.0.1:1"]);
    ask(&fixed, "GET http://other.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n").expect_status(403);
    fixed.stop().expect_code(0).expect_stderr(
        "refused with 403: the request is for http://other.test, but --target sends all requests to http://127.0.0.1:1",
    );
    dir.program("hmt-record")
        .args(["-t", "localhost:9301"])
        .run()
        .expect_code(2)
        .expect_stderr("--target http://localhost:9301");
}

#[test]
fn requests_that_cannot_be_read_are_reported_and_counted() {
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", "http://127.0.0.1:1"]);
    ask(&recorder, "no request\r\n\r\n").expect_status(400);
    ask(&recorder, "GET / HTTP/1.1\r\nHost: h\r\nno header\r\n\r\n").expect_status(400);
    let many = "X: 1\r\n".repeat(1001);
    ask(&recorder, &format!("GET / HTTP/1.1\r\n{many}\r\n")).expect_status(431);
    let long = "v".repeat(257 << 10);
    ask(&recorder, &format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n")).expect_status(431);
    recorder
        .stop()
        .expect_code(0)
        .expect_stderr("a request from 127.0.0.1 was refused with 400: ")
        .expect_stderr("seen 4, written 0, dropped 4 (malformed)");
}
