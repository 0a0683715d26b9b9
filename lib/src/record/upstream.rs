//! Sends a request to its target and waits for the head of the response.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::ext::on_informational;
use tokio::time::Instant;

use super::connect::ConnectError;
use super::copy::{Upload, UploadEnd};
use super::link::{Link, Sender};
use super::policy::TargetRefusal;
use super::recorder::Recorder;
use super::request_body::RequestBody;
use super::tally::Failed;
use super::target_form::{RequiredProtocol, TargetForm};
use crate::net::{Target, framing_is_sound, with_causes};

/// Maximum number of interim responses (1xx) to one request. No server needs more, and an endless
/// sequence of them would never become a response.
const MAX_INTERIM: u32 = 16;

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the upstream did not respond within {0:?}; raise --timeout")]
    TimedOut(Duration),
    #[error("the response of the upstream is invalid: {}{}", with_causes(.0), hint(.0))]
    Broken(#[source] hyper::Error),
    #[error("the response of the upstream is invalid: its Transfer-Encoding is not chunked")]
    Framing,
    #[error("the upstream sent more than {MAX_INTERIM} interim responses (1xx)")]
    Interim,
    #[error("the upstream switched protocols without being asked")]
    Switched,
    #[error("the client disconnected before the end of its request")]
    ClientLeft,
    #[error("the client sent nothing of the request body for {0:?}")]
    ClientStalled(Duration),
}

impl Failure {
    /// The status of the error response to the client.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Failure::Connect(ConnectError::Refused(TargetRefusal::Itself)) => {
                StatusCode::LOOP_DETECTED
            }
            Failure::Connect(ConnectError::Refused(_)) => StatusCode::FORBIDDEN,
            Failure::Connect(ConnectError::TimedOut(..)) | Failure::TimedOut(_) => {
                StatusCode::GATEWAY_TIMEOUT
            }
            Failure::Connect(_)
            | Failure::Broken(_)
            | Failure::Framing
            | Failure::Interim
            | Failure::Switched => StatusCode::BAD_GATEWAY,
            Failure::ClientLeft => StatusCode::BAD_REQUEST,
            Failure::ClientStalled(_) => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// The failure of the upstream; `None` if the upstream did not fail.
    pub(super) fn kind(&self) -> Option<Failed> {
        Some(match self {
            Failure::Connect(error) => match error {
                ConnectError::Refused(_) => return None,
                ConnectError::Resolve(..) => Failed::Dns,
                ConnectError::Connect(..) => Failed::Connect,
                ConnectError::Tls(..) => Failed::Tls,
                ConnectError::Proxy(..) => Failed::Proxy,
                ConnectError::TimedOut(..) => Failed::Timeout,
            },
            Failure::TimedOut(_) => Failed::Timeout,
            Failure::Broken(_) | Failure::Framing | Failure::Interim | Failure::Switched => {
                Failed::Answer
            }
            Failure::ClientLeft | Failure::ClientStalled(_) => return None,
        })
    }

    /// True if requests to the target are not allowed.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Failure::Connect(ConnectError::Refused(_)))
    }
}

/// A hint at the protocol that the upstream may speak instead.
fn hint(error: &hyper::Error) -> &'static str {
    if error.is_parse() && !error.is_parse_too_large() {
        return "; check that it uses HTTP/1 on this port, or request https:// if it uses TLS";
    }
    let cause = std::error::Error::source(error);
    if cause.is_some_and(|cause| {
        cause.to_string().contains("http2 error") || cause.to_string().contains("frame")
    }) {
        return "; check that it supports HTTP/2, which the client uses";
    }
    ""
}

/// The target of a request, with the requirements on its connection.
#[derive(Clone, Copy)]
pub(super) struct Destination<'a> {
    pub(super) target: &'a Target,
    pub(super) required: RequiredProtocol,
    /// The number of the client's connection.
    pub(super) connection: u64,
}

/// A request that failed on a link, with its body if none of it was sent.
struct SendFailure(Failure, Option<RequestBody>);

impl Recorder {
    /// Sends the request that `head` creates for a link. Returns the head of the response, and the
    /// link that the rest of it comes from.
    ///
    /// The upstream may have closed an idle link at the same moment. Then the request is sent
    /// again, if none of it had been sent or if it is idempotent.
    pub(super) async fn send(
        &self,
        destination: Destination<'_>,
        head: impl Fn(&TargetForm) -> Request<()>,
        mut body: RequestBody,
        upload: Option<&Upload>,
    ) -> Result<(Response<Incoming>, Link), Failure> {
        let Destination { target, required, connection } = destination;
        let mut may_reuse = true;
        loop {
            let idle = if may_reuse { self.pool.take(target, required, connection) } else { None };
            let reused = idle.is_some();
            let mut link = match idle {
                Some(link) => link,
                None => {
                    let connected = self.connector.connect(target, required).await?;
                    let link = Link::new(connected).await.map_err(Failure::Broken)?;
                    self.pool.share(target, &link);
                    link
                }
            };
            let request = head(&link.form).map(|()| body);
            let repeatable = reused && upload.is_none() && request.method().is_idempotent();
            match self.exchange(&mut link, request, upload).await {
                Ok(response) => {
                    return Ok((check(response, required == RequiredProtocol::Http1)?, link));
                }
                Err(SendFailure(_, Some(unsent))) if reused => {
                    body = unsent;
                    // The pool would return the same shared link again.
                    may_reuse = link.form != TargetForm::Http2;
                }
                Err(SendFailure(Failure::Broken(_), None)) if repeatable => {
                    body = RequestBody::empty();
                    may_reuse = false;
                }
                Err(SendFailure(failure, _)) => return Err(failure),
            }
        }
    }

    async fn exchange(
        &self,
        link: &mut Link,
        mut request: Request<RequestBody>,
        upload: Option<&Upload>,
    ) -> Result<Response<Incoming>, SendFailure> {
        let interim = Arc::new(AtomicU32::new(0));
        match &mut link.sender {
            Sender::Http1(sender) => {
                let count = interim.clone();
                on_informational(&mut request, move |_| {
                    count.fetch_add(1, Ordering::Relaxed);
                });
                let answer = sender.try_send_request(request);
                self.wait(link, answer, upload, &interim).await
            }
            // Hyper does not report interim responses of HTTP/2; the timeout limits them.
            Sender::Http2(sender) => {
                let answer = sender.try_send_request(request);
                self.wait(link, answer, upload, &interim).await
            }
        }
    }

    async fn wait(
        &self,
        link: &mut Link,
        answer: impl Future<Output = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>>,
        upload: Option<&Upload>,
        interim: &AtomicU32,
    ) -> Result<Response<Incoming>, SendFailure> {
        let mut answer = pin!(answer);
        let mut deadline = Instant::now() + self.timeout;
        poll_fn(|cx| {
            let too_many = || interim.load(Ordering::Relaxed) > MAX_INTERIM;
            let found = link.poll_and_drive(cx, |cx| {
                if too_many() { Poll::Ready(None) } else { answer.as_mut().poll(cx).map(Some) }
            });
            match found {
                Poll::Ready(Some(answer)) => {
                    return Poll::Ready(answer.map_err(|error| send_failure(error, upload)));
                }
                Poll::Ready(None) => return Poll::Ready(Err(SendFailure(Failure::Interim, None))),
                Poll::Pending => (),
            }
            while link.timer.poll_until(cx, deadline).is_ready() {
                // While the client is uploading, the upstream need not answer.
                match self.next_deadline(upload) {
                    Ok(until) => deadline = until,
                    Err(failure) => return Poll::Ready(Err(SendFailure(failure, None))),
                }
            }
            Poll::Pending
        })
        .await
    }

    fn next_deadline(&self, upload: Option<&Upload>) -> Result<Instant, Failure> {
        let Some(upload) = upload else { return Err(Failure::TimedOut(self.timeout)) };
        let state = upload.lock();
        let until = Instant::from_std(state.progress + self.timeout);
        if until > Instant::now() {
            return Ok(until);
        }
        Err(match state.end {
            None => Failure::ClientStalled(self.timeout),
            Some(_) => Failure::TimedOut(self.timeout),
        })
    }
}

fn send_failure(
    mut error: TrySendError<Request<RequestBody>>,
    upload: Option<&Upload>,
) -> SendFailure {
    let unsent = error.take_message().map(Request::into_body);
    let left = upload.is_some_and(|upload| upload.lock().end == Some(UploadEnd::Broken));
    let failure = if left { Failure::ClientLeft } else { Failure::Broken(error.into_error()) };
    SendFailure(failure, unsent)
}

/// Refuses ambiguous framing, and a protocol switch that was not requested.
fn check(response: Response<Incoming>, upgrade: bool) -> Result<Response<Incoming>, Failure> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS && !upgrade {
        return Err(Failure::Switched);
    }
    if !framing_is_sound(response.headers()) {
        return Err(Failure::Framing);
    }
    Ok(response)
}
