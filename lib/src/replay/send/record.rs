//! Writes new exchanges.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::plan::Planned;
use super::wire::{Ready, Received};
use crate::exchange::{
    Body, Exchange, Meta, Method, Pairs, Redactor, Replaced, Request, Response, parse_query,
    timestamp, write_line,
};
use crate::net::{Target, bytes_beyond_text, latin1, recorded_headers};
use crate::stream::{Locator, Notify, Sink, SinkError, grows, open_sink};

/// Maximum number of bytes that are written together.
const BATCH: usize = 64 << 10;

/// Writes exchanges to a sink, with their secrets replaced.
pub struct ExchangeWriter {
    sink: Box<dyn Sink>,
    /// Whether the sink is a plain stream of lines, which can be written together.
    batches: bool,
    /// Lines that are not written yet, and the host of their exchanges.
    pending: (Vec<u8>, String),
    redactor: Option<Arc<Redactor>>,
    run: String,
    seq: u64,
    line: Vec<u8>,
}

impl ExchangeWriter {
    /// Appends to `out`; standard output needs `stdout`. Without a `redactor`, secrets stay.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(
        out: &Locator,
        stdout: Option<Box<dyn io::Write + Send>>,
        redactor: Option<Arc<Redactor>>,
        notify: Notify,
    ) -> Result<ExchangeWriter, SinkError> {
        let mut sink = open_sink(out, stdout)?;
        sink.report_to(notify);
        let run = format!("{:016x}", rand::random::<u64>());
        let batches = match out {
            Locator::Stdio => true,
            Locator::File(path) => grows(path),
            _ => false,
        };
        let pending = (Vec::new(), String::new());
        let line = Vec::with_capacity(4096);
        Ok(ExchangeWriter { sink, batches, pending, redactor, run, seq: 0, line })
    }

    /// Replaces the secrets of an exchange and writes it.
    pub(super) fn write(&mut self, exchange: &mut Exchange<'_>) -> Result<(), SinkError> {
        if let Some(redactor) = &self.redactor {
            redactor.apply(exchange);
        }
        exchange.meta.run = Some(self.run.clone().into());
        exchange.meta.seq = Some(self.seq);
        self.line.clear();
        write_line(exchange, &mut self.line);
        self.seq += 1;
        if !self.batches {
            return self.sink.write(&exchange.request.host, &self.line);
        }
        let (lines, host) = &mut self.pending;
        if host.is_empty() {
            host.push_str(&exchange.request.host);
        }
        lines.extend_from_slice(&self.line);
        if lines.len() < BATCH { Ok(()) } else { self.write_pending() }
    }

    /// Replaces the secrets of an exchange that is not written.
    pub(super) fn redact(&self, exchange: &mut Exchange<'_>) {
        if let Some(redactor) = &self.redactor {
            redactor.apply(exchange);
        }
    }

    fn write_pending(&mut self) -> Result<(), SinkError> {
        let (lines, host) = &mut self.pending;
        if lines.is_empty() {
            return Ok(());
        }
        let written = self.sink.write(host, lines);
        lines.clear();
        written
    }

    pub(super) fn flush(&mut self) -> Result<(), SinkError> {
        self.write_pending()?;
        self.sink.flush()
    }

    /// The replaced secrets.
    pub fn replaced(&self) -> Option<Replaced> {
        self.redactor.as_ref().map(|redactor| redactor.replaced())
    }

    /// Writes buffered data.
    ///
    /// # Errors
    /// Those of writing.
    pub fn close(mut self) -> Result<(), SinkError> {
        self.write_pending()?;
        self.sink.confirm()?;
        self.sink.close()
    }
}

/// When a request was sent, and how long it took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) began: SystemTime,
    pub(super) took: Duration,
}

/// The exchange of a request and its response, or the reason why there is none.
pub(super) fn exchange<'a>(
    target: &'a Target,
    planned: &Planned,
    ready: &'a Ready,
    answer: Result<&'a Received, &str>,
    timing: Timing,
) -> Exchange<'a> {
    let (path, query) = match ready.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (ready.target.as_str(), None),
    };
    let odd = ready.method.as_str().parse::<Method>().is_err();
    let headers = recorded_headers(&ready.headers);
    let mut meta = Meta {
        duration_ms: Some(timing.took.as_secs_f64() * 1000.0),
        method: odd.then(|| Cow::Owned(ready.method.as_str().to_owned())),
        request_header_bytes: bytes_beyond_text(&ready.headers, &headers),
        request_trailers: trailer_pairs(&planned.trailers),
        ..Meta::default()
    };
    let request = Request {
        method: ready.method.as_str().parse().unwrap_or(Method::Post),
        protocol: target.protocol,
        host: target.host.as_str().into(),
        pathname: path.into(),
        query: query.map(parse_query).unwrap_or_default(),
        wire_query: query.map(Cow::Borrowed),
        headers,
        body: Body::lent(&ready.plain),
        timestamp: Some(timestamp(timing.began).into()),
    };
    let response = match answer {
        Err(why) => {
            meta.error = Some(Cow::Owned(why.to_owned()));
            None
        }
        Ok(received) => {
            let headers = recorded_headers(&received.headers);
            meta.response_header_bytes = bytes_beyond_text(&received.headers, &headers);
            meta.reason = received.reason.as_deref().map(Cow::Borrowed);
            meta.trailers = trailer_pairs(&received.trailers);
            meta.incomplete = received.incomplete;
            meta.truncated_response = received.truncated;
            meta.connection = Some(received.connection);
            meta.chunks.clone_from(&received.chunks);
            Some(Response {
                status: received.status.as_u16(),
                headers,
                body: Body::lent(&received.body),
                timestamp: Some(timestamp(timing.began + timing.took).into()),
            })
        }
    };
    Exchange { request, response, meta }
}

fn trailer_pairs(trailers: &HeaderMap) -> Pairs<'static> {
    let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let value = latin1(value.as_bytes()).into_owned();
        (Cow::Owned(name.as_str().to_owned()), Cow::Owned(value))
    };
    trailers.iter().map(pair).collect()
}
