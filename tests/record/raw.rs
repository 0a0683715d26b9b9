//! Upstreams and clients that violate the protocol.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::{recorder, records};
use crate::harness::{Dir, Reply, Server, Upstream, exchange_raw};

/// An upstream that passes its connections to `handle`, with a number from 0.
pub(super) fn raw(handle: impl Fn(BufReader<TcpStream>, usize) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            handle(BufReader::new(stream), number);
        }
    });
    format!("http://{address}")
}

/// Reads one request's head; false at the end of the stream.
pub(super) fn skip_head(reader: &mut BufReader<TcpStream>) -> bool {
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
        if line == "\r\n" {
            return true;
        }
    }
}

/// An upstream that answers every request with these bytes, and closes.
pub(super) fn answering(bytes: &'static [u8]) -> String {
    raw(move |mut reader, _| {
        if skip_head(&mut reader) {
            let _ = reader.get_mut().write_all(bytes);
        }
    })
}

fn ask(recorder: &Server, request: &str) -> crate::harness::Response {
    exchange_raw(&format!("127.0.0.1:{}", recorder.port()), request.as_bytes(), false)
}

#[test]
fn a_dead_upstream_is_502() {
    let dir = Dir::new();
    let recorder = recorder(&dir, &[]);
    // Nobody listens on port 1, and no test gets it.
    let response = recorder.get("/http://127.0.0.1:1/x").expect_status(502);
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    let response = recorder.get("/http://no-such-host.invalid/x").expect_status(502);
    assert!(response.json()["detail"].as_str().unwrap().contains("no-such-host.invalid"));
    let records = records(recorder);
    assert_eq!(records.len(), 2);
    assert!(records[0].get("response").is_none());
    assert_eq!(records[0]["request"]["pathname"], "/x");
    assert!(records[0]["meta"]["hmt"]["error"].as_str().unwrap().contains("cannot connect"));
}

#[test]
fn a_silent_upstream_is_504() {
    let (dir, (hold, held)) = (Dir::new(), mpsc::channel::<BufReader<TcpStream>>());
    let silent = raw(move |reader, _| hold.send(reader).unwrap());
    let recorder = recorder(&dir, &["-t", &silent, "--timeout", "100ms"]);
    recorder.get("/x").expect_status(504);
    let record = &records(recorder)[0];
    assert!(record.get("response").is_none());
    assert!(record["meta"]["hmt"]["error"].as_str().unwrap().contains("100ms"));
    drop(held);
}

#[test]
fn a_body_that_stalls_is_cut() {
    let (dir, (hold, held)) = (Dir::new(), mpsc::channel::<BufReader<TcpStream>>());
    let stalling = raw(move |mut reader, _| {
        skip_head(&mut reader);
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").unwrap();
        hold.send(reader).unwrap();
    });
    let recorder = recorder(&dir, &["-t", &stalling, "--timeout", "100ms"]);
    let response = recorder.get("/x").expect_status(200);
    assert!(!response.complete);
    assert_eq!(response.text(), "abc");
    assert_eq!(records(recorder)[0]["meta"]["hmt"]["incomplete"], "upstream");
    drop(held);
}

#[test]
fn cut_bodies_are_visibly_cut() {
    let dir = Dir::new();
    for cut in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".as_slice(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    ] {
        let recorder = recorder(&dir, &["-t", &answering(cut)]);
        let response = recorder.get("/x").expect_status(200);
        assert_eq!((response.text().as_str(), response.complete), ("abc", false));
        let old = "GET /x HTTP/1.0\r\n\r\n";
        let old = ask(&recorder, old).expect_status(200);
        assert!(!old.complete, "an HTTP/1.0 client takes a clean close for the end");
        for record in records(recorder) {
            assert_eq!(record["meta"]["hmt"]["incomplete"], "upstream");
            assert_eq!(record["response"]["body"], "abc");
        }
    }
}

#[test]
fn bodies_that_the_close_ends_are_whole() {
    let dir = Dir::new();
    let old = answering(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nabc");
    let recorder = recorder(&dir, &["-t", &old]);
    let response = recorder.get("/x").expect_status(200);
    assert_eq!((response.text().as_str(), response.complete), ("abc", true));
    let response = ask(&recorder, "GET /x HTTP/1.0\r\n\r\n").expect_status(200);
    assert_eq!((response.text().as_str(), response.complete), ("abc", true));
    for record in records(recorder) {
        assert_eq!(record["response"]["body"], "abc");
        assert!(record["meta"]["hmt"].get("incomplete").is_none());
    }
}

#[test]
fn unusable_answers_are_502() {
    let dir = Dir::new();
    for answer in [
        b"garbage\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"",
    ] {
        let recorder = recorder(&dir, &["-t", &answering(answer)]);
        recorder.get("/x").expect_status(502);
        let record = &records(recorder)[0];
        assert!(record["meta"]["hmt"]["error"].is_string(), "{record}");
    }
}

#[test]
fn interim_answers_are_few() {
    let asked = AtomicUsize::new(0);
    let upstream = raw(move |mut reader, _| {
        while skip_head(&mut reader) {
            let stream = reader.get_mut();
            let count = if asked.fetch_add(1, Ordering::Relaxed) == 0 { 16 } else { 10_000 };
            // The recorder may close as soon as it has read enough.
            let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".repeat(count);
            let _ = stream.write_all(hints.as_bytes());
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &upstream]);
    assert_eq!(recorder.get("/few").expect_status(200).text(), "ok");
    let answer = recorder.get("/many").expect_status(502);
    assert!(answer.text().contains("more than 16 interim responses"), "{}", answer.text());
    recorder.get("/again").expect_status(502);
    assert_eq!(records(recorder).len(), 3);
}

#[test]
fn two_lengths_are_one_on_the_way_on() {
    let dir = Dir::new();
    let both = answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    );
    let recorder = recorder(&dir, &["-t", &both]);
    let response = recorder.get("/x").expect_status(200);
    assert_eq!(response.header("content-length"), None);
    assert_eq!(response.text(), "abcde");
    assert_eq!(records(recorder).len(), 1);
}

#[test]
fn unclear_requests_reach_nobody() {
    let upstream = Upstream::start(|_| Reply::new(200, &[], "ok"));
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &upstream.url()]);
    for headers in [
        "Host: h\r\nTransfer-Encoding: gzip, chunked",
        "Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Host: h\r\nTransfer-Encoding: xchunked",
        "Host: h\r\nContent-Length: 1\r\nContent-Length: 2",
        "Host: h\r\nContent-Length: +5",
        "Host: h\r\nHost: h",
        "X: no host",
    ] {
        let request = format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n0\r\n\r\n");
        ask(&recorder, &request).expect_status(400);
    }
    ask(&recorder, "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
        .expect_status(501);
    assert!(upstream.received().is_empty());
    // A request with both lengths is forwarded once, with one of them.
    let both = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    ask(&recorder, both).expect_status(200);
    assert_eq!(records(recorder).len(), 1);
    let received = upstream.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body, b"abcde");
    assert_eq!(received[0].header("content-length"), None);
}

#[test]
fn the_recorder_is_no_target_of_its_own() {
    let dir = Dir::new();
    let recorder = recorder(&dir, &[]);
    let port = recorder.port();
    for own in
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1"]
    {
        let status = recorder.get(&format!("/http://{own}:{port}/x")).status;
        assert!(matches!(status, 400 | 403 | 502 | 508), "{own}: {status}");
    }
    recorder.get(&format!("/http://127.0.0.1:{port}/x")).expect_status(508);
    recorder.get("/http://169.254.169.254/latest/meta-data").expect_status(403);
    recorder.stop().expect_code(0);

    let limited = super::recorder(&dir, &["--allow-host", "*.test", "--deny-private"]);
    limited.get("/http://example.com/").expect_status(403);
    limited.stop().expect_code(0).expect_no_stdout().expect_stderr("dropped 1 (refused)");
    let public = super::recorder(&dir, &["--deny-private"]);
    public.get("/http://127.0.0.1:1/").expect_status(403);
    public.stop().expect_code(0);
}

#[test]
fn a_request_that_comes_round_is_508() {
    let dir = Dir::new();
    let upstream = Upstream::start(|request| Reply::new(200, &[], request.header("via").unwrap()));
    let recorder = recorder(&dir, &["-t", &upstream.url(), "--via"]);
    let via = recorder.get("/").expect_status(200).text();
    recorder
        .request("GET", "/")
        .header("Via", &format!("1.0 other, {via}"))
        .send()
        .expect_status(508);
    recorder.stop().expect_code(0);
}

#[test]
fn connections_are_used_again_and_stale_ones_replaced() {
    let dir = Dir::new();
    let (count, counted) = mpsc::channel();
    // Each connection answers twice, and is then closed without notice.
    let upstream = raw(move |mut reader, number| {
        count.send(number).unwrap();
        for _ in 0..2 {
            if skip_head(&mut reader) {
                reader
                    .get_mut()
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    .unwrap();
            }
        }
    });
    let recorder = recorder(&dir, &["-t", &upstream]);
    for _ in 0..7 {
        assert_eq!(recorder.get("/x").expect_status(200).text(), "ok");
    }
    assert_eq!(records(recorder).len(), 7);
    let connections = counted.try_iter().count();
    assert_eq!(connections, 4, "two requests a connection");
}

#[test]
fn trailers_pass_where_the_client_takes_them() {
    let dir = Dir::new();
    let upstream = answering(
        b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 42\r\n\r\n",
    );
    let recorder = recorder(&dir, &["-t", &upstream]);
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.to_ascii_lowercase().ends_with("2\r\nab\r\n0\r\nx-sum: 42\r\n\r\n"), "{text}");
    let record = &records(recorder)[0];
    assert_eq!(record["meta"]["hmt"]["trailers"]["response"]["x-sum"], "42");
}

#[test]
fn a_client_that_leaves_is_recorded_so() {
    let dir = Dir::new();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let upstream = raw(move |mut reader, _| {
        skip_head(&mut reader);
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n";
        reader.get_mut().write_all(head).unwrap();
        // Until the recorder closes.
        while reader.get_mut().write_all(&[b'x'; 65536]).is_ok() {}
        released.lock().unwrap().recv().unwrap();
    });
    let recorder = recorder(&dir, &["-t", &upstream, "--max-body", "1k"]);
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    drop(stream);
    let lines = recorder.wait_lines(1);
    let record = &super::parse(&format!("{}\n", lines[0]))[0];
    assert_eq!(record["meta"]["hmt"]["incomplete"], "client");
    assert_eq!(record["response"]["statusCode"], 200);
    recorder.stop().expect_code(0).expect_stderr("seen 1, written 1, dropped 0");
    drop(release);
}

#[test]
fn a_client_that_closes_its_side_gets_its_answer() {
    let dir = Dir::new();
    let upstream = Upstream::start(|_| Reply::new(200, &[], "late"));
    let recorder = recorder(&dir, &["-t", &upstream.url()]);
    let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("late"), "{text}");
    assert_eq!(records(recorder).len(), 1);
}
