//! A server to record from; the test determines every byte.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as the upstream received it.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    /// Path and query, or any other target in the request line.
    pub target: String,
    /// In wire order, with names as received.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// The bytes of a response, after which the connection is closed.
pub struct Reply(pub Vec<u8>);

impl Reply {
    /// A complete response with its length.
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let length = body.len().to_string();
        let mut reply = Self::head(status, headers);
        if !matches!(status, 204 | 304) {
            reply.0.extend(format!("Content-Length: {length}\r\n").bytes());
        }
        reply.0.extend(b"\r\n");
        reply.0.extend(body);
        reply
    }

    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, &[("Content-Type", "application/json")], value.to_string())
    }

    /// A response in chunks.
    pub fn chunked(status: u16, headers: &[(&str, &str)], chunks: &[&[u8]]) -> Self {
        let mut reply = Self::head(status, headers);
        reply.0.extend(b"Transfer-Encoding: chunked\r\n\r\n");
        for chunk in chunks {
            reply.0.extend(format!("{:x}\r\n", chunk.len()).bytes());
            reply.0.extend_from_slice(chunk);
            reply.0.extend(b"\r\n");
        }
        reply.0.extend(b"0\r\n\r\n");
        reply
    }

    fn head(status: u16, headers: &[(&str, &str)]) -> Self {
        let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        Reply(head.into_bytes())
    }
}

/// An HTTP server on its own port, which runs as long as the test process.
pub struct Upstream {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Upstream {
    /// One thread for each connection, with one request each.
    pub fn start(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let (log, handler) = (received.clone(), Arc::new(handler));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, handler) = (log.clone(), handler.clone());
                thread::spawn(move || answer(stream, &log, &*handler));
            }
        });
        Upstream { address, received }
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far, in the order in which they were read.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn answer(stream: TcpStream, log: &Mutex<Vec<Received>>, handler: &dyn Fn(&Received) -> Reply) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(request) = read_request(&mut reader) else { return };
    log.lock().unwrap().push(request.clone());
    let Reply(bytes) = handler(&request);
    let mut stream = stream;
    let _ = stream.write_all(&bytes);
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let line = read_line(reader)?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = Vec::new();
    while let Some((name, value)) = read_line(reader)?.split_once(':') {
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut received = Received { method, target, headers, body: Vec::new() };
    if received.header("transfer-encoding").is_some() {
        loop {
            let size = u64::from_str_radix(read_line(reader)?.trim(), 16).ok()?;
            reader.take(size).read_to_end(&mut received.body).ok()?;
            read_line(reader)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = received.header("content-length") {
        let length = length.parse().ok()?;
        reader.take(length).read_to_end(&mut received.body).ok()?;
    }
    Some(received)
}

fn read_line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    (reader.read_line(&mut line).ok()? > 0).then_some(())?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}
