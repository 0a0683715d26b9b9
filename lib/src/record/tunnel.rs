//! `CONNECT`: a tunnel that ends in this recorder, so that its content can be recorded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::ca::Authority;
use super::proxy;
use super::recorder::Recorder;
use super::reply::{Reply, withheld};
use super::route::Rejected;
use super::tally::Dropped;
use crate::exchange::Protocol;
use crate::net::{ConnectionServer, HttpVersion, Io, Peer, Rewind, Takeover, Target, bare_host};

/// Idle timeout of a new tunnel: browsers open some in advance.
const IDLE: Duration = Duration::from_secs(300);

/// Timeout for the TLS handshake with a client.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The first byte of a TLS handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// Answers `CONNECT`. Only refused requests are counted as seen, because a tunnel is not an
/// exchange.
pub(super) fn answer(
    recorder: &Arc<Recorder>,
    request: Request<Incoming>,
    peer: Peer,
) -> Response<Reply> {
    if recorder.must_withhold() {
        return withheld();
    }
    let (parts, body) = request.into_parts();
    let opened = recorder
        .check_head(&parts)
        .and_then(|()| open(recorder, &Request::from_parts(parts, body), peer));
    opened.unwrap_or_else(|rejected| {
        recorder.tally.count_request();
        recorder.reject(rejected)
    })
}

/// Opens the tunnel that a request asks for. The target is contacted only when a request comes
/// through the tunnel.
fn open(
    recorder: &Arc<Recorder>,
    request: &Request<Incoming>,
    peer: Peer,
) -> Result<Response<Reply>, Rejected> {
    let Some(authority) = recorder.authority.clone() else {
        let why =
            "CONNECT requires --forward; without it, request https targets as /https://host/path";
        return Err(Rejected::new(StatusCode::NOT_IMPLEMENTED, "CONNECT not supported", why));
    };
    let no_target = |why: String| Rejected::new(StatusCode::BAD_REQUEST, "No target", why);
    let asked = request.uri().authority().map(http::uri::Authority::as_str).unwrap_or_default();
    if request.uri().port().is_none() {
        return Err(no_target(format!("CONNECT requires host:port, not {asked:?}")));
    }
    let target = Target::from_url(&format!("https://{asked}/"))?;
    recorder.check_name(&target)?;
    let Some(takeover) = request.extensions().get::<Takeover>() else {
        return Err(no_target("CONNECT over HTTP/2 is not supported".to_owned()));
    };
    let recorder = recorder.clone();
    takeover.with(move |stream, connections| {
        serve(recorder, authority, stream, connections, target, peer)
    });
    Ok(Response::new(Reply::Own(Full::new(Bytes::new()))))
}

/// Serves the content of a tunnel: HTTPS, or HTTP in clear text.
async fn serve(
    recorder: Arc<Recorder>,
    authority: Arc<Authority>,
    mut stream: Box<dyn Io>,
    connections: ConnectionServer,
    target: Target,
    peer: Peer,
) {
    let first = tokio::select! {
        first = timeout(IDLE, stream.read_u8()) => first,
        () = connections.stopped() => return,
    };
    let Ok(Ok(first)) = first else { return };
    let stream = Rewind::new(Bytes::copy_from_slice(&[first]), stream);
    let plain = first != TLS_HANDSHAKE;
    let origin = if plain { target.with_protocol(Protocol::Http) } else { target };
    let handler = Arc::new({
        let (recorder, origin) = (recorder.clone(), Arc::new(origin.clone()));
        move |request, peer| proxy::answer(recorder.clone(), request, peer, Some(origin.clone()))
    });
    if plain {
        return connections.serve(stream, HttpVersion::Http1, peer, handler).await;
    }
    let host = bare_host(&origin);
    let failure = match authority.acceptor(host) {
        Ok(acceptor) => match timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let version = if http2 { HttpVersion::Http2 } else { HttpVersion::Http1 };
                return connections.serve(stream, version, peer, handler).await;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no TLS handshake within {HANDSHAKE:?}"),
        },
        Err(error) => error.to_string(),
    };
    recorder.tally.count_request();
    let message = format!(
        "a client that connected to {} aborted the TLS handshake ({failure}); check that it trusts {}",
        origin.host,
        authority.certificate().display()
    );
    recorder.discard(Dropped::Handshake, &message);
}
