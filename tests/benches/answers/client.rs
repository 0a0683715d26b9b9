//! A small pipelining HTTP/1.1 client that shares no code with HMT.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::judge::Case;

/// Number of requests sent before their responses are read.
const BATCH: u64 = 16;

pub struct Client {
    stream: BufReader<TcpStream>,
    authority: String,
}

impl Client {
    pub fn connect(authority: &str) -> io::Result<Client> {
        let stream = TcpStream::connect(authority)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        Ok(Client {
            stream: BufReader::with_capacity(1 << 18, stream),
            authority: authority.to_owned(),
        })
    }

    /// Requests a case's response `count` times, and passes each to a function.
    pub fn ask(
        &mut self,
        case: &Case,
        count: u64,
        mut show: impl FnMut(u16, &[u8]),
    ) -> io::Result<()> {
        let request = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nAccept: {}\r\nPrefer: code={}, dynamic=true\r\nContent-Length: 0\r\n\r\n",
            case.method, case.path, self.authority, case.media, case.status
        );
        let mut left = count;
        while left > 0 {
            let now = left.min(BATCH);
            self.stream.get_mut().write_all(request.repeat(now as usize).as_bytes())?;
            for _ in 0..now {
                let (status, body) = self.answer()?;
                show(status, &body);
            }
            left -= now;
        }
        Ok(())
    }

    fn answer(&mut self) -> io::Result<(u16, Vec<u8>)> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| wrong(&format!("no status line: {line:?}")))?;
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|_| wrong("a length that is none"))?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, body))
    }
}
