//! The journal: the last requests and their answers, in memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

use super::super::answer::{Answer, AnswerSource};
use crate::net::Target;

/// Maximum size of all entries in bytes; the oldest are removed first.
const MAX_BYTES: usize = 64 << 20;

/// Maximum size of a body in bytes; longer bodies are truncated.
const MAX_BODY: usize = 64 << 10;

/// The approximate size of an entry without its bodies and headers.
const OVERHEAD: usize = 512;

/// A request and its answer.
#[derive(Debug)]
pub(in crate::mock) struct Entry {
    /// From 1, in the order of the answers.
    pub(in crate::mock) id: u64,
    pub(in crate::mock) at: SystemTime,
    pub(in crate::mock) took: Duration,
    pub(in crate::mock) method: Method,
    /// The target of the request.
    pub(in crate::mock) target: Target,
    pub(in crate::mock) request_headers: HeaderBlock,
    pub(in crate::mock) request_body: Kept,
    pub(in crate::mock) status: StatusCode,
    pub(in crate::mock) headers: HeaderBlock,
    pub(in crate::mock) body: Kept,
    pub(in crate::mock) source: Option<AnswerSource>,
    /// `METHOD template`.
    pub(in crate::mock) operation: Option<Arc<str>>,
    pub(in crate::mock) violations: Vec<Value>,
    pub(in crate::mock) scope: Option<Arc<str>>,
}

impl Entry {
    /// False if neither an operation nor another part of the mock took the request.
    pub(in crate::mock) fn is_matched(&self) -> bool {
        let refused = matches!(self.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        self.operation.is_some()
            || match self.source {
                Some(AnswerSource::Override) => true,
                Some(AnswerSource::Upstream) => false,
                _ => !refused,
            }
    }

    fn size(&self) -> usize {
        let heads = self.request_headers.0.len() + self.headers.0.len();
        OVERHEAD + heads + self.request_body.bytes.len() + self.body.bytes.len()
    }
}

/// Headers in one allocation. A received header map would keep the whole buffer that the connection
/// read it into.
#[derive(Debug)]
pub(in crate::mock) struct HeaderBlock(Box<[u8]>);

impl HeaderBlock {
    fn of(headers: &HeaderMap) -> HeaderBlock {
        let size = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 2).sum();
        let mut block = Vec::with_capacity(size);
        for (name, value) in headers {
            block.extend_from_slice(name.as_str().as_bytes());
            // Neither a name nor a value has these bytes.
            block.push(b'\n');
            block.extend_from_slice(value.as_bytes());
            block.push(b'\n');
        }
        HeaderBlock(block.into_boxed_slice())
    }

    /// The headers, in their order.
    pub(in crate::mock) fn to_map(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut parts = self.0.split(|&byte| byte == b'\n');
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            let (name, value) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value));
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        headers
    }
}

/// The beginning of a body.
#[derive(Debug, Default)]
pub(in crate::mock) struct Kept {
    pub(in crate::mock) bytes: Bytes,
    /// The length of the whole body, if it was truncated.
    pub(in crate::mock) whole: Option<u64>,
}

impl Kept {
    /// A copy. A received body would keep the buffer that the connection read it into.
    fn copy_of(body: &Bytes) -> Kept {
        let kept = Kept::of(body);
        Kept { bytes: Bytes::copy_from_slice(&kept.bytes), ..kept }
    }

    /// A long body is copied, so that the rest of it is freed.
    pub(in crate::mock) fn of(body: &Bytes) -> Kept {
        if body.len() <= MAX_BODY {
            return Kept { bytes: body.clone(), whole: None };
        }
        let bytes = Bytes::copy_from_slice(&body[..MAX_BODY]);
        Kept { bytes, whole: Some(body.len() as u64) }
    }
}

/// A request that was answered.
pub(in crate::mock) struct Served<'a> {
    pub(in crate::mock) at: SystemTime,
    pub(in crate::mock) took: Duration,
    pub(in crate::mock) request: &'a Parts,
    pub(in crate::mock) target: Target,
    pub(in crate::mock) request_body: &'a Bytes,
    pub(in crate::mock) answer: &'a mut Answer,
    pub(in crate::mock) scope: Option<Arc<str>>,
}

/// The last requests, oldest first.
#[derive(Debug)]
pub(in crate::mock) struct Journal {
    capacity: usize,
    entries: Mutex<Entries>,
    /// The id of the last entry.
    last: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Entries {
    all: VecDeque<Entry>,
    bytes: usize,
    last: u64,
}

impl Journal {
    /// At most `capacity` entries; 0 keeps none.
    pub(super) fn new(capacity: usize) -> Journal {
        Journal { capacity, entries: Mutex::default(), last: watch::Sender::new(0) }
    }

    /// False if there is no journal.
    pub(in crate::mock) fn is_kept(&self) -> bool {
        self.capacity > 0
    }

    /// Adds an entry, and removes the oldest ones if there are too many.
    pub(in crate::mock) fn add(&self, served: Served<'_>) {
        let Served { at, took, request, target, request_body, answer, scope } = served;
        let mut entry = Entry {
            id: 0,
            at,
            took,
            method: request.method.clone(),
            target,
            request_headers: HeaderBlock::of(&request.headers),
            request_body: Kept::copy_of(request_body),
            status: answer.status,
            headers: HeaderBlock::of(&answer.headers),
            body: match answer.source {
                Some(AnswerSource::Upstream) => Kept::copy_of(&answer.body),
                _ => Kept::of(&answer.body),
            },
            source: answer.source,
            operation: answer.operation.take(),
            violations: std::mem::take(&mut answer.violations),
            scope,
        };
        let mut forgotten = Vec::new();
        let mut entries = self.entries.lock();
        entries.last += 1;
        entry.id = entries.last;
        entries.bytes += entry.size();
        entries.all.push_back(entry);
        while entries.all.len() > self.capacity || entries.bytes > MAX_BYTES {
            let Some(oldest) = entries.all.pop_front() else { break };
            entries.bytes -= oldest.size();
            forgotten.push(oldest);
        }
        let last = entries.last;
        drop(entries);
        // Freed after the lock is released.
        drop(forgotten);
        if self.last.receiver_count() > 0 {
            self.last.send_replace(last);
        }
    }

    /// Removes all entries. The next id is not reset.
    pub(in crate::mock) fn clear(&self) {
        let mut entries = self.entries.lock();
        let forgotten = std::mem::take(&mut entries.all);
        entries.bytes = 0;
        drop(entries);
        drop(forgotten);
    }

    /// The results of `read` for the entries after this id, oldest first.
    pub(in crate::mock) fn after<T>(
        &self,
        id: u64,
        mut read: impl FnMut(&Entry) -> Option<T>,
    ) -> Vec<T> {
        let entries = self.entries.lock();
        let start = entries.all.partition_point(|entry| entry.id <= id);
        entries.all.range(start..).filter_map(&mut read).collect()
    }

    /// The id of the last entry so far; 0 if there is none.
    pub(in crate::mock) fn last_id(&self) -> u64 {
        self.entries.lock().last
    }

    /// Notifies about new entries.
    pub(in crate::mock) fn changes(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use crate::exchange::Protocol;

    use super::*;

    fn serve(journal: &Journal, body: &Bytes) {
        let request = http::Request::get("/pets").body(()).unwrap().into_parts().0;
        let host = "a.test".to_owned();
        let path_and_query = "/pets".to_owned();
        journal.add(Served {
            at: SystemTime::now(),
            took: Duration::ZERO,
            request: &request,
            target: Target { protocol: Protocol::Http, host, path_and_query },
            request_body: body,
            answer: &mut Answer::empty(StatusCode::OK),
            scope: None,
        });
    }

    fn ids(journal: &Journal, after: u64) -> Vec<u64> {
        journal.after(after, |entry| Some(entry.id))
    }

    #[test]
    fn headers_come_back_in_their_order() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("a", "1"), ("b", ""), ("a", "x: y"), ("c", "\u{e9}")] {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        assert_eq!(HeaderBlock::of(&headers).to_map(), headers);
        assert!(HeaderBlock::of(&HeaderMap::new()).to_map().is_empty());
    }

    #[test]
    fn the_oldest_entries_go_first() {
        let journal = Journal::new(2);
        for _ in 0..3 {
            serve(&journal, &Bytes::new());
        }
        assert_eq!(ids(&journal, 0), [2, 3]);
        assert_eq!(ids(&journal, 2), [3]);
        journal.clear();
        serve(&journal, &Bytes::new());
        assert_eq!(ids(&journal, 0), [4]);
    }

    #[test]
    fn bodies_are_cut_and_their_sum_is_bounded() {
        let journal = Journal::new(10_000);
        let body = Bytes::from(vec![b'x'; MAX_BODY + 1]);
        for _ in 0..1100 {
            serve(&journal, &body);
        }
        assert_eq!(ids(&journal, 0).len(), MAX_BYTES / (MAX_BODY + OVERHEAD));
        let kept = journal.after(0, |entry| Some(entry.request_body.whole));
        assert!(kept.iter().all(|whole| *whole == Some(MAX_BODY as u64 + 1)));
    }
}
