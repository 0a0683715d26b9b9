//! The request body on its way to the upstream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::copy::{Upload, UploadEnd};

/// How long a client may pause while its unwanted upload is read.
const DRAIN: Duration = Duration::from_secs(10);

/// Streams the client's body and keeps a bounded copy.
#[derive(Debug)]
pub(super) struct RequestBody {
    /// `None` for a request without a body.
    inner: Option<(Incoming, Arc<Upload>)>,
    /// True if the client sends the body without waiting for `100 Continue`.
    comes: bool,
}

impl RequestBody {
    pub(super) fn empty() -> Self {
        RequestBody { inner: None, comes: false }
    }

    /// `comes` is false if the client waits for `100 Continue` (`Expect: 100-continue`).
    pub(super) fn new(body: Incoming, upload: Arc<Upload>, comes: bool) -> Self {
        RequestBody { inner: Some((body, upload)), comes }
    }
}

/// Reads the rest of an upload whose response was sent early. Closing a connection with unread
/// bytes sends a reset, which could make the client lose the response.
pub(super) fn drain(mut body: Incoming) {
    // There is no runtime during a shutdown.
    let runtime = Handle::try_current();
    if let (false, Ok(runtime)) = (body.is_end_stream(), runtime) {
        runtime.spawn(
            async move { while let Ok(Some(Ok(_))) = timeout(DRAIN, body.frame()).await {} },
        );
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some((body, upload)) = self.inner.take()
            && self.comes
            && upload.lock().end.is_none()
        {
            drain(body);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let Some((body, upload)) = &mut this.inner else { return Poll::Ready(None) };
        this.comes = true;
        let frame = std::task::ready!(Pin::new(&mut *body).poll_frame(cx));
        let mut state = upload.lock();
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    state.copy.push(data);
                }
                let trailers = frame.trailers_ref();
                if let Some(trailers) = trailers {
                    state.trailers = trailers.clone();
                }
                state.progress = Instant::now();
                // Trailers are the last frame, after which nothing polls the body again.
                if trailers.is_some() || body.is_end_stream() {
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
