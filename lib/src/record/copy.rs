//! A bounded copy of a body that is streamed.

use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use parking_lot::{Mutex, MutexGuard};

use crate::exchange::Side;

/// Maximum capacity reserved in advance for an announced length, because the announcement may be
/// false.
const MAX_ROOM: usize = 1 << 20;

/// The first bytes of a body, and its total size.
#[derive(Debug, Default)]
pub(super) struct BodyCopy {
    limit: usize,
    /// The announced length, up to the maximum; 0 without an announcement.
    room: usize,
    total: u64,
    /// Most bodies are one frame. It is shared instead of copied, although this pins its buffer.
    first: Bytes,
    /// All bytes of a body of several frames. Frames may be tiny, and each one would pin its whole
    /// read buffer.
    all: Vec<u8>,
}

impl BodyCopy {
    pub(super) fn new(limit: usize) -> Self {
        BodyCopy { limit, ..BodyCopy::default() }
    }

    /// Reserves capacity for a body of this length, so that it is not reallocated while it grows.
    pub(super) fn expect(mut self, length: Option<u64>) -> Self {
        let length = length.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        self.room = length.min(self.limit).min(MAX_ROOM);
        self
    }

    pub(super) fn push(&mut self, data: &Bytes) {
        self.total += data.len() as u64;
        if self.first.is_empty() && self.all.is_empty() {
            self.first = data.slice(..data.len().min(self.limit));
            return;
        }
        if self.all.is_empty() {
            self.all.reserve_exact(self.room);
            self.all.extend_from_slice(&self.first);
            self.first = Bytes::new();
        }
        let room = self.limit.saturating_sub(self.all.len());
        self.all.extend_from_slice(&data[..data.len().min(room)]);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        if self.all.is_empty() { &self.first } else { &self.all }
    }

    /// The full size, if the copy is truncated.
    pub(super) fn truncated(&self) -> Option<u64> {
        (self.total > self.bytes().len() as u64).then_some(self.total)
    }
}

/// The copy of the request body, shared between the upload and the recording.
#[derive(Debug)]
pub(super) struct Upload {
    state: Mutex<UploadState>,
}

#[derive(Debug)]
pub(super) struct UploadState {
    pub(super) copy: BodyCopy,
    /// When the client last sent bytes.
    pub(super) progress: Instant,
    pub(super) end: Option<UploadEnd>,
    /// The announced length, if any.
    length: Option<u64>,
    pub(super) trailers: HeaderMap,
}

impl UploadState {
    /// The full size, if the copy is truncated. It is the announced one if the upstream answered
    /// before the whole body arrived.
    pub(super) fn truncated(&self) -> Option<u64> {
        match self.end {
            None => self.length.filter(|length| *length > self.copy.bytes().len() as u64),
            Some(_) => self.copy.truncated(),
        }
    }

    /// The side that cut the body short, if any.
    pub(super) fn cut_by(&self) -> Option<Side> {
        match self.end {
            Some(UploadEnd::Whole) => None,
            Some(UploadEnd::Broken) => Some(Side::Client),
            // The upstream answered without waiting for the rest, whose length is unknown.
            None => self.length.is_none().then_some(Side::Upstream),
        }
    }
}

/// How an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UploadEnd {
    Whole,
    /// The client closed the connection, or broke the framing.
    Broken,
}

impl Upload {
    pub(super) fn new(limit: usize, length: Option<u64>) -> Self {
        let copy = BodyCopy::new(limit).expect(length);
        let (progress, trailers) = (Instant::now(), HeaderMap::new());
        let state = UploadState { copy, progress, end: None, length, trailers };
        Upload { state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, UploadState> {
        self.state.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_bounded_and_know_the_whole() {
        let mut copy = BodyCopy::new(5);
        copy.push(&Bytes::from_static(b"abc"));
        assert_eq!((copy.bytes(), copy.truncated()), (b"abc".as_slice(), None));
        copy.push(&Bytes::from_static(b"defg"));
        assert_eq!((copy.bytes(), copy.truncated()), (b"abcde".as_slice(), Some(7)));
        let mut copy = BodyCopy::new(2);
        copy.push(&Bytes::from_static(b"abc"));
        copy.push(&Bytes::from_static(b"d"));
        assert_eq!((copy.bytes(), copy.truncated()), (b"ab".as_slice(), Some(4)));
        let mut none = BodyCopy::new(0);
        none.push(&Bytes::from_static(b"abc"));
        assert_eq!((none.bytes(), none.truncated()), (b"".as_slice(), Some(3)));
    }
}
