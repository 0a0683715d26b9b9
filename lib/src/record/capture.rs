//! One exchange in progress. It becomes a record, however it ends.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, Method};
use hyper::ext::ReasonPhrase;
use percent_encoding::{CONTROLS, utf8_percent_encode};

use super::copy::{BodyCopy, Upload, UploadState};
use super::journal::Acknowledgement;
use super::recorded_body::{missing, recorded_body};
use super::recorder::Recorder;
use super::tally::Dropped;
use crate::exchange::{
    Exchange, Meta, Request, Response, Side, parse_query, timestamp, write_line,
};
use crate::net::{Target, bytes_beyond_text, latin1, recorded_headers, recorded_request_headers};

/// Maximum number of chunks of a streamed response whose times are recorded.
const MAX_CHUNKS: usize = 1 << 16;

/// Capacity of the line buffer that a thread keeps for its next record; a larger one is freed.
const KEPT_ROOM: usize = 1 << 20;

thread_local! {
    /// The buffer in which lines are written. Memory used a moment ago is in the CPU's cache.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// An exchange in progress. If it is dropped unfinished, the client has left (or was cut off at the
/// end of the grace period), and what was captured until then is recorded.
pub(super) struct Capture {
    recorder: Arc<Recorder>,
    pub(super) target: Target,
    method: Method,
    pub(super) headers: HeaderMap,
    upload: Option<Arc<Upload>>,
    seq: u64,
    connection: u64,
    began: (SystemTime, Instant),
    pub(super) answer: Option<Answer>,
    error: Option<String>,
    incomplete: Option<Side>,
    finished: bool,
    /// The exchange is forwarded but not recorded.
    excluded: bool,
}

/// The response so far.
pub(super) struct Answer {
    status: u16,
    headers: HeaderMap,
    /// The reason phrase, if it is not the standard one.
    reason: Option<ReasonPhrase>,
    copy: BodyCopy,
    /// When the head arrived, for a response whose chunks are timed.
    streamed: Option<Instant>,
    chunks: Vec<(f64, u64)>,
    trailers: HeaderMap,
}

impl Answer {
    /// The headers as they were received.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn push(&mut self, data: &bytes::Bytes) {
        self.copy.push(data);
        if let Some(head) = self.streamed
            && self.chunks.len() < MAX_CHUNKS
        {
            self.chunks.push((millis(head.elapsed()), data.len() as u64));
        }
    }

    pub(super) fn set_trailers(&mut self, trailers: &HeaderMap) {
        self.trailers = trailers.clone();
    }
}

impl Capture {
    pub(super) fn new(
        recorder: Arc<Recorder>,
        target: Target,
        method: Method,
        headers: HeaderMap,
        upload: Option<Arc<Upload>>,
        (seq, connection): (u64, u64),
    ) -> Box<Self> {
        if let Some((_, hosts)) = &recorder.watch {
            hosts.add(&target.host);
        }
        let excluded = !recorder.filter.takes_named(method.as_str(), &target.host, target.path());
        // Boxed, because it is moved between stages.
        Box::new(Capture {
            recorder,
            target,
            method,
            headers,
            upload,
            seq,
            connection,
            began: (SystemTime::now(), Instant::now()),
            answer: None,
            error: None,
            incomplete: None,
            finished: false,
            excluded,
        })
    }

    /// Starts the response. `length` is the announced one, if any; `streamed` asks for the time of
    /// each chunk.
    pub(super) fn respond(
        &mut self,
        status: u16,
        headers: HeaderMap,
        reason: Option<ReasonPhrase>,
        length: Option<u64>,
        streamed: bool,
    ) {
        let limit = if self.excluded { 0 } else { self.recorder.max_body };
        self.answer = Some(Answer {
            status,
            headers,
            reason,
            copy: BodyCopy::new(limit).expect(length),
            streamed: streamed.then(Instant::now),
            chunks: Vec::new(),
            trailers: HeaderMap::new(),
        });
    }

    /// Records that there is no response, and why.
    pub(super) fn fail(&mut self, why: String) {
        self.error = Some(why);
    }

    pub(super) fn cut_by(&mut self, side: Side) {
        self.incomplete = Some(side);
    }

    /// Drops the exchange: the request was not sent.
    pub(super) fn forget(&mut self) {
        self.finished = true;
    }

    /// The response's headers as they were received, once the record is written.
    pub(super) fn into_received(mut self: Box<Self>) -> HeaderMap {
        self.answer.take().map(|answer| answer.headers).unwrap_or_default()
    }

    /// Hands the record to the sinks. The client must not receive the end of its response before
    /// the result resolves. If the result is an error, the client must not receive the end at all.
    pub(super) fn finish(&mut self) -> Acknowledgement {
        self.hand_over(true)
    }

    fn hand_over(&mut self, awaited: bool) -> Acknowledgement {
        self.finished = true;
        self.trace();
        if self.excluded {
            self.recorder.tally.discard(Dropped::Excluded);
            return Acknowledgement::NONE_NEEDED;
        }
        // A method that the format has no name for is stored in a separate field.
        let known = self.method.as_str().parse().ok();
        let method = known.unwrap_or(crate::exchange::Method::Post);
        if !self.target.path_and_query.starts_with('/') {
            self.recorder.discard(
                Dropped::NoPath,
                "a request for * was forwarded, but it cannot be recorded",
            );
            return Acknowledgement::NONE_NEEDED;
        }
        let mut line = LINE.take();
        line.clear();
        line.reserve(self.line_size());
        {
            let upload = self.upload.as_deref().map(Upload::lock);
            let upload = upload.as_deref();
            let keep = self.recorder.redactor.is_none();
            let headers = recorded_request_headers(&self.headers, &self.target.host);
            let (pathname, query) = (escaped(self.target.path()), self.target.wire_query());
            let mut exchange = Exchange {
                request: Request {
                    method,
                    protocol: self.target.protocol,
                    host: Cow::Borrowed(&self.target.host),
                    pathname,
                    query: parse_query(self.target.query()),
                    wire_query: query.map(escaped),
                    body: upload
                        .map(|upload| recorded_body(&upload.copy, &headers, keep))
                        .unwrap_or_default(),
                    headers,
                    timestamp: Some(timestamp(self.began.0).into()),
                },
                response: self.answer.as_ref().map(|answer| self.response(answer)),
                meta: Meta {
                    run: Some(Cow::Borrowed(&self.recorder.run)),
                    seq: Some(self.seq),
                    connection: Some(self.connection),
                    duration_ms: Some(millis(self.began.1.elapsed())),
                    request_trailers: upload
                        .map(|upload| recorded_headers(&upload.trailers))
                        .unwrap_or_default(),
                    method: match known {
                        Some(_) => None,
                        None => Some(Cow::Borrowed(self.method.as_str())),
                    },
                    // The upload may be incomplete even if a response arrived.
                    incomplete: self.incomplete.or(upload.and_then(UploadState::cut_by)),
                    error: self.error.as_deref().map(Cow::Borrowed),
                    ..self.answer.as_ref().map(Answer::meta).unwrap_or_default()
                },
            };
            if let Some(upload) = upload {
                let missing = missing(&upload.copy, &exchange.request.body);
                exchange.meta.truncated_request = upload.truncated().or(missing);
            }
            if let (Some(answer), Some(response)) = (&self.answer, &exchange.response) {
                exchange.meta.truncated_response = missing(&answer.copy, &response.body);
            }
            // Redact after checking, because violations quote values, which may be secrets.
            self.recorder.redact(&mut exchange);
            self.recorder.check(&mut exchange);
            // Computed after redaction, so that these bytes hold no replaced value.
            exchange.meta.request_header_bytes =
                bytes_beyond_text(&self.headers, &exchange.request.headers);
            if let (Some(answer), Some(response)) = (&self.answer, &exchange.response) {
                exchange.meta.response_header_bytes =
                    bytes_beyond_text(&answer.headers, &response.headers);
            }
            write_line(&exchange, &mut line);
        }
        let taken = self.recorder.journal.submit(&self.target.host, &mut line, awaited);
        if line.capacity() <= KEPT_ROOM {
            LINE.set(line);
        }
        taken
    }

    fn response<'a>(&self, answer: &'a Answer) -> Response<'a> {
        let headers = recorded_headers(&answer.headers);
        Response {
            status: answer.status,
            body: recorded_body(&answer.copy, &headers, self.recorder.redactor.is_none()),
            headers,
            // Uses a monotonic duration, because the clock may be set between request and response.
            timestamp: Some(timestamp(self.began.0 + self.began.1.elapsed()).into()),
        }
    }

    fn trace(&self) {
        let Some(trace) = &self.recorder.trace else { return };
        let Target { protocol, host, .. } = &self.target;
        let end = match (&self.answer, &self.error, self.incomplete) {
            (Some(answer), _, None) => answer.status.to_string(),
            (Some(answer), _, Some(_)) => format!("{} (cut)", answer.status),
            (None, error, _) => error.clone().unwrap_or_default(),
        };
        // Escaped, so that a client cannot control the terminal; without the query, which may hold
        // secrets.
        let path = self.recorder.shown_path(self.target.path());
        let path = path.escape_debug();
        let ms = self.began.1.elapsed().as_millis();
        trace(&format!("{} {}://{host}{path} {end} {ms} ms", self.method, protocol.as_str()));
    }

    /// Capacity for the line, so that it is seldom reallocated.
    fn line_size(&self) -> usize {
        let upload = self.upload.as_ref().map_or(0, |upload| upload.lock().copy.bytes().len());
        let answer = self.answer.as_ref().map_or(0, |answer| answer.copy.bytes().len());
        2048 + (upload + answer) * 9 / 8
    }
}

impl Answer {
    fn meta(&self) -> Meta<'_> {
        Meta {
            chunks: self.chunks.clone(),
            trailers: recorded_headers(&self.trailers),
            reason: self.reason.as_ref().map(|reason| latin1(reason.as_bytes())),
            ..Meta::default()
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.incomplete = Some(Side::Client);
        if self.answer.is_none() {
            self.error = Some("the client disconnected before the response".to_owned());
        }
        // No client waits for this record.
        drop(self.hand_over(false));
    }
}

/// A part of a target with all non-ASCII bytes percent-encoded. All others stay as received.
fn escaped(part: &str) -> Cow<'_, str> {
    if part.is_ascii() { Cow::Borrowed(part) } else { utf8_percent_encode(part, CONTROLS).into() }
}

fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}
