//! The body of a response, with its possible faults.

use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Sleep, sleep};

/// Number of parts that a slow body sends in a second, if the rate allows that many.
const SLOW_PARTS: u64 = 10;

/// The error at the end of a body that is truncated on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the body is truncated on purpose")]
pub(in crate::mock) struct Truncated;

/// A response's body.
#[derive(Default)]
pub(in crate::mock) struct ResponseBody {
    kind: Kind,
    /// Dropped with the body, when all of it has been taken.
    sent: Option<oneshot::Sender<()>>,
}

impl From<Kind> for ResponseBody {
    fn from(kind: Kind) -> ResponseBody {
        ResponseBody { kind, sent: None }
    }
}

enum Kind {
    Whole(Bytes),
    /// The first half, then a pause until it is sent, then an error. `announced` is the length of
    /// the whole body.
    Truncated {
        half: Bytes,
        announced: u64,
        flushed: bool,
    },
    Slow(Box<Slow>),
    /// Parts as they arrive, until the sender is dropped.
    Stream(mpsc::Receiver<Bytes>),
}

struct Slow {
    rest: Bytes,
    part: usize,
    interval: Duration,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Default for Kind {
    fn default() -> Self {
        Kind::Whole(Bytes::new())
    }
}

impl ResponseBody {
    pub(in crate::mock) fn whole(bytes: Bytes) -> ResponseBody {
        Kind::Whole(bytes).into()
    }

    pub(super) fn truncated(bytes: &Bytes) -> ResponseBody {
        let announced = bytes.len() as u64;
        let half = bytes.slice(..bytes.len() / 2);
        Kind::Truncated { half, announced, flushed: false }.into()
    }

    /// `rate` is in bytes a second.
    pub(super) fn slow(bytes: Bytes, rate: NonZeroU64) -> ResponseBody {
        let part = (rate.get() / SLOW_PARTS).max(1);
        let interval = Duration::from_secs_f64(part as f64 / rate.get() as f64);
        let part = usize::try_from(part).unwrap_or(usize::MAX);
        Kind::Slow(Box::new(Slow { rest: bytes, part, interval, pause: None })).into()
    }

    pub(in crate::mock) fn stream(parts: mpsc::Receiver<Bytes>) -> ResponseBody {
        Kind::Stream(parts).into()
    }

    /// Ready when the body has been sent, or its connection has ended.
    pub(in crate::mock) fn sent(&mut self) -> oneshot::Receiver<()> {
        let (sent, was_sent) = oneshot::channel();
        self.sent = Some(sent);
        was_sent
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Truncated;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Truncated>>> {
        let data = match &mut self.kind {
            Kind::Whole(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Kind::Whole(bytes) => std::mem::take(bytes),
            Kind::Truncated { half, .. } if !half.is_empty() => std::mem::take(half),
            Kind::Truncated { flushed, .. } => {
                if std::mem::replace(flushed, true) {
                    return Poll::Ready(Some(Err(Truncated)));
                }
                // An error discards data that the connection has not sent yet.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Kind::Slow(slow) => {
                if let Some(pause) = &mut slow.pause {
                    std::task::ready!(pause.as_mut().poll(cx));
                    slow.pause = None;
                }
                if slow.rest.is_empty() {
                    return Poll::Ready(None);
                }
                let part = slow.rest.split_to(slow.part.min(slow.rest.len()));
                if !slow.rest.is_empty() {
                    slow.pause = Some(Box::pin(sleep(slow.interval)));
                }
                part
            }
            Kind::Stream(parts) => match std::task::ready!(parts.poll_recv(cx)) {
                Some(part) => part,
                None => return Poll::Ready(None),
            },
        };
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Slow(slow) => slow.rest.is_empty(),
            Kind::Truncated { .. } | Kind::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Truncated { announced, .. } => SizeHint::with_exact(*announced),
            Kind::Slow(slow) => SizeHint::with_exact(slow.rest.len() as u64),
            Kind::Stream(_) => SizeHint::default(),
        }
    }
}
