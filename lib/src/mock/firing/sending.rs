//! Sends the requests of callbacks and webhooks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use tokio::sync::oneshot;

use crate::net::{Report, Target, ThrottledReport};

use super::super::Mock;

/// Maximum number of requests that wait or are in progress; more are dropped.
const WAITING: usize = 1000;
/// Maximum size of a response, in bytes. Its content is ignored.
const MAX_ANSWER: u64 = 1 << 20;

/// A request that is to be sent.
#[derive(Clone, Debug)]
pub(in crate::mock) struct Outgoing {
    pub(super) name: String,
    pub(super) method: Method,
    /// The URL, or the reason why it is unknown.
    pub(super) url: Result<String, String>,
    pub(super) content_type: Option<HeaderValue>,
    pub(super) body: Bytes,
}

/// Sends requests in the background.
pub(in crate::mock) struct Sending {
    waiting: Arc<AtomicUsize>,
    failures: Arc<ThrottledReport>,
    trace: Option<Report>,
}

impl Sending {
    /// Failures go to `report`, and each request to `trace`.
    pub(in crate::mock) fn new(report: Report, trace: Option<Report>) -> Sending {
        let failures = Arc::new(ThrottledReport::new(report));
        Sending { waiting: Arc::default(), failures, trace }
    }

    /// Sends requests in order, after the answer: when `answered` is ready.
    pub(in crate::mock) fn send(
        &self,
        mock: &Arc<Mock>,
        all: Vec<Outgoing>,
        answered: oneshot::Receiver<()>,
    ) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.failures.report("dropped", "", || {
                format!("callbacks are dropped: {WAITING} are under way; their receivers are slow")
            });
            return;
        }
        let (mock, waiting) = (Arc::clone(mock), Arc::clone(&self.waiting));
        let (failures, trace) = (Arc::clone(&self.failures), self.trace.clone());
        tokio::spawn(async move {
            let _ = answered.await;
            for one in all {
                match one.send(&mock).await {
                    Ok(line) => {
                        if let Some(trace) = &trace {
                            trace(&line);
                        }
                    }
                    Err(why) => failures
                        .report("failed", &one.name, || format!("callback {}: {why}", one.name)),
                }
            }
            waiting.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

impl Outgoing {
    /// Sends it, and returns a line about it.
    async fn send(&self, mock: &Mock) -> Result<String, String> {
        let url = self.url.as_ref().map_err(|why| format!("its URL is unknown: {why}"))?;
        let target = Target::from_url(url).map_err(|error| error.to_string())?;
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        if let Some(content_type) = &self.content_type {
            request.headers_mut().insert(CONTENT_TYPE, content_type.clone());
        }
        let (name, method) = (&self.name, &self.method);
        match mock.outbound().send(&target, request, MAX_ANSWER).await {
            Ok(answer) if answer.status().as_u16() < 400 => {
                Ok(format!("callback {name}: {method} {url} {}", answer.status().as_u16()))
            }
            Ok(answer) => Err(format!("{method} {url}: answered with {}", answer.status())),
            Err(error) => Err(format!("{method} {url}: {error}")),
        }
    }
}
