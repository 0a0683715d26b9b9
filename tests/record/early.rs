//! Responses before the end of an upload, and connections that belong to one client.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;

use super::raw::{raw, skip_head};
use super::{recorder, records};
use crate::harness::{Dir, HANG, Response, exchange_raw};

/// Longer than the buffers of all sockets on the way.
const UPLOAD: usize = 16 << 20;

/// Uploads to the end, then reads the response, as simple clients do.
fn upload(authority: &str, framing: &str) -> Response {
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream.set_write_timeout(Some(HANG)).unwrap();
    let head = format!("POST /up HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = vec![b'x'; 1 << 16];
    let chunked = framing.contains("chunked");
    for _ in 0..UPLOAD / chunk.len() {
        if chunked {
            stream.write_all(b"10000\r\n").unwrap();
        }
        stream.write_all(&chunk).unwrap();
        if chunked {
            stream.write_all(b"\r\n").unwrap();
        }
    }
    if chunked {
        stream.write_all(b"0\r\n\r\n").unwrap();
    }
    Response::read(&mut BufReader::new(stream), false)
}

#[test]
fn an_answer_during_the_upload_reaches_the_client() {
    // The server closes with most of the upload unread, which resets the connection.
    let upstream = raw(|mut reader, _| {
        assert!(skip_head(&mut reader));
        let mut some = [0; 1000];
        let _ = reader.read_exact(&mut some);
        let answer =
            b"HTTP/1.1 413 Too Much\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much";
        reader.get_mut().write_all(answer).unwrap();
        let _ = reader.get_mut().shutdown(Shutdown::Write);
        // Reads until the response is there, so that no reset overtakes it.
        let mut rest = [0; 1 << 16];
        let _ = reader.read(&mut rest);
    });
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &upstream]);
    let authority = format!("127.0.0.1:{}", recorder.port());
    let length = format!("Content-Length: {UPLOAD}");
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let framing =
                if number % 2 == 0 { length.clone() } else { "Transfer-Encoding: chunked".into() };
            let authority = authority.clone();
            thread::spawn(move || upload(&authority, &framing))
        })
        .collect();
    for client in clients {
        let answer = client.join().unwrap().expect_status(413);
        assert_eq!(answer.text(), "too much");
    }
    let records = records(recorder);
    assert_eq!(records.len(), 8);
    for record in records {
        assert_eq!(record["response"]["statusCode"], 413);
        assert_eq!(record["meta"]["hmt"]["reason"], "Too Much");
        assert_ne!(record["meta"]["hmt"]["incomplete"], "client");
    }
}

#[test]
fn a_dead_target_is_named_after_the_upload() {
    let dir = Dir::new();
    // Nobody listens on port 1.
    let recorder = recorder(&dir, &["-t", "http://127.0.0.1:1"]);
    let authority = format!("127.0.0.1:{}", recorder.port());
    upload(&authority, &format!("Content-Length: {UPLOAD}")).expect_status(502);
    let refused = super::recorder(&dir, &[]);
    let authority = format!("127.0.0.1:{}", refused.port());
    upload(&authority, "Transfer-Encoding: chunked").expect_status(400);
}

#[test]
fn who_waits_to_be_asked_is_not_asked_for_nothing() {
    let dir = Dir::new();
    // Nobody listens on port 1.
    for args in [["-t", "http://127.0.0.1:1"].as_slice(), &[]] {
        let recorder = recorder(&dir, args);
        let mut stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        let head =
            b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
        stream.write_all(head).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 4") || line.starts_with("HTTP/1.1 502"), "{line}");
    }
}

/// A server with authenticated connections: `NTLM 1` is answered with a challenge, `NTLM 2:NAME`
/// logs in, and after that the connection belongs to NAME.
fn ntlm() -> String {
    raw(|reader, _| {
        thread::spawn(move || {
            let mut reader = reader;
            let mut name: Option<String> = None;
            while let Some(given) = authorization(&mut reader) {
                match given.as_deref().and_then(|given| given.split_once(' ')) {
                    Some(("NTLM", message)) if message.starts_with("2:") => {
                        name = Some(message[2..].to_owned());
                    }
                    Some(_) => name = None,
                    None => (),
                }
                let answer = match &name {
                    Some(name) => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len()),
                    None => "HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM challenge\r\nContent-Length: 0\r\n\r\n".to_owned(),
                };
                if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
    })
}

/// Reads a request; returns its `Authorization`.
fn authorization(reader: &mut BufReader<TcpStream>) -> Option<Option<String>> {
    let mut found = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(found);
        }
        if let Some(value) = line.trim_end().strip_prefix("Authorization: ") {
            found = Some(value.to_owned());
        }
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn ask(&mut self, authorization: &str) -> Response {
        let request = format!("GET /x HTTP/1.1\r\nHost: h\r\n{authorization}\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        Response::read(&mut self.0, false)
    }
}

#[test]
fn clients_never_share_a_login() {
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &ntlm()]);
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        Client(BufReader::new(stream))
    };
    let names = ["ann", "bob", "cat"];
    let mut clients: Vec<Client> = names.iter().map(|_| connect()).collect();
    for client in &mut clients {
        client.ask("").expect_status(401);
    }
    for client in &mut clients {
        client.ask("Authorization: NTLM 1\r\n").expect_status(401);
    }
    for (client, name) in clients.iter_mut().zip(names).rev() {
        client.ask(&format!("Authorization: NTLM 2:{name}\r\n")).expect_status(200);
    }
    for _ in 0..3 {
        for (client, name) in clients.iter_mut().zip(names) {
            assert_eq!(client.ask("").expect_status(200).text(), name);
        }
    }
    // A new client is not logged in, even after the others have left.
    connect().ask("").expect_status(401);
    drop(clients);
    connect().ask("").expect_status(401);
    assert_eq!(records(recorder).len(), 20);
}

#[test]
fn an_upload_with_trailers_is_whole() {
    let upstream = raw(|mut reader, _| {
        assert!(skip_head(&mut reader));
        let mut line = String::new();
        // The last line of the trailers.
        while line != "\r\n" {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0);
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        reader.get_mut().write_all(answer).unwrap();
    });
    let dir = Dir::new();
    let recorder = recorder(&dir, &["-t", &upstream]);
    let request = "POST /up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\
                   Connection: close\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
    let authority = format!("127.0.0.1:{}", recorder.port());
    exchange_raw(&authority, request.as_bytes(), false).expect_status(200);
    let record = &records(recorder)[0];
    assert_eq!(record["request"]["body"], "abc");
    assert_eq!(record["meta"]["hmt"]["trailers"]["request"]["x-sum"], "1");
    assert_eq!(record["meta"]["hmt"]["incomplete"], serde_json::Value::Null, "{record}");
}
