//! Ambiguous requests, from the results of the HTTP Garden and hyper's own tables: each reaches the
//! upstream at most once and well-formed, or not at all.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use super::recorder;
use crate::harness::Dir;

/// An upstream that answers each head, and reports all bytes of each connection.
fn logging() -> (String, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let tell = tell.clone();
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let mut chunk = [0; 4096];
                let mut answered = 0;
                while let Ok(read @ 1..) = stream.read(&mut chunk) {
                    bytes.extend_from_slice(&chunk[..read]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    // Bodies here have no blank line, so each one ends a head or a last chunk.
                    let whole = text.matches(" HTTP/1.1\r\n").count();
                    if whole > answered && is_whole(&text) {
                        answered = whole;
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                    }
                }
                tell.send(bytes).unwrap();
            });
        }
    });
    (format!("http://{address}"), told)
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    match head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()) {
        Some(length) => body.len() >= length.parse().unwrap_or(0),
        None if head.contains("transfer-encoding") => body.ends_with("0\r\n\r\n"),
        None => true,
    }
}

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

/// The possible outcomes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// The recorder answers or closes the connection; nothing reaches the upstream.
    Refused,
    /// One complete request.
    Once,
    /// The head is forwarded before the body turns out to be wrong; then the upstream's connection
    /// is cut within the body.
    Cut,
}

/// Two lengths, wrong lengths, codings, hosts, lines, versions, bodies.
fn corpus() -> Vec<(&'static str, Vec<u8>, Fate)> {
    use Fate::{Cut, Once, Refused};
    let head = |headers: &str| format!("POST /x HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n");
    let chunked = |body: &str| head("Transfer-Encoding: chunked") + body;
    let both = "3\r\nabc\r\n0\r\n\r\n";
    let text = |text: String| text.into_bytes();
    let many: String = (0..1001).map(|number| format!("X-{number}: y\r\n")).collect();
    let mut found = vec![
        ("lengths differ", text(head("Content-Length: 1\r\nContent-Length: 2") + "ab"), Refused),
        ("a list of differing lengths", text(head("Content-Length: 1, 2") + "ab"), Refused),
        ("a plus sign", text(head("Content-Length: +5") + "abcde"), Refused),
        ("a negative length", text(head("Content-Length: -1")), Refused),
        ("a length in hex", text(head("Content-Length: 0x5") + "abcde"), Refused),
        ("an empty length", text(head("Content-Length: ")), Refused),
        ("an unknown coding", text(head("Transfer-Encoding: xchunked") + both), Refused),
        ("identity last", text(head("Transfer-Encoding: chunked, identity") + both), Refused),
        ("a control character", text(head("Transfer-Encoding: \x0bchunked") + both), Refused),
        ("gzip before chunked", text(head("Transfer-Encoding: gzip, chunked") + both), Refused),
        ("chunked twice", text(head("Transfer-Encoding: chunked, chunked") + both), Refused),
        ("space before the colon", text(head("Transfer-Encoding : chunked") + both), Refused),
        ("a folded line", text(head("X: a\r\n b")), Refused),
        ("a bare CR in a value", text(head("X: a\rb")), Refused),
        ("an empty name", text(head(": x")), Refused),
        ("no host", b"GET /x HTTP/1.1\r\n\r\n".to_vec(), Refused),
        ("two hosts", b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_vec(), Refused),
        ("an empty host", b"GET /x HTTP/1.1\r\nHost:\r\n\r\n".to_vec(), Refused),
        ("a path as host", b"GET /x HTTP/1.1\r\nHost: ../x\r\n\r\n".to_vec(), Refused),
        ("bytes as host", b"GET /x HTTP/1.1\r\nHost: \xff\r\n\r\n".to_vec(), Refused),
        ("HTTP/0.9", b"GET /x\r\n\r\n".to_vec(), Refused),
        ("HTTP/1.2", b"GET /x HTTP/1.2\r\nHost: h\r\n\r\n".to_vec(), Refused),
        ("HTTP/9.9", b"GET /x HTTP/9.9\r\nHost: h\r\n\r\n".to_vec(), Refused),
        ("NUL in the path", b"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(), Refused),
        (
            "chunked in HTTP/1.0",
            b"POST /x HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
            Refused,
        ),
        (
            "too many headers",
            format!("GET /x HTTP/1.1\r\nHost: h\r\n{many}\r\n").into_bytes(),
            Refused,
        ),
        ("a head too long", text(head(&format!("X: {}", "y".repeat(500_000)))), Refused),
        (
            "another target",
            b"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(),
            Refused,
        ),
        (
            "both lengths",
            text(head("Content-Length: 3\r\nTransfer-Encoding: chunked") + both),
            Once,
        ),
        (
            "both, the other way",
            text(head("Transfer-Encoding: chunked\r\nContent-Length: 3") + both),
            Once,
        ),
        (
            "a body with GET",
            b"GET /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc".to_vec(),
            Once,
        ),
        ("a fragment", b"GET /x#y HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(), Once),
        (
            "connection names the length",
            text(head("Connection: close, Content-Length\r\nContent-Length: 3") + "abc"),
            Once,
        ),
    ];
    for (name, body) in [
        ("a chunk size with 0x", "0x3\r\nabc\r\n0\r\n\r\n"),
        ("an underscore in it", "0_3\r\nabc\r\n0\r\n\r\n"),
        ("a negative one", "-3\r\nabc\r\n0\r\n\r\n"),
        ("more than 64 bits", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
        ("none", "\r\nabc\r\n0\r\n\r\n"),
        ("a bare LF after it", "3\nabc\r\n0\r\n\r\n"),
        ("a bare LF after an extension", "3;x\nabc\r\n0\r\n\r\n"),
        ("no end of the chunk", "3\r\nabcX\r\n0\r\n\r\n"),
    ] {
        found.push((name, text(chunked(body)), Cut));
    }
    found
}

#[test]
fn nothing_is_smuggled() {
    let dir = Dir::new();
    for (name, mut request, fate) in corpus() {
        let (upstream, told) = logging();
        let recorder = recorder(&dir, &["-t", &upstream]);
        if fate != Fate::Once || name.starts_with("both") {
            // The part that an attacker wants the next hop to treat as a request.
            request.extend_from_slice(SMUGGLED.as_bytes());
        }
        let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answers = Vec::new();
        let _ = stream.read_to_end(&mut answers);
        let answers = String::from_utf8_lossy(&answers).into_owned();
        let run = recorder.stop().expect_code(0);
        let mut seen = String::new();
        while let Ok(bytes) = told.try_recv().or_else(|_| {
            // The recorder has ended, so each of its connections is reported soon; without any,
            // none is.
            if fate == Fate::Refused {
                Err(())
            } else {
                told.recv_timeout(crate::harness::HANG).map_err(|_| ())
            }
        }) {
            seen.push_str(&String::from_utf8_lossy(&bytes));
            if fate != Fate::Refused {
                break;
            }
        }
        let story =
            format!("{name}\n== upstream\n{seen}\n== client\n{answers}\n== said\n{}", run.err());
        assert!(!seen.contains("smuggled"), "{story}");
        match fate {
            Fate::Refused => {
                assert_eq!(seen, "", "{story}");
                let refused =
                    ["HTTP/1.1 4", "HTTP/1.0 4"].iter().any(|head| answers.starts_with(head));
                assert!(refused || answers.is_empty(), "{story}");
            }
            Fate::Once => {
                assert_eq!(seen.matches(" HTTP/1.1\r\n").count(), 1, "{story}");
                let lengths = seen.to_ascii_lowercase();
                let both =
                    lengths.contains("content-length") && lengths.contains("transfer-encoding");
                assert!(is_whole(&seen) && !both, "{story}");
                assert!(answers.contains("200 OK"), "{story}");
            }
            Fate::Cut => {
                assert!(!is_whole(&seen), "{story}");
                assert!(!answers.contains("200 OK"), "{story}");
            }
        }
    }
}
