//! The request body on its way to the upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::copy::{Upload, UploadEnd};

/// Streams the client's body through and leaves a bounded copy.
#[derive(Debug)]
pub(super) struct RequestBody {
    /// None for a request without body.
    inner: Option<(Incoming, Arc<Upload>)>,
}

impl RequestBody {
    pub(super) fn empty() -> Self {
        RequestBody { inner: None }
    }

    pub(super) fn new(body: Incoming, upload: Arc<Upload>) -> Self {
        RequestBody { inner: Some((body, upload)) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some((body, upload)) = &mut self.get_mut().inner else { return Poll::Ready(None) };
        let frame = std::task::ready!(Pin::new(&mut *body).poll_frame(cx));
        let mut state = upload.lock();
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    state.copy.push(data);
                }
                state.progress = Instant::now();
                if body.is_end_stream() {
                    state.end = Some(UploadEnd::Whole);
                }
            }
            Some(Err(_)) => state.end = Some(UploadEnd::Broken),
            None => state.end = Some(UploadEnd::Whole),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or(SizeHint::with_exact(0), |(body, _)| body.size_hint())
    }
}
