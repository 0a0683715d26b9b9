//! The response body on its way to the client, whose end waits for the record.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::capture::Capture;
use super::journal::Taken;
use super::link::Link;
use super::recorder::Recorder;
use crate::exchange::Side;

type BoxError = Box<dyn Error + Send + Sync>;

/// Streams the upstream's body through and leaves a bounded copy. What ends it, the last frame or the
/// end of the stream, is held back until the record is written; so whoever has a whole answer finds it
/// in the recording.
pub(super) struct Download {
    recorder: Arc<Recorder>,
    body: Incoming,
    link: Option<Link>,
    /// False where the upstream's framing was doubtful.
    reusable: bool,
    capture: Box<Capture>,
    idle: Option<Idle>,
    state: State,
}

enum State {
    Flowing,
    /// What came before is on its way to the client, who then learns that this is not the end.
    Cut(BoxError),
    /// The record is written, then comes the end.
    Held(Option<Taken>, End),
    Over,
}

enum End {
    Frame(Frame<Bytes>),
    Stream,
    Cut(BoxError),
}

impl Download {
    /// `timeout` is how long the upstream may be silent; `None` for streams of events.
    pub(super) fn new(
        recorder: Arc<Recorder>,
        body: Incoming,
        (link, reusable): (Link, bool),
        capture: Box<Capture>,
        timeout: Option<Duration>,
    ) -> Self {
        let idle = timeout.map(Idle::new);
        Download {
            recorder,
            body,
            link: Some(link),
            reusable,
            capture,
            idle,
            state: State::Flowing,
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // The body registers its wish before the connection is driven, and looks for it after.
        for driven in [false, true] {
            if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
                if let Some(idle) = &mut self.idle {
                    idle.running = false;
                }
                return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
            }
            if let Some(link) = self.link.as_mut().filter(|_| !driven) {
                link.drive(cx);
            }
        }
        match &mut self.idle {
            Some(idle) => {
                ready!(idle.poll(cx));
                let silence = format!("the upstream fell silent for {:?}", idle.limit);
                Poll::Ready(Some(Err(silence.into())))
            }
            None => Poll::Pending,
        }
    }

    /// Keeps a copy of the frame; true for the last one.
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

    /// Gives the link back: the upstream's message is over.
    fn release(&mut self, cx: &mut Context<'_>) {
        if let Some(link) = self.link.take()
            && self.reusable
        {
            self.recorder.pool.put(&self.capture.target, link, cx);
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            match std::mem::replace(&mut this.state, State::Over) {
                State::Flowing => {
                    let Poll::Ready(frame) = this.poll_body(cx) else {
                        this.state = State::Flowing;
                        return Poll::Pending;
                    };
                    match frame {
                        Some(Ok(frame)) => {
                            let last = this.keep(&frame);
                            if !last {
                                this.state = State::Flowing;
                                return Poll::Ready(Some(Ok(frame)));
                            }
                            this.release(cx);
                            this.state = State::Held(this.capture.finish(), End::Frame(frame));
                        }
                        None => {
                            this.release(cx);
                            this.state = State::Held(this.capture.finish(), End::Stream);
                        }
                        Some(Err(error)) => {
                            this.link = None;
                            this.capture.cut_by(Side::Upstream);
                            this.state = State::Cut(error);
                            // Hyper sends what it has when a body pauses, and forgets it when one fails.
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                    }
                }
                State::Cut(error) => {
                    this.state = State::Held(this.capture.finish(), End::Cut(error));
                }
                State::Held(mut taken, end) => {
                    if taken.as_mut().is_some_and(|taken| Pin::new(taken).poll(cx).is_pending()) {
                        this.state = State::Held(taken, end);
                        return Poll::Pending;
                    }
                    return Poll::Ready(match end {
                        End::Frame(frame) => Some(Ok(frame)),
                        End::Stream => None,
                        End::Cut(error) => Some(Err(error)),
                    });
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Runs out when nothing happens for its limit.
struct Idle {
    limit: Duration,
    /// Made when the first wait begins: most bodies never wait.
    timer: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl Idle {
    fn new(limit: Duration) -> Self {
        Idle { limit, timer: None, running: false }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.limit)));
        if !self.running {
            self.running = true;
            timer.as_mut().reset(Instant::now() + self.limit);
        }
        timer.as_mut().poll(cx)
    }
}
