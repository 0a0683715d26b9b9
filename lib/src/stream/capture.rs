//! Captures of other tools as sources: each exchange in one becomes a line, numbered from 1.
//!
//! Each format has a file in this folder with a [`CaptureReader`], and a row in the table of
//! `detect.rs`.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::block::{Block, BlockKind};
use crate::exchange::{
    Body, DecodeLimits, Exchange, LineError, Meta, Method, Pairs, Protocol, decode_body, write_line,
};

/// The next entry of a capture.
pub(super) enum CaptureEntry {
    /// An exchange.
    Exchange(Box<Exchange<'static>>),
    /// An entry with another scheme than HTTP, by its kind: `ws`, `data`.
    PassedOver(String),
    /// An entry of this many bytes, which is not held in memory.
    TooLong(u64),
    /// An entry that is not a valid exchange.
    Rejected(LineError),
    /// The capture ends early, within an entry or after one.
    Cut,
    /// The end.
    End,
}

/// Reads the entries of a capture one by one.
pub(super) trait CaptureReader: Send {
    /// Reads the next entry.
    ///
    /// # Errors
    /// The input cannot be read, or is not a capture of this kind.
    fn next(&mut self) -> io::Result<CaptureEntry>;

    /// Further remarks, available at the end.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Splits a capture into blocks of lines.
pub(super) struct Entries {
    source: Arc<str>,
    capture: Box<dyn CaptureReader>,
    block_size: usize,
    /// The number of the next entry.
    next: u64,
    read: u64,
    passed_over: BTreeMap<String, u64>,
    held: Option<Block>,
    ended: bool,
}

impl Entries {
    pub(super) fn new(
        source: Arc<str>,
        capture: Box<dyn CaptureReader>,
        block_size: usize,
    ) -> Self {
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
                CaptureEntry::End => {
                    self.ended = true;
                    break;
                }
                CaptureEntry::Exchange(exchange) => {
                    write_line(&exchange, &mut bytes);
                    self.next += 1;
                    self.read += 1;
                    continue;
                }
                CaptureEntry::PassedOver(what) => {
                    *self.passed_over.entry(what).or_default() += 1;
                    self.next += 1;
                    if bytes.is_empty() {
                        first = self.next;
                        continue;
                    }
                    // The numbers within a block have no gaps.
                    break;
                }
                CaptureEntry::TooLong(size) => BlockKind::TooLong(size),
                CaptureEntry::Rejected(error) => BlockKind::Rejected(error),
                CaptureEntry::Cut => {
                    self.ended = true;
                    let why = format!(
                        "the capture is cut off within this entry; exchanges read before it: {}",
                        self.read
                    );
                    BlockKind::Rejected(LineError::new(why, 0))
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
        Ok(Some(self.block(first, bytes, BlockKind::Lines)))
    }

    /// Remarks on skipped entries and others.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let total: u64 = self.passed_over.values().sum();
        if total > 0 {
            let kinds: Vec<String> =
                self.passed_over.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            let kinds = kinds.join(", ");
            notes.push(format!(
                "{}: {total} entries skipped that are not HTTP exchanges: {kinds}",
                self.source
            ));
        }
        notes.extend(self.capture.notes().iter().map(|note| format!("{}: {note}", self.source)));
        notes
    }

    fn block(&self, first_line: u64, bytes: Vec<u8>, kind: BlockKind) -> Block {
        Block { source: Arc::clone(&self.source), first_line, bytes, kind }
    }
}

/// Decodes the Content-Encoding of a body. A body that cannot be decoded is left out, and its size
/// is returned.
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

/// The method for a line. One that the format has no name for goes under `meta`.
pub(super) fn method(text: &str, meta: &mut Meta<'static>) -> Result<Method, LineError> {
    // The characters of a token (RFC 9110, section 5.6.2).
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_token) {
        return Err(LineError::new(format!("{text:?} is not an HTTP method"), 0));
    }
    Ok(text.parse().unwrap_or_else(|_| {
        meta.method = Some(text.to_owned().into());
        Method::Post
    }))
}

/// `host[:port]` without the default port of the scheme.
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
