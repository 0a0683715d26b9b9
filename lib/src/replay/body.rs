//! The body of a response: whole, or in the recorded chunks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::recorded::RecordedAnswer;

/// A response body.
pub(super) enum ReplayBody {
    /// Sent in one piece.
    Whole(Bytes),
    /// Sent in chunks, with trailers, or cut short.
    StreamedBody(Box<StreamedBody>),
}

/// The recorded message ended early at this point.
#[derive(Debug, thiserror::Error)]
#[error("the recorded response was cut here")]
pub(super) struct EndedEarly;

/// A body with chunks, trailers or an early end.
pub(super) struct StreamedBody {
    answer: Arc<RecordedAnswer>,
    /// The number of the next chunk, and its offset.
    next: (usize, usize),
    /// Chunks are sent with the recorded timing.
    timed: bool,
    /// When the body began. It may be created before a delay.
    began: Option<Instant>,
    wait: Option<Pin<Box<Sleep>>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    Trailers,
    /// Lets the frames before the early end go out first.
    Pause,
    EndedEarly,
    Over,
}

impl ReplayBody {
    /// The body of an answer; `timed` sends chunks with the recorded timing.
    pub(super) fn of(answer: Arc<RecordedAnswer>, timed: bool) -> ReplayBody {
        if answer.chunks.len() < 2 && answer.trailers.is_empty() && !answer.cut {
            return ReplayBody::Whole(answer.body.clone());
        }
        ReplayBody::StreamedBody(Box::new(StreamedBody {
            answer,
            next: (0, 0),
            timed,
            began: None,
            wait: None,
            state: State::Data,
        }))
    }
}

impl StreamedBody {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, EndedEarly>>> {
        loop {
            match self.state {
                State::Data => match ready!(self.poll_chunk(cx)) {
                    Some(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                    None if self.answer.cut => self.state = State::Pause,
                    None => self.state = State::Trailers,
                },
                State::Trailers => {
                    self.state = State::Over;
                    let trailers: &HeaderMap = &self.answer.trailers;
                    if !trailers.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::trailers(trailers.clone()))));
                    }
                }
                State::Pause => {
                    self.state = State::EndedEarly;
                    // Hyper flushes its buffer when a body is pending, but discards it when the
                    // body fails.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::EndedEarly => {
                    self.state = State::Over;
                    return Poll::Ready(Some(Err(EndedEarly)));
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let (number, start) = self.next;
        let Some((after, length)) = self.answer.chunks.get(number) else {
            // Without chunks, the whole body is one.
            let rest = self.answer.body.slice(start..);
            self.next = (number, self.answer.body.len());
            return Poll::Ready((!rest.is_empty()).then_some(rest));
        };
        if self.timed {
            let began = *self.began.get_or_insert_with(Instant::now);
            let wait = self.wait.get_or_insert_with(|| Box::pin(sleep_until(began + *after)));
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        self.next = (number + 1, start + length);
        if *length == 0 {
            return self.poll_chunk(cx);
        }
        Poll::Ready(Some(self.answer.body.slice(start..start + length)))
    }
}

impl Body for ReplayBody {
    type Data = Bytes;
    type Error = EndedEarly;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EndedEarly>>> {
        match self.get_mut() {
            ReplayBody::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            ReplayBody::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            ReplayBody::StreamedBody(stream) => stream.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ReplayBody::Whole(bytes) => bytes.is_empty(),
            ReplayBody::StreamedBody(stream) => stream.state == State::Over,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ReplayBody::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            ReplayBody::StreamedBody(_) => SizeHint::default(),
        }
    }
}
