//! The listener of the admin port.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method};
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::super::Mock;
use super::super::answer::Answer;
use super::super::delivery::{ResponseBody, to_response};
use super::endpoint::Reply;
use super::router::{Access, answer};
use crate::net::{self, Limits, Peer, collect_body};

/// The longest request body in bytes: overrides have bodies of answers.
const MAX_BODY: u64 = 16 << 20;
/// How long a client may be silent within a request body.
const BODY_IDLE: Duration = Duration::from_secs(30);
/// Time for requests in progress at the end.
const GRACE: Duration = Duration::from_secs(1);

/// Serves the admin endpoints until the sender of `stopping` is dropped.
pub(in crate::mock) async fn serve(
    mock: Arc<Mock>,
    listener: TcpListener,
    access: Access,
    limits: Limits,
    mut stopping: watch::Receiver<()>,
) {
    let access = Arc::new(access);
    let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
    let shutdown = async move {
        let _ = stopping.changed().await;
    };
    let handler = move |request: Request<Incoming>, _: Peer| {
        let (mock, access) = (Arc::clone(&mock), Arc::clone(&access));
        async move {
            let (parts, body) = request.into_parts();
            let reply = match collect_body(body, MAX_BODY, BODY_IDLE).await {
                Ok(body) => answer(&mock, &access, &parts, &body, port).await,
                Err(error) => {
                    Answer::problem(error.status(), "the body", &error.to_string()).into()
                }
            };
            match reply {
                Reply::Answer(answer) => to_response(*answer, parts.method == Method::HEAD),
                Reply::Events(events) => {
                    let mut response = Response::new(ResponseBody::stream(events));
                    let headers = response.headers_mut();
                    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
                    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                    response
                }
            }
        }
    };
    net::serve(listener, limits, shutdown, GRACE, handler).await;
}

/// The line for standard error once the admin port listens.
pub fn admin_ready_line(address: std::net::SocketAddr) -> String {
    format!("admin on http://{address}/admin")
}
