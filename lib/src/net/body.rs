//! Request bodies, collected up to a size limit.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use hyper::body::{Body as _, Frame, Incoming};
use tokio::time::sleep;

use crate::exchange::{DecodeLimits, decode_body};

/// Why a request body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The body has more bytes than the server accepts.
    #[error("the body is longer than {0} bytes")]
    TooLong(u64),
    /// The client sent nothing for this long.
    #[error("the body stalled for {0:?}")]
    Stalled(Duration),
    /// The client closed the connection, or broke the framing.
    #[error("the body could not be read: {0}")]
    Broken(#[from] hyper::Error),
}

impl BodyError {
    /// The status of the error response.
    pub fn status(&self) -> StatusCode {
        match self {
            BodyError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::Stalled(_) => StatusCode::REQUEST_TIMEOUT,
            BodyError::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a body of at most `cap` bytes. The client may pause for at most `idle` between frames:
/// hyper itself has no timeout for bodies.
///
/// # Errors
/// The body is too long, stalled or broken.
pub async fn collect_body(
    mut body: Incoming,
    cap: u64,
    idle: Duration,
) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > cap {
        return Err(BodyError::TooLong(cap));
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    loop {
        let Some(frame) = next_frame(&mut body, idle).await? else {
            return Ok(if all.is_empty() { first } else { all.freeze() });
        };
        let Ok(data) = frame.into_data() else { continue };
        if (first.len() + all.len() + data.len()) as u64 > cap {
            return Err(BodyError::TooLong(cap));
        }
        // Most bodies are a single frame, which is returned without a copy.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&first);
            first.clear();
            all.extend_from_slice(&data);
        }
    }
}

/// The next frame of a body, within `idle`.
async fn next_frame(
    body: &mut Incoming,
    idle: Duration,
) -> Result<Option<Frame<Bytes>>, BodyError> {
    let mut early = true;
    let soon = poll_fn(|cx| match Pin::new(&mut *body).poll_frame(cx) {
        Poll::Ready(frame) => Poll::Ready(Some(frame)),
        // Most bodies arrive together with their heads. The connection, which this same task
        // drives, then delivers them on the next poll, so no timer is needed for them.
        Poll::Pending if std::mem::take(&mut early) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        Poll::Pending => Poll::Ready(None),
    });
    if let Some(frame) = soon.await {
        return Ok(frame.transpose()?);
    }
    let mut limit = pin!(sleep(idle));
    poll_fn(|cx| {
        if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
            return Poll::Ready(Ok(frame.transpose()?));
        }
        limit.as_mut().poll(cx).map(|()| Err(BodyError::Stalled(idle)))
    })
    .await
}

/// Decodes the Content-Encoding of a body. A body that cannot be decoded is returned as received.
pub fn decoded(headers: &HeaderMap, bytes: Bytes) -> Bytes {
    let Some(encoding) = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()) else {
        return bytes;
    };
    match decode_body(&bytes, Some(encoding), DecodeLimits::default()).bytes {
        Cow::Owned(decoded) => decoded.into(),
        Cow::Borrowed(_) => bytes,
    }
}
