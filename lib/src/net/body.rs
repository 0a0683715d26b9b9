//! Request bodies, collected up to a cap.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use crate::exchange::{Body, DecodeLimits, decode_body};

/// A request body could not be read whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More bytes than the server takes.
    #[error("the body is longer than {0} bytes")]
    TooLong(u64),
    /// The client sent nothing for this long.
    #[error("the body stalled for {0:?}")]
    Stalled(Duration),
    /// The client left, or broke the framing.
    #[error("the body could not be read: {0}")]
    Broken(#[from] hyper::Error),
}

impl BodyError {
    /// The status that tells the client.
    pub fn status(&self) -> StatusCode {
        match self {
            BodyError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::Stalled(_) => StatusCode::REQUEST_TIMEOUT,
            BodyError::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a body of at most `cap` bytes, whose client may be silent for at most `idle` at a time
/// (hyper itself never times a body out).
///
/// # Errors
/// The body is too long, stalled or broken.
pub async fn collect_body(
    mut body: Incoming,
    cap: u64,
    idle: Duration,
) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > cap {
        return Err(BodyError::TooLong(cap));
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    loop {
        let frame = timeout(idle, body.frame()).await.map_err(|_| BodyError::Stalled(idle))?;
        let Some(frame) = frame else {
            return Ok(if all.is_empty() { first } else { all.freeze() });
        };
        let Ok(data) = frame?.into_data() else { continue };
        if (first.len() + all.len() + data.len()) as u64 > cap {
            return Err(BodyError::TooLong(cap));
        }
        // Most bodies are one frame, which is then lent and not copied.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&first);
            first.clear();
            all.extend_from_slice(&data);
        }
    }
}

/// Reads a request's body as [`collect_body`] does, and undoes its Content-Encoding; where that cannot be
/// undone, the bytes are as they came.
///
/// # Errors
/// Those of [`collect_body`].
pub async fn collect_decoded(
    headers: &HeaderMap,
    body: Incoming,
    cap: u64,
    idle: Duration,
) -> Result<Body<'static>, BodyError> {
    let bytes = collect_body(body, cap, idle).await?;
    let Some(encoding) = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()) else {
        return Ok(Body::from_bytes(bytes.into()));
    };
    let decoded = decode_body(&bytes, Some(encoding), DecodeLimits::default());
    Ok(Body::from_bytes(decoded.bytes.into_owned()))
}
