//! Upgrades: the handshake is recorded, and both sides continue.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;

use super::raw::{answering, raw, skip_head};
use super::{recorder, records};
use crate::harness::{Dir, Response};

const HEAD: &str = "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn both_sides_talk_after_the_handshake() {
    let dir = Dir::new();
    let upstream = raw(|mut reader, _| {
        skip_head(&mut reader);
        // The first bytes arrive with the head.
        let head =
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello";
        reader.get_mut().write_all(head).unwrap();
        let mut word = [0; 4];
        while reader.read_exact(&mut word).is_ok() {
            reader.get_mut().write_all(&word).unwrap();
        }
    });
    let recorder = recorder(&dir, &["-t", &upstream]);
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    // So do the client's.
    stream.write_all(format!("{HEAD}ping").as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let response = Response::read(&mut reader, false).expect_status(101);
    assert_eq!(response.header("upgrade"), Some("websocket"));
    assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    // The handshake is recorded before the client receives its end.
    assert_eq!(recorder.wait_lines(1).len(), 1);
    let mut words = [0; 9];
    reader.read_exact(&mut words).unwrap();
    assert_eq!(&words, b"helloping");
    reader.get_mut().write_all(b"pong").unwrap();
    reader.read_exact(&mut words[..4]).unwrap();
    assert_eq!(&words[..4], b"pong");
    // It ends immediately with the recorder.
    let record = &records(recorder)[0];
    assert_eq!(record["response"]["statusCode"], 101);
    assert_eq!(record["request"]["headers"]["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(reader.read(&mut words).unwrap_or(0), 0);
}

#[test]
fn nothing_goes_on_before_the_upstream_agrees() {
    let dir = Dir::new();
    let (hold, held) = mpsc::channel();
    let upstream = raw(move |mut reader, _| {
        skip_head(&mut reader);
        let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
        reader.get_mut().write_all(refused).unwrap();
        let mut rest = String::new();
        let _ = reader.read_to_string(&mut rest);
        hold.send(rest).unwrap();
    });
    let recorder = recorder(&dir, &["-t", &upstream]);
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    stream.write_all(format!("{HEAD}\x01\x02 smuggled\r\n\r\n").as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    assert_eq!(Response::read(&mut reader, false).expect_status(403).text(), "no");
    // The data after it is not a request, and was not forwarded.
    assert_eq!(Response::read(&mut reader, false).status, 400);
    assert_eq!(records(recorder).len(), 1);
    assert_eq!(held.recv().unwrap(), "");
}

#[test]
fn a_switch_nobody_asked_for_and_other_versions_of_http() {
    let dir = Dir::new();
    let switching = answering(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    );
    let recorder = recorder(&dir, &["-t", &switching]);
    let h2c = recorder.request("GET", "/").header("Upgrade", "h2c").header("Connection", "Upgrade");
    h2c.send().expect_status(502);
    let with_body =
        recorder.request("POST", "/").header("Upgrade", "x").header("Connection", "upgrade");
    with_body.body("abc").send().expect_status(502);
    assert_eq!(records(recorder).len(), 2);
}
