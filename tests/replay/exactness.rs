//! Other parts of a response than status, headers and body.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::serve;
use crate::harness::{HANG, Server};

/// A line for `/x` with this response and this content of `meta.hmt`.
fn recorded(method: &str, response: &Value, meta: &Value) -> String {
    let line = json!({
        "meta": {"hmt": meta},
        "request": {"method": method, "protocol": "http", "host": "h.test", "path": "/x"},
        "response": response,
    });
    format!("{line}\n")
}

/// The bytes of a response, including head and framing.
fn raw(server: &Server, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream
        .write_all(format!("{request}\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

fn text(server: &Server, request: &str) -> String {
    String::from_utf8_lossy(&raw(server, request)).into_owned()
}

#[test]
fn reason_and_header_bytes_are_those_of_the_wire() {
    let response = json!({"statusCode": 200, "body": "b", "headers": {"x-name": "Andr\u{e9}"}});
    let meta = json!({"v": 1, "reason": "Fine By Me", "headerBytes": {"response": {"x-name": "QW5kcuk="}}});
    let (_dir, server) = serve(&[recorded("get", &response, &meta)], &[]);
    let bytes = raw(&server, "GET /x HTTP/1.1");
    assert!(bytes.starts_with(b"HTTP/1.1 200 Fine By Me\r\n"));
    assert!(bytes.windows(13).any(|part| part == b"x-name: Andr\xe9"), "{}", bytes.escape_ascii());
}

#[test]
fn an_empty_reason_stays_empty() {
    let meta = json!({"v": 1, "reason": ""});
    let (_dir, server) = serve(&[recorded("get", &json!({"statusCode": 299}), &meta)], &[]);
    assert!(text(&server, "GET /x HTTP/1.1").starts_with("HTTP/1.1 299 \r\n"));
}

#[test]
fn the_answer_to_head_keeps_its_length() {
    let response = json!({"statusCode": 200, "headers": {"content-length": "12345", "etag": "e"}});
    let (_dir, server) = serve(&[recorded("head", &response, &json!({"v": 1}))], &[]);
    let answer = server.request("HEAD", "/x").send().expect_status(200);
    assert_eq!(
        (answer.header("content-length"), answer.header("etag")),
        (Some("12345"), Some("e"))
    );
}

#[test]
fn head_is_answered_from_a_recorded_get() {
    let of = |body: &str| {
        let response = json!({"statusCode": 200, "headers": {"etag": body}, "body": body});
        recorded("get", &response, &json!({"v": 1}))
    };
    let (_dir, server) = serve(&[of("one"), of("second")], &[]);
    for _ in 0..2 {
        let answer = server.request("HEAD", "/x").send().expect_status(200);
        assert_eq!(
            (answer.header("content-length"), answer.header("etag")),
            (Some("3"), Some("one"))
        );
    }
    assert_eq!(server.get("/x").text(), "one", "HEAD takes no answer away");
    let answer = server.request("HEAD", "/x").send();
    assert_eq!(answer.header("content-length"), Some("6"));
    assert_eq!(server.request("HEAD", "/y").send().status, 404);
}

#[test]
fn trailers_come_back_to_those_who_read_them() {
    let response = json!({"statusCode": 200, "body": "body"});
    let meta = json!({"v": 1, "trailers": {"response": {"x-sum": "7"}}});
    let (_dir, server) = serve(&[recorded("get", &response, &meta)], &[]);
    let answer = text(&server, "GET /x HTTP/1.1\r\nTE: trailers");
    assert!(answer.to_ascii_lowercase().contains("\r\ntrailer: x-sum\r\n"), "{answer}");
    assert!(answer.ends_with("4\r\nbody\r\n0\r\nx-sum: 7\r\n\r\n"), "{answer}");
    assert_eq!(server.get("/x").text(), "body");
}

#[test]
fn event_streams_come_in_their_chunks() {
    let response = json!({"statusCode": 200, "headers": {"content-type": "text/event-stream"},
        "body": "data: 1\n\ndata: 22\n\n"});
    let meta = json!({"v": 1, "durationMs": 80.0, "chunks": [[0, 9], [60.0, 10]]});
    let line = recorded("get", &response, &meta);
    for latency in ["none", "recorded"] {
        let (_dir, server) = serve(std::slice::from_ref(&line), &["--latency", latency]);
        let answer = text(&server, "GET /x HTTP/1.1");
        let body = "9\r\ndata: 1\n\n\r\nA\r\ndata: 22\n\n\r\n0\r\n\r\n";
        assert!(answer.ends_with(body), "{latency}: {answer}");
    }
}

#[test]
fn with_recorded_latency_an_answer_takes_its_time() {
    let response = json!({"statusCode": 200, "headers": {"content-type": "text/event-stream"},
        "body": "ab"});
    let meta = json!({"v": 1, "durationMs": 150.0, "chunks": [[0, 1], [100.0, 1]]});
    let (_dir, server) = serve(&[recorded("get", &response, &meta)], &["--latency", "recorded"]);
    let began = std::time::Instant::now();
    assert_eq!(server.get("/x").text(), "ab");
    // It may take longer on a busy machine, but never less.
    assert!(began.elapsed().as_millis() >= 150);
}

#[test]
fn what_was_cut_is_cut_again() {
    let response = json!({"statusCode": 200, "body": "half"});
    let meta = json!({"v": 1, "incomplete": "upstream"});
    let (_dir, server) = serve(&[recorded("get", &response, &meta)], &[]);
    let answer = server.get("/x").expect_status(200);
    assert_eq!((answer.text().as_str(), answer.complete), ("half", false));
}
