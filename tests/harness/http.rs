//! A plain HTTP/1.1 client that shares no code with the tested programs. It sends the given bytes
//! exactly, and returns exactly the bytes that it receives.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;

use super::HANG;

/// A request to send. Only `Host`, `Connection: close` and `Content-Length` are added.
pub struct Request {
    method: String,
    authority: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// `url` is `http://host:port/…`; everything from the slash on is sent unchanged.
    #[track_caller]
    pub fn new(method: &str, url: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("no http URL: {url}"));
        let (authority, target) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        Request {
            method: method.to_owned(),
            authority: authority.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds a header; `Host` replaces the default one.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(bytes.into());
        self
    }

    /// A JSON body with its content type.
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.header("Content-Type", "application/json").body(value.to_string())
    }

    /// Sends it and reads the whole response.
    #[track_caller]
    pub fn send(self) -> Response {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {}\r\n", self.authority);
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "Connection: close\r\n\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend(self.body.unwrap_or_default());
        exchange_raw(&self.authority, &bytes, self.method == "HEAD")
    }
}

/// Sends bytes unchanged and reads one response.
#[track_caller]
pub fn exchange_raw(authority: &str, bytes: &[u8], head_only: bool) -> Response {
    let mut stream = TcpStream::connect(authority).unwrap_or_else(|e| panic!("{authority}: {e}"));
    stream.set_read_timeout(Some(HANG)).unwrap();
    // A server may respond and close before it has read a whole body that it does not want.
    let _ = stream.write_all(bytes);
    Response::read(&mut BufReader::new(stream), head_only)
}

/// A response as received.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// In wire order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Without the framing of chunks; still encoded.
    pub body: Vec<u8>,
    /// Whether the body was complete according to its framing.
    pub complete: bool,
}

impl Response {
    #[track_caller]
    pub fn read(reader: &mut impl BufRead, head_only: bool) -> Self {
        loop {
            let mut response = Self::read_head(reader);
            // Interim responses precede the final one.
            if (100..200).contains(&response.status) && response.status != 101 {
                continue;
            }
            if !head_only && !matches!(response.status, 101 | 204 | 304) {
                response.read_body(reader);
            }
            return response;
        }
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("no JSON: {e}\n{self:?}\n{}", self.text()))
    }

    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.text());
        self
    }

    #[track_caller]
    fn read_head(reader: &mut impl BufRead) -> Self {
        let line = read_line(reader);
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = read_line(reader);
            let Some((name, value)) = line.split_once(':') else {
                return Response { status, headers, body: Vec::new(), complete: true };
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn read_body(&mut self, reader: &mut impl BufRead) {
        if self.header("transfer-encoding").is_some_and(|v| v.ends_with("chunked")) {
            self.complete = self.read_chunks(reader).is_some();
        } else if let Some(length) = self.header("content-length") {
            let length: u64 = length.parse().unwrap();
            let _ = reader.take(length).read_to_end(&mut self.body);
            self.complete = self.body.len() as u64 == length;
        } else {
            self.complete = reader.read_to_end(&mut self.body).is_ok();
        }
    }

    /// `None` if the stream ends before the last chunk.
    fn read_chunks(&mut self, reader: &mut impl BufRead) -> Option<()> {
        loop {
            let line = read_line(reader);
            let size = u64::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
            if size == 0 {
                while !read_line(reader).is_empty() {}
                return Some(());
            }
            let before = self.body.len() as u64;
            reader.take(size).read_to_end(&mut self.body).ok()?;
            (self.body.len() as u64 - before == size).then_some(())?;
            read_line(reader);
        }
    }
}

/// One line without its line break; empty at the end of the stream.
fn read_line(reader: &mut impl BufRead) -> String {
    let mut line = Vec::new();
    let _ = reader.read_until(b'\n', &mut line);
    String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()
}
