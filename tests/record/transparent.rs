//! Upstream and client see the same with and without the recorder between them, except hop-by-hop
//! parts. The tables contain raw requests and responses; add a row for each difference that is
//! found.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use super::recorder;
use crate::harness::{Dir, HANG};

/// Hop-by-hop header fields (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/// A message as its reader sees it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Message {
    /// Without the version, which is hop-by-hop.
    first: Vec<u8>,
    /// End-to-end fields in their original case, grouped by name, otherwise in order.
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
    trailers: Vec<(Vec<u8>, Vec<u8>)>,
    whole: bool,
}

impl Message {
    fn read(stream: TcpStream, is_answer: bool, head_only: bool) -> Message {
        let mut reader = BufReader::new(stream);
        let line = read_line(&mut reader);
        let first = if is_answer {
            line.splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default().to_vec()
        } else {
            line.strip_suffix(b" HTTP/1.1").unwrap_or(&line).to_vec()
        };
        let fields = read_fields(&mut reader);
        let value = |name: &str| {
            let found = fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
            found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        let mut message = Message { first, whole: true, ..Message::default() };
        let status = String::from_utf8_lossy(&message.first).chars().take(3).collect::<String>();
        let bodiless = head_only || is_answer && matches!(status.as_str(), "204" | "304");
        if !bodiless && value("transfer-encoding").is_some() {
            loop {
                let line = String::from_utf8(read_line(&mut reader)).unwrap();
                let size = line.split(';').next().unwrap_or_default().trim().to_owned();
                let Ok(size) = u64::from_str_radix(&size, 16) else {
                    message.whole = false;
                    break;
                };
                if size == 0 {
                    message.trailers = lower(read_fields(&mut reader));
                    break;
                }
                reader.by_ref().take(size).read_to_end(&mut message.body).unwrap();
                read_line(&mut reader);
            }
        } else if !bodiless && let Some(length) = value("content-length") {
            let length: u64 = length.parse().unwrap();
            let _ = reader.by_ref().take(length).read_to_end(&mut message.body);
            message.whole = message.body.len() as u64 == length;
        } else if !bodiless && is_answer {
            message.whole = reader.read_to_end(&mut message.body).is_ok();
        }
        message.headers = fields;
        message.headers.retain(|(name, _)| {
            !HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop.as_bytes()))
        });
        message.headers = grouped(&message.headers);
        message
    }
}

fn read_line(reader: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut line = Vec::new();
    let _ = reader.read_until(b'\n', &mut line);
    line.strip_suffix(b"\r\n").unwrap_or(&line).to_vec()
}

fn read_fields(reader: &mut BufReader<TcpStream>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut fields = Vec::new();
    loop {
        let line = read_line(reader);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return fields };
        fields.push((line[..colon].to_vec(), line[colon + 1..].trim_ascii().to_vec()));
    }
}

fn lower(fields: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

/// Fields with the same name together, at the position of the first one.
fn grouped(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    for (name, _) in fields {
        if !names.contains(&name.to_ascii_lowercase()) {
            names.push(name.to_ascii_lowercase());
        }
    }
    let mut grouped = Vec::new();
    for name in names {
        let of_name = |(known, _): &&(Vec<u8>, Vec<u8>)| known.eq_ignore_ascii_case(&name);
        grouped.extend(fields.iter().filter(of_name).cloned());
    }
    grouped
}

/// An upstream that passes each request to the test, and responds as told.
struct Upstream {
    authority: String,
    requests: Receiver<Message>,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Upstream {
    fn start() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let (sender, requests) = mpsc::channel();
        let answer = Arc::<Mutex<Vec<u8>>>::default();
        let given = answer.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = Message::read(stream.try_clone().unwrap(), false, false);
                sender.send(request).unwrap();
                let mut stream = stream;
                let _ = stream.write_all(&given.lock().unwrap());
            }
        });
        Upstream { authority, requests, answer }
    }

    /// The messages of one exchange with `server` as both sides see them.
    fn exchange(&self, server: &str, request: &[u8]) -> (Message, Message) {
        let mut stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream.write_all(request).unwrap();
        let answer = Message::read(stream, true, request.starts_with(b"HEAD "));
        let seen = self.requests.recv_timeout(HANG).unwrap_or_else(|_| {
            let request = String::from_utf8_lossy(request).chars().take(300).collect::<String>();
            panic!("the upstream saw nothing of {request:?}; the answer was {answer:?}")
        });
        (seen, answer)
    }
}

fn request(line: &[u8], headers: &[u8], body: &[u8], host: &str) -> Vec<u8> {
    let host = format!("\r\nHost: {host}\r\n");
    let parts = [line, b" HTTP/1.1", host.as_bytes(), headers, b"Connection: close\r\n\r\n", body];
    parts.concat()
}

/// Request lines, header lines, bodies.
fn requests() -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let mut rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = Vec::new();
    for target in [
        "/",
        "/?",
        "/?x",
        "/?x=",
        "/?=x",
        "/?&&a",
        "/a+b?c+d=e+f",
        "/%2f%2F/%20",
        "/a;b=1?c;d",
        "/?q=%E9",
        "/?q=%E8",
        "//a//b",
        "/./a/../b",
        "/?a=1&b=2&a=3",
        "/?a=b=c",
        "/~u/*'()!$,:@",
        "/%00",
        "/%zz?%",
        "/caf\u{e9}?\u{e9}=1",
        "/?next=http://a.test/?b",
        "/a|b^{}\\?|",
        "/?[]{}",
        "/http://a.test/x",
        "/%7Euser/%7euser",
    ] {
        rows.push((format!("GET {target}").into(), vec![], vec![]));
    }
    for method in ["HEAD", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "M-SEARCH", "get"] {
        rows.push((format!("{method} /").into(), vec![], vec![]));
    }
    let many: String = (0..900).map(|n| format!("X-Many-{n}: {n}\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "v".repeat(200 << 10));
    for headers in [
        b"User-Agent: Test/1\r\nAccept: */*\r\n".as_slice(),
        b"x-lower: 1\r\nX-UPPER: 2\r\nx-MiXeD: 3\r\n",
        b"X-Latin: caf\xe9\r\n",
        b"X-Utf: caf\xc3\xa9\r\n",
        b"X-Empty:\r\n",
        b"X-Inner: a \t b\r\n",
        b"X-Twice: 1\r\nx-twice: 2\r\nX-TWICE: 1\r\n",
        b"Cookie: a=1; b=2\r\nCookie: c=3\r\n",
        b"Accept-Encoding: gzip, br;q=0.5, *;q=0\r\nRange: bytes=0-9\r\n",
        b"Authorization: Basic dTpw\r\nX-Under_Score: 1\r\n",
        b"If-None-Match: W/\"a\", \"b\"\r\nIf-Modified-Since: yesterday\r\n",
        b"Via: 1.1 other\r\nForwarded: for=a\r\nX-Forwarded-For: a, b\r\n",
        b"Cache-Control: no-cache\r\nPragma: no-cache\r\nMax-Forwards: 3\r\n",
        b"Origin: null\r\nReferer: http://a.test/?b#c\r\nSec-Fetch-Mode: cors\r\n",
        many.as_bytes(),
        long.as_bytes(),
    ] {
        rows.push((b"GET /headers".to_vec(), headers.to_vec(), vec![]));
    }
    let megabyte = vec![7; 1 << 20];
    for (line, headers, body) in [
        ("POST /", "Content-Length: 0\r\n", b"".as_slice()),
        ("POST /", "", b""),
        ("POST /", "content-LENGTH: 5\r\nContent-Type: text/plain\r\n", b"hello"),
        ("PUT /", "X-A: 1\r\nContent-Length: 3\r\nX-B: 2\r\n", b"\x00\xff\xfe"),
        ("PATCH /", "Content-Length: 1048576\r\n", &megabyte),
        ("GET /", "Content-Length: 2\r\n", b"{}"),
        ("DELETE /", "Content-Length: 2\r\n", b"{}"),
        ("POST /", "Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"),
        ("POST /", "Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        ("GET /", "Transfer-Encoding: chunked\r\n", b"1\r\na\r\n0\r\n\r\n"),
        (
            "POST /",
            "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n",
            b"1\r\na\r\n0\r\nX-Sum: 42\r\n\r\n",
        ),
        ("POST /", "Content-Encoding: gzip\r\nContent-Length: 3\r\n", b"no!"),
    ] {
        rows.push((line.into(), headers.into(), body.to_vec()));
    }
    rows
}

#[test]
fn requests_reach_the_upstream_as_they_are() {
    let dir = Dir::new();
    let upstream = Upstream::start();
    *upstream.answer.lock().unwrap() = b"HTTP/1.1 204 No Content\r\n\r\n".to_vec();
    let url = format!("http://{}", upstream.authority);
    let recorder = recorder(&dir, &["-t", &url, "--no-rewrite-redirects", "--keep-secrets"]);
    let through = format!("127.0.0.1:{}", recorder.port());
    let rows = requests();
    assert!(rows.len() >= 60, "{}", rows.len());
    for (line, headers, body) in &rows {
        let request = request(line, headers, body, &upstream.authority);
        let shown = String::from_utf8_lossy(&request).chars().take(300).collect::<String>();
        let (direct, _) = upstream.exchange(&upstream.authority, &request);
        let (seen, _) = upstream.exchange(&through, &request);
        assert_eq!(seen, direct, "{shown:?}");
    }
    let records = super::records(recorder);
    assert_eq!(records.len(), rows.len());
    for (record, (line, ..)) in records.iter().zip(&rows) {
        let target = String::from_utf8_lossy(line).split_once(' ').unwrap().1.to_owned();
        let escaped = target.replace('\u{e9}', "%C3%A9");
        assert_eq!(record["request"]["path"], escaped.as_str());
    }
    assert_eq!(records[29]["request"]["method"], "post");
    assert_eq!(records[29]["meta"]["hmt"]["method"], "PURGE");
    let latin = records.iter().find(|record| record["request"]["headers"].get("x-latin").is_some());
    let hmt = &latin.unwrap()["meta"]["hmt"];
    assert_eq!(hmt["headerBytes"]["request"]["x-latin"], "Y2Fm6Q==");
    let trailers: Vec<_> =
        records.iter().filter_map(|record| record["meta"]["hmt"].get("trailers")).collect();
    assert_eq!(trailers, [&serde_json::json!({"request": {"x-sum": "42"}})]);
}

/// Responses: each is for a GET unless the first of the pair is HEAD.
fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let mut rows: Vec<(&str, Vec<u8>)> = Vec::new();
    for status in [
        "200 OK",
        "200 Fine",
        "200 ",
        "201 Created",
        "202 Accepted",
        "203 Odd",
        "206 Partial Content",
        "207 Multi-Status",
        "226 IM Used",
        "299 Own",
        "300 Multiple Choices",
        "301 Moved Permanently",
        "302 Moved",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
        "400 bad REQUEST",
        "401 Unauthorized",
        "402 Pay",
        "404 Nope",
        "409 Conflict",
        "410 Gone",
        "418 I'm a teapot",
        "429 Slow down",
        "451 Unavailable",
        "500 Oops",
        "503 Service Unavailable",
        "599 Own",
        "600 Own",
        "999 Denied",
    ] {
        rows.push(("GET", format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok").into()));
    }
    for head in ["204 No Content", "304 Not Modified"] {
        rows.push(("GET", format!("HTTP/1.1 {head}\r\nETag: \"a\"\r\n\r\n").into()));
    }
    rows.push(("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 4321\r\n\r\n".to_vec()));
    rows.push(("HEAD", b"HTTP/1.1 404 No\r\n\r\n".to_vec()));
    rows.push(("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()));
    let many: String = (0..900).map(|n| format!("X-Many-{n}: {n}\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "v".repeat(200 << 10));
    for headers in [
        b"Server: Own/1\r\nDate: today\r\n".as_slice(),
        b"x-lower: 1\r\nX-UPPER: 2\r\nx-MiXeD: 3\r\nETAG: W/\"x\"\r\n",
        b"X-Latin: caf\xe9\r\n",
        b"X-Utf: caf\xc3\xa9\r\n",
        b"X-Empty:\r\n",
        b"Set-Cookie: a=1; Path=/; Domain=127.0.0.1\r\nset-cookie: b=2\r\nSet-Cookie: c=\r\n",
        b"Location: http://127.0.0.1:1/x\r\n",
        b"Location: /x?y#z\r\nRefresh: 0; url=/x\r\n",
        b"Content-Type: text/html; charset=ISO-8859-1\r\nContent-Language: de\r\n",
        b"WWW-Authenticate: Basic realm=\"a, b\"\r\nWWW-Authenticate: Digest a=b\r\n",
        b"Vary: *\r\nAge: 1\r\nWarning: 110 - \"stale\"\r\nVia: 1.1 other\r\n",
        b"Strict-Transport-Security: max-age=1\r\nAlt-Svc: h3=\":443\"\r\n",
        b"Content-Encoding: gzip\r\nContent-MD5: x\r\nDigest: y\r\n",
        many.as_bytes(),
        long.as_bytes(),
    ] {
        let answer = [b"HTTP/1.1 200 OK\r\n", headers, b"Content-Length: 2\r\n\r\nok"].concat();
        rows.push(("GET", answer));
    }
    let binary: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let chunks: Vec<u8> = binary
        .chunks(9_999)
        .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
        .collect();
    for (head, body) in [
        ("1.1 200 OK\r\ncontent-LENGTH: 0\r\n", b"".to_vec()),
        ("1.1 200 OK\r\nContent-Length: 300000\r\nX-After: 1\r\n", binary.clone()),
        ("1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", b"2\r\nok\r\n0\r\n\r\n".to_vec()),
        ("1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n".to_vec()),
        ("1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", [&chunks[..], b"0\r\n\r\n"].concat()),
        (
            "1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n",
            b"2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n".to_vec(),
        ),
        ("1.1 200 OK\r\n", b"until the close".to_vec()),
        ("1.0 200 OK\r\n", b"until the close".to_vec()),
        ("1.0 200 OK\r\nContent-Length: 2\r\n", b"ok".to_vec()),
        ("1.1 200 OK\r\nContent-Length: 9\r\n", b"cut".to_vec()),
        ("1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", b"3\r\ncut\r\n".to_vec()),
    ] {
        rows.push(("GET", [b"HTTP/", head.as_bytes(), b"\r\n", &body].concat()));
    }
    rows
}

#[test]
fn answers_reach_the_client_as_they_are() {
    let dir = Dir::new();
    let upstream = Upstream::start();
    let url = format!("http://{}", upstream.authority);
    let recorder = recorder(&dir, &["-t", &url, "--no-rewrite-redirects", "--keep-secrets"]);
    let through = format!("127.0.0.1:{}", recorder.port());
    let rows = answers();
    assert!(rows.len() >= 60, "{}", rows.len());
    for (method, answer) in &rows {
        answer.clone_into(&mut upstream.answer.lock().unwrap());
        let line = format!("{method} /");
        let request = request(line.as_bytes(), b"TE: trailers\r\n", b"", &upstream.authority);
        let (_, direct) = upstream.exchange(&upstream.authority, &request);
        let (_, seen) = upstream.exchange(&through, &request);
        let shown = String::from_utf8_lossy(answer).chars().take(300).collect::<String>();
        assert_eq!(seen, direct, "{method} {shown:?}");
    }
    let records = super::records(recorder);
    assert_eq!(records.len(), rows.len());
    let hmt = |row: usize| &records[row]["meta"]["hmt"];
    assert!(hmt(0).get("reason").is_none());
    assert_eq!((&hmt(1)["reason"], &hmt(2)["reason"]), (&"Fine".into(), &"".into()));
    let bytes: Vec<_> = (0..rows.len()).filter_map(|row| hmt(row).get("headerBytes")).collect();
    assert_eq!(bytes, [&serde_json::json!({"response": {"x-latin": "Y2Fm6Q=="}})]);
    let trailers: Vec<_> = (0..rows.len()).filter_map(|row| hmt(row).get("trailers")).collect();
    assert_eq!(trailers, [&serde_json::json!({"response": {"x-sum": "42"}})]);
    let cut = (0..rows.len()).filter(|row| hmt(*row).get("incomplete").is_some());
    assert_eq!(cut.collect::<Vec<_>>(), [rows.len() - 2, rows.len() - 1]);
}
