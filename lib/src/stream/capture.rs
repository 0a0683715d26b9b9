//! Captures of other tools as sources: each exchange in one becomes a line, numbered from 1.
//!
//! A format is a file of this folder with a [`Capture`], and a line in the table of `detect.rs`.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::block::{Block, Kind};
use crate::exchange::{
    Body, DecodeLimits, Exchange, LineError, Meta, Method, Pairs, Protocol, decode_body, write_line,
};

/// What comes next in a capture.
pub(super) enum Step {
    /// An exchange.
    Exchange(Box<Exchange<'static>>),
    /// An entry that is no exchange of HTTP, by its kind: `ws`, `data`.
    PassedOver(String),
    /// An entry of so many bytes, more than are held.
    TooLong(u64),
    /// An entry that cannot be an exchange.
    Rejected(LineError),
    /// The capture ends within an entry, or before its own end.
    Cut,
    /// The end.
    End,
}

/// Reads the entries of a capture one by one.
pub(super) trait Capture: Send {
    /// The next entry.
    ///
    /// # Errors
    /// The input cannot be read, or is no such capture.
    fn next(&mut self) -> io::Result<Step>;

    /// What else is worth knowing at the end.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A capture, cut into blocks of lines.
pub(super) struct Entries {
    source: Arc<str>,
    capture: Box<dyn Capture>,
    block_size: usize,
    /// The number of the next entry.
    next: u64,
    read: u64,
    passed_over: BTreeMap<String, u64>,
    held: Option<Block>,
    ended: bool,
}

impl Entries {
    pub(super) fn new(source: Arc<str>, capture: Box<dyn Capture>, block_size: usize) -> Self {
        Entries {
            source,
            capture,
            block_size,
            next: 1,
            read: 0,
            passed_over: BTreeMap::new(),
            held: None,
            ended: false,
        }
    }

    /// The next block of lines; `None` at the end of the capture.
    pub(super) fn next_block(&mut self) -> io::Result<Option<Block>> {
        if let Some(block) = self.held.take() {
            return Ok(Some(block));
        }
        let mut first = self.next;
        let mut bytes = Vec::new();
        while !self.ended && bytes.len() < self.block_size {
            let kind = match self.capture.next()? {
                Step::End => {
                    self.ended = true;
                    break;
                }
                Step::Exchange(exchange) => {
                    write_line(&exchange, &mut bytes);
                    self.next += 1;
                    self.read += 1;
                    continue;
                }
                Step::PassedOver(what) => {
                    *self.passed_over.entry(what).or_default() += 1;
                    self.next += 1;
                    if bytes.is_empty() {
                        first = self.next;
                        continue;
                    }
                    // The numbers within a block have no gaps.
                    break;
                }
                Step::TooLong(size) => Kind::TooLong(size),
                Step::Rejected(error) => Kind::Rejected(error),
                Step::Cut => {
                    self.ended = true;
                    let why = format!(
                        "the capture ends early, within this entry; exchanges read before it: {}",
                        self.read
                    );
                    Kind::Rejected(LineError::new(why, 0))
                }
            };
            let odd = self.block(self.next, Vec::new(), kind);
            self.next += 1;
            if bytes.is_empty() {
                return Ok(Some(odd));
            }
            self.held = Some(odd);
            break;
        }
        if bytes.is_empty() {
            return if self.ended { Ok(None) } else { self.next_block() };
        }
        Ok(Some(self.block(first, bytes, Kind::Lines)))
    }

    /// What was passed over, and what else is worth knowing.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let total: u64 = self.passed_over.values().sum();
        if total > 0 {
            let kinds: Vec<String> =
                self.passed_over.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            let kinds = kinds.join(", ");
            notes.push(format!(
                "{}: {total} entries passed over that are no HTTP exchanges: {kinds}",
                self.source
            ));
        }
        notes.extend(self.capture.notes().iter().map(|note| format!("{}: {note}", self.source)));
        notes
    }

    fn block(&self, first_line: u64, bytes: Vec<u8>, kind: Kind) -> Block {
        Block { source: Arc::clone(&self.source), first_line, bytes, kind }
    }
}

/// A body as a record holds it: its Content-Encoding undone. One that cannot be decoded is left out; its size is given then.
pub(super) fn decoded(bytes: &[u8], headers: &Pairs<'_>) -> (Body<'static>, Option<u64>) {
    let codings: Vec<&str> = headers
        .iter()
        .filter(|(name, _)| name == "content-encoding")
        .map(|(_, value)| value.as_ref())
        .collect();
    let decoded = decode_body(bytes, Some(&codings.join(",")), DecodeLimits::default());
    match decoded.problem {
        Some(_) => (Body::Empty, Some(bytes.len() as u64)),
        None => (Body::from_bytes(decoded.bytes.into_owned()), None),
    }
}

/// The method of a line; one outside its nine stands under `meta`.
pub(super) fn method(text: &str, meta: &mut Meta<'static>) -> Result<Method, LineError> {
    // Characters of a token (RFC 9110, section 5.6.2).
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_token) {
        return Err(LineError::new(format!("{text:?} is no method of HTTP"), 0));
    }
    Ok(text.parse().unwrap_or_else(|_| {
        meta.method = Some(text.to_owned().into());
        Method::Post
    }))
}

/// `host[:port]` without the port that the scheme implies.
pub(super) fn authority(host: &str, port: Option<u64>, protocol: Protocol) -> String {
    let host = host.to_ascii_lowercase();
    let host =
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    let implied = match protocol {
        Protocol::Http => 80,
        Protocol::Https => 443,
    };
    match port.filter(|port| *port != implied && *port != 0) {
        Some(port) if !host.is_empty() => format!("{host}:{port}"),
        _ => host,
    }
}
