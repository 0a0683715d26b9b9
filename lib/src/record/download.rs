//! The response body on its way to the client, whose end waits for the record.

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
use super::journal::Taken;
use super::link::{After, Link};
use super::recorder::Recorder;
use super::sinks::Unrecorded;
use super::tally::Failed;
use crate::exchange::Side;
use crate::net::with_causes;

type BoxError = Box<dyn Error + Send + Sync>;

/// Streams the upstream's body through and leaves a bounded copy. What ends it, the last frame or the
/// end of the stream, is held back until the record is written; so whoever has a whole answer finds it
/// in the recording.
pub(super) struct Download {
    recorder: Arc<Recorder>,
    body: Incoming,
    link: Option<Link>,
    after: After,
    capture: Box<Capture>,
    silence: Option<Silence>,
    /// What came with the head.
    ahead: Option<Frame<Bytes>>,
    state: State,
}

/// What of a body has come with the head.
pub(super) enum Begun {
    /// All of it, and the record is written. These are the headers as they were received.
    Whole(Bytes, HeaderMap),
    /// All of it, and the record could not be written.
    Unrecorded,
    /// The rest is to come.
    Part(Box<Download>),
}

enum State {
    Flowing,
    /// What came before is on its way to the client, who then learns that this is not the end.
    Cut(BoxError),
    /// The record is written, then comes the end.
    Held(Taken, End),
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
        (link, after): (Link, After),
        capture: Box<Capture>,
        timeout: Option<Duration>,
    ) -> Self {
        let silence = timeout.map(|limit| Silence { limit, end: None });
        let (link, ahead, state) = (Some(link), None, State::Flowing);
        Download { recorder, body, link, after, capture, silence, ahead, state }
    }

    /// Takes what has come with the head. A body that is whole by then waits here for its record, before the
    /// server has the head: that would send the head alone while it waits, and the body in a packet of its own.
    pub(super) async fn begin(mut self) -> Begun {
        match poll_fn(|cx| Poll::Ready(Pin::new(&mut self).poll_frame(cx))).await {
            Poll::Ready(Some(Ok(frame))) => self.ahead = Some(frame),
            Poll::Ready(Some(Err(error))) if error.is::<Unrecorded>() => return Begun::Unrecorded,
            Poll::Ready(Some(Err(error))) => {
                self.state = State::Held(Taken::UNNEEDED, End::Cut(error));
            }
            Poll::Ready(None) | Poll::Pending => (),
        }
        if let State::Held(taken, End::Frame(_) | End::Stream) = &mut self.state {
            if taken.await.is_err() {
                return Begun::Unrecorded;
            }
            if let State::Held(_, End::Frame(frame)) =
                std::mem::replace(&mut self.state, State::Over)
            {
                self.ahead = Some(frame);
            }
        }
        if !matches!(self.state, State::Over) {
            return Begun::Part(Box::new(self));
        }
        match self.ahead.take().map(Frame::into_data) {
            None => Begun::Whole(Bytes::new(), self.capture.into_received()),
            Some(Ok(data)) => Begun::Whole(data, self.capture.into_received()),
            Some(Err(trailers)) => {
                self.ahead = Some(trailers);
                Begun::Part(Box::new(self))
            }
        }
    }

    /// The headers of the response as they were received.
    pub(super) fn received(&self) -> Option<&HeaderMap> {
        self.capture.answer.as_ref().map(Answer::headers)
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Download { body, link, .. } = self;
        let mut look = |cx: &mut Context<'_>| Pin::new(&mut *body).poll_frame(cx);
        let found = match link {
            Some(link) => link.look_and_drive(cx, look),
            None => look(cx),
        };
        if let Poll::Ready(frame) = found {
            if let Some(silence) = &mut self.silence {
                silence.end = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let (Some(silence), Some(link)) = (&mut self.silence, &mut self.link) else {
            return Poll::Pending;
        };
        let end = *silence.end.get_or_insert_with(|| Instant::now() + silence.limit);
        ready!(link.patience.poll_until(cx, end));
        let silence = format!("the upstream fell silent for {:?}", silence.limit);
        Poll::Ready(Some(Err(silence.into())))
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
    fn release(&mut self) {
        if let Some(link) = self.link.take() {
            self.recorder.pool.put(&self.capture.target, link, self.after);
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
        if let Some(frame) = this.ahead.take() {
            return Poll::Ready(Some(Ok(frame)));
        }
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
                            this.release();
                            this.state = State::Held(this.capture.finish(), End::Frame(frame));
                        }
                        None => {
                            this.release();
                            this.state = State::Held(this.capture.finish(), End::Stream);
                        }
                        Some(Err(error)) => {
                            this.link = None;
                            this.capture.cut_by(Side::Upstream);
                            this.recorder.tally.failed(Failed::Cut);
                            let host = &this.capture.target.host;
                            this.recorder.trouble.report(Failed::Cut.as_str(), host, || {
                                format!("{host} broke off its answer: {}", causes(&*error))
                            });
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
                    let Poll::Ready(recorded) = Pin::new(&mut taken).poll(cx) else {
                        this.state = State::Held(taken, end);
                        return Poll::Pending;
                    };
                    return Poll::Ready(match (recorded, end) {
                        (Err(unrecorded), _) => Some(Err(unrecorded.into())),
                        (Ok(()), End::Frame(frame)) => Some(Ok(frame)),
                        (Ok(()), End::Stream) => None,
                        (Ok(()), End::Cut(error)) => Some(Err(error)),
                    });
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Over) && self.ahead.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let ahead = self.ahead.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len) as u64;
        match self.body.size_hint().exact() {
            // A body that is to be cut must not look whole, or its head alone would be a whole answer.
            Some(0) if matches!(self.state, State::Cut(_) | State::Held(_, End::Cut(_))) => {
                SizeHint::default()
            }
            Some(rest) => SizeHint::with_exact(ahead + rest),
            None => SizeHint::default(),
        }
    }
}

fn causes(error: &(dyn Error + Send + Sync + 'static)) -> String {
    with_causes(error)
}

/// How long an upstream may send nothing of a body.
struct Silence {
    limit: Duration,
    /// When it has lasted so long, where there is one just now.
    end: Option<Instant>,
}
