//! The body of an answer on its way to the client: whole, or in the recorded chunks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::recorded::Answer;

/// What a client reads.
pub(super) enum Sent {
    /// All at once.
    Whole(Bytes),
    /// In chunks, or with trailers, or cut before its end.
    Stream(Box<Stream>),
}

/// A recorded message ended here, before its end.
#[derive(Debug, thiserror::Error)]
#[error("the recorded answer was cut here")]
pub(super) struct Cut;

/// A body that is more than bytes.
pub(super) struct Stream {
    answer: Arc<Answer>,
    /// Number of the next chunk, and where it begins.
    next: (usize, usize),
    /// When the body began, where its chunks are sent in their time.
    began: Option<Instant>,
    wait: Option<Pin<Box<Sleep>>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    Trailers,
    /// What was sent before is on its way to the client, who then learns that this is not the end.
    Pause,
    Cut,
    Over,
}

impl Sent {
    /// The body of an answer; `timed` sends chunks in their time.
    pub(super) fn of(answer: Arc<Answer>, timed: bool) -> Sent {
        if answer.chunks.len() < 2 && answer.trailers.is_empty() && !answer.cut {
            return Sent::Whole(answer.body.clone());
        }
        let began = timed.then(Instant::now);
        let state = State::Data;
        Sent::Stream(Box::new(Stream { answer, next: (0, 0), began, wait: None, state }))
    }
}

impl Stream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
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
                    self.state = State::Cut;
                    // Hyper sends what it has when a body pauses, and drops it when one fails.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Cut => {
                    self.state = State::Over;
                    return Poll::Ready(Some(Err(Cut)));
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let (number, start) = self.next;
        let Some((after, length)) = self.answer.chunks.get(number) else {
            // Without chunks, all the body is one.
            let rest = self.answer.body.slice(start..);
            self.next = (number, self.answer.body.len());
            return Poll::Ready((!rest.is_empty()).then_some(rest));
        };
        if let Some(began) = self.began {
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

impl Body for Sent {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Sent::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Sent::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Sent::Stream(stream) => stream.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Sent::Whole(bytes) => bytes.is_empty(),
            Sent::Stream(stream) => stream.state == State::Over,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Sent::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Sent::Stream(_) => SizeHint::default(),
        }
    }
}
