//! The response body on its way to the client. Its end waits for the record.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Instant;

use super::capture::{Answer, Capture};
use super::journal::Acknowledgement;
use super::link::{Link, LinkState};
use super::recorder::Recorder;
use super::sinks::Unrecorded;
use super::tally::Failed;
use crate::exchange::Side;
use crate::net::with_causes;

type BoxError = Box<dyn Error + Send + Sync>;

/// Streams the upstream's body and keeps a bounded copy. The last frame or the end of the stream is
/// held back until the record is written, so a client with a complete response finds it in the
/// recording.
pub(super) struct ResponseBody {
    recorder: Arc<Recorder>,
    body: Incoming,
    link: Option<Link>,
    link_state: LinkState,
    capture: Box<Capture>,
    idle_timeout: Option<IdleTimeout>,
    /// The frame that arrived together with the head.
    first_frame: Option<Frame<Bytes>>,
    state: State,
}

/// How much of a body arrived together with its head.
pub(super) enum BodyStart {
    /// The whole body, and the record is written. The headers are as received.
    Whole(Bytes, HeaderMap),
    /// The whole body, but the record could not be written.
    Unrecorded,
    /// More is to come.
    Part(Box<ResponseBody>),
}

enum State {
    Streaming,
    /// Lets the frames before the failure go out, and then fails the body.
    Cut(BoxError),
    /// Waits for the record, and then ends the body.
    AwaitingRecord(Acknowledgement, End),
    Done,
}

enum End {
    Frame(Frame<Bytes>),
    Stream,
    Cut(BoxError),
}

impl ResponseBody {
    /// `timeout` limits the pauses of the upstream; `None` for event streams.
    pub(super) fn new(
        recorder: Arc<Recorder>,
        body: Incoming,
        (link, link_state): (Link, LinkState),
        capture: Box<Capture>,
        timeout: Option<Duration>,
    ) -> Self {
        let idle_timeout = timeout.map(|limit| IdleTimeout { limit, end: None });
        let (link, first_frame, state) = (Some(link), None, State::Streaming);
        ResponseBody { recorder, body, link, link_state, capture, idle_timeout, first_frame, state }
    }

    /// Reads what arrived with the head. A body that is complete by then waits for its record here,
    /// before the server gets the head. Otherwise hyper would send the head alone during the wait,
    /// and the body in another packet.
    pub(super) async fn start(mut self) -> BodyStart {
        match poll_fn(|cx| Poll::Ready(Pin::new(&mut self).poll_frame(cx))).await {
            Poll::Ready(Some(Ok(frame))) => self.first_frame = Some(frame),
            Poll::Ready(Some(Err(error))) if error.is::<Unrecorded>() => {
                return BodyStart::Unrecorded;
            }
            Poll::Ready(Some(Err(error))) => {
                self.state = State::AwaitingRecord(Acknowledgement::NONE_NEEDED, End::Cut(error));
            }
            Poll::Ready(None) | Poll::Pending => (),
        }
        if let State::AwaitingRecord(acknowledged, End::Frame(_) | End::Stream) = &mut self.state {
            if acknowledged.await.is_err() {
                return BodyStart::Unrecorded;
            }
            if let State::AwaitingRecord(_, End::Frame(frame)) =
                std::mem::replace(&mut self.state, State::Done)
            {
                self.first_frame = Some(frame);
            }
        }
        if !matches!(self.state, State::Done) {
            return BodyStart::Part(Box::new(self));
        }
        match self.first_frame.take().map(Frame::into_data) {
            None => BodyStart::Whole(Bytes::new(), self.capture.into_received()),
            Some(Ok(data)) => BodyStart::Whole(data, self.capture.into_received()),
            Some(Err(trailers)) => {
                self.first_frame = Some(trailers);
                BodyStart::Part(Box::new(self))
            }
        }
    }

    /// The headers of the response as they were received.
    pub(super) fn received(&self) -> Option<&HeaderMap> {
        self.capture.answer.as_ref().map(Answer::headers)
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let ResponseBody { body, link, .. } = self;
        let mut look = |cx: &mut Context<'_>| Pin::new(&mut *body).poll_frame(cx);
        let found = match link {
            Some(link) => link.poll_and_drive(cx, look),
            None => look(cx),
        };
        if let Poll::Ready(frame) = found {
            if let Some(idle_timeout) = &mut self.idle_timeout {
                idle_timeout.end = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let (Some(idle_timeout), Some(link)) = (&mut self.idle_timeout, &mut self.link) else {
            return Poll::Pending;
        };
        let end = *idle_timeout.end.get_or_insert_with(|| Instant::now() + idle_timeout.limit);
        ready!(link.timer.poll_until(cx, end));
        let idle_timeout = format!("the upstream sent nothing for {:?}", idle_timeout.limit);
        Poll::Ready(Some(Err(idle_timeout.into())))
    }

    /// Copies the frame; true if it is the last one.
    fn keep(&mut self, frame: &Frame<Bytes>) -> bool {
        if let Some(answer) = &mut self.capture.answer {
            if let Some(data) = frame.data_ref() {
                answer.push(data);
            } else if let Some(trailers) = frame.trailers_ref() {
                answer.set_trailers(trailers);
            }
        }
        frame.is_trailers() || self.body.is_end_stream()
    }

    /// Returns the link to the pool: the upstream's message is complete.
    fn release(&mut self) {
        if let Some(link) = self.link.take() {
            self.recorder.pool.put(&self.capture.target, link, self.link_state);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Some(frame) = this.first_frame.take() {
            return Poll::Ready(Some(Ok(frame)));
        }
        loop {
            match std::mem::replace(&mut this.state, State::Done) {
                State::Streaming => {
                    let Poll::Ready(frame) = this.poll_body(cx) else {
                        this.state = State::Streaming;
                        return Poll::Pending;
                    };
                    match frame {
                        Some(Ok(frame)) => {
                            let last = this.keep(&frame);
                            if !last {
                                this.state = State::Streaming;
                                return Poll::Ready(Some(Ok(frame)));
                            }
                            this.release();
                            this.state =
                                State::AwaitingRecord(this.capture.finish(), End::Frame(frame));
                        }
                        None => {
                            this.release();
                            this.state = State::AwaitingRecord(this.capture.finish(), End::Stream);
                        }
                        Some(Err(error)) => {
                            this.link = None;
                            this.capture.cut_by(Side::Upstream);
                            this.recorder.tally.failed(Failed::Cut);
                            let host = &this.capture.target.host;
                            this.recorder.problems.report(Failed::Cut.as_str(), host, || {
                                format!("{host} ended its response early: {}", causes(&*error))
                            });
                            this.state = State::Cut(error);
                            // Hyper flushes its buffer when a body is pending, but discards it when
                            // the body fails.
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                    }
                }
                State::Cut(error) => {
                    this.state = State::AwaitingRecord(this.capture.finish(), End::Cut(error));
                }
                State::AwaitingRecord(mut acknowledged, end) => {
                    let Poll::Ready(recorded) = Pin::new(&mut acknowledged).poll(cx) else {
                        this.state = State::AwaitingRecord(acknowledged, end);
                        return Poll::Pending;
                    };
                    return Poll::Ready(match (recorded, end) {
                        (Err(unrecorded), _) => Some(Err(unrecorded.into())),
                        (Ok(()), End::Frame(frame)) => Some(Ok(frame)),
                        (Ok(()), End::Stream) => None,
                        (Ok(()), End::Cut(error)) => Some(Err(error)),
                    });
                }
                State::Done => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Done) && self.first_frame.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let first_frame =
            self.first_frame.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len) as u64;
        match self.body.size_hint().exact() {
            // An incomplete body must not announce a length of zero, or its head alone would be a
            // complete response.
            Some(0)
                if matches!(self.state, State::Cut(_) | State::AwaitingRecord(_, End::Cut(_))) =>
            {
                SizeHint::default()
            }
            Some(rest) => SizeHint::with_exact(first_frame + rest),
            None => SizeHint::default(),
        }
    }
}

fn causes(error: &(dyn Error + Send + Sync + 'static)) -> String {
    with_causes(error)
}

/// Limits the pauses within an upstream's body.
struct IdleTimeout {
    limit: Duration,
    /// When the current pause becomes too long; `None` while there is none.
    end: Option<Instant>,
}
