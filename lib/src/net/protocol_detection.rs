//! Detects the protocol of a connection, and serves it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::connection::{ConnectionServer, FIRST_REQUEST_GRACE, HttpVersion};
use super::io::Rewind;
use super::limits::Peer;
use super::protocols::Protocols;

/// Timeout for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The start of every HTTP/2 connection with prior knowledge (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// The first byte of a TLS handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// Serves a connection in the protocol that its client speaks.
pub(super) async fn serve_stream<H, F, B>(
    protocols: &Protocols,
    stream: TcpStream,
    connections: &ConnectionServer,
    header_timeout: Duration,
    peer: Peer,
    handler: Arc<H>,
) where
    H: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if let Some(acceptor) = protocols.acceptor() {
        let stream = tokio::select! {
            stream = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)) => stream,
            () = connections.stopped() => return,
        };
        // A failed handshake is not reported, because the client knows the reason.
        let Ok(Ok(stream)) = stream else { return };
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let version = if http2 { HttpVersion::Http2 } else { HttpVersion::Http1 };
        return connections.serve(stream, version, peer, handler).await;
    }
    let prefix = tokio::select! {
        prefix = timeout(header_timeout, read_preface(stream)) => prefix,
        () = async { connections.stopped().await; sleep(FIRST_REQUEST_GRACE).await } => return,
    };
    let Ok(Some((read, stream))) = prefix else { return };
    if read.first() == Some(&TLS_HANDSHAKE) {
        return connections
            .refuse(peer, "the client uses TLS, but this port does not; use http://");
    }
    let version = if read.starts_with(PREFACE) { HttpVersion::Http2 } else { HttpVersion::Http1 };
    connections.serve(Rewind::new(read, stream), version, peer, handler).await;
}
/// Reads enough bytes to tell HTTP/1 and HTTP/2 apart; `None` if the client sends nothing.
async fn read_preface(mut stream: TcpStream) -> Option<(Bytes, TcpStream)> {
    let mut read = bytes::BytesMut::with_capacity(8 << 10);
    loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            // The HTTP server reports a request that ends early.
            return (!read.is_empty()).then(|| (read.freeze(), stream));
        }
        let length = read.len().min(PREFACE.len());
        if read[..length] != PREFACE[..length] || length == PREFACE.len() {
            return Some((read.freeze(), stream));
        }
    }
}
