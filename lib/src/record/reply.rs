//! The body of a response to the client.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};

use super::response_body::ResponseBody;
use crate::net::Withheld;

/// A response of the recorder itself, or one of the upstream.
pub(super) enum Reply {
    Own(Full<Bytes>),
    /// A complete upstream response without an announced length. The response to the client must
    /// not announce a length either.
    Unsized(Option<Bytes>),
    Passed(Box<ResponseBody>),
}

/// The marker for a response that must not be sent, because its exchange is not recorded.
pub(super) fn withheld() -> Response<Reply> {
    Withheld::Close.response(Reply::Own(Full::default()))
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Reply::Own(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Reply::Unsized(body) => {
                let data = body.take().filter(|data| !data.is_empty());
                Poll::Ready(data.map(|data| Ok(Frame::data(data))))
            }
            Reply::Passed(body) => Pin::new(body.as_mut()).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Reply::Own(body) => body.is_end_stream(),
            Reply::Unsized(body) => body.is_none(),
            Reply::Passed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Reply::Own(body) => body.size_hint(),
            Reply::Unsized(_) => SizeHint::default(),
            Reply::Passed(body) => body.size_hint(),
        }
    }
}
