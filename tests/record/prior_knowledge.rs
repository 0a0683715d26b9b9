//! HTTP/2 in clear text, from the client to the upstream, as used by gRPC.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::TcpListener;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2 as client;
use hyper::server::conn::http2 as server;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;

use super::{recorder, records};
use crate::harness::{Dir, Server};

/// A body with the given frames.
struct Frames(VecDeque<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

fn frames(data: &[&'static str], trailers: &[(&'static str, &'static str)]) -> Frames {
    let mut frames: VecDeque<_> =
        data.iter().map(|data| Frame::data(Bytes::from_static(data.as_bytes()))).collect();
    if !trailers.is_empty() {
        let pairs = trailers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), http::HeaderValue::from_static(value)));
        frames.push_back(Frame::trailers(pairs.collect::<HeaderMap>()));
    }
    Frames(frames)
}

/// An upstream that supports only HTTP/2. It echoes the request, with trailers as in gRPC.
fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = server::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service_fn(answer));
                tokio::spawn(connection);
            }
        });
    });
    format!("http://{address}")
}

async fn answer(request: Request<Incoming>) -> Result<Response<Frames>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap();
    let trailer = body.trailers().and_then(|trailers| trailers.get("x-asked")).cloned();
    let header = |name: &str| {
        parts.headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned()
    };
    let seen = format!(
        "{} {} te={} via={} trailer={:?} body={}",
        parts.method,
        parts.uri,
        header("te"),
        header("via"),
        trailer,
        String::from_utf8_lossy(&body.to_bytes()),
    );
    let response = Response::builder().header("content-type", "application/grpc");
    let mut frames = frames(&[], &[("grpc-status", "5"), ("grpc-message", "not found")]);
    frames.0.push_front(Frame::data(seen.into()));
    Ok(response.body(frames).unwrap())
}

/// The response's body and trailers.
fn ask(recorder: &Server, request: Request<Frames>) -> (u16, String, HeaderMap) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", recorder.port())).await.unwrap();
        let (mut sender, connection) =
            client::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        assert_eq!(parts.version, Version::HTTP_2);
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
        (parts.status.as_u16(), text, trailers)
    })
}

#[test]
fn what_a_client_speaks_by_prior_knowledge_is_sent_so() {
    let (dir, upstream) = (Dir::new(), upstream());
    let recorder = recorder(&dir, &["-t", &upstream]);
    let request = Request::post("http://asked.test/shop.Shop/Find?x")
        .header("te", "trailers")
        .header("content-type", "application/grpc")
        .body(frames(&["one ", "two"], &[("x-asked", "yes")]))
        .unwrap();
    let (status, body, trailers) = ask(&recorder, request);
    assert_eq!(status, 200);
    let expected = format!(
        "POST {upstream}/shop.Shop/Find?x te=trailers via=- trailer=Some(\"yes\") body=one two"
    );
    assert_eq!(body, expected);
    assert_eq!(
        (&trailers["grpc-status"], &trailers["grpc-message"]),
        (&"5".parse().unwrap(), &"not found".parse().unwrap())
    );
    let record = &records(recorder)[0];
    assert_eq!(record["request"]["path"], "/shop.Shop/Find?x");
    assert_eq!(record["request"]["body"], "one two");
    assert_eq!(
        record["meta"]["hmt"]["trailers"],
        json!({
            "request": {"x-asked": "yes"},
            "response": {"grpc-status": "5", "grpc-message": "not found"},
        })
    );
}

#[test]
fn paths_name_targets_over_http_2_too() {
    let (dir, upstream) = (Dir::new(), upstream());
    let recorder = recorder(&dir, &[]);
    let url = format!("http://here.test/{upstream}/x?y");
    let (status, body, _) = ask(&recorder, Request::get(&url).body(frames(&[], &[])).unwrap());
    assert_eq!((status, body.split(' ').nth(1)), (200, Some(format!("{upstream}/x?y").as_str())));
    let wrong = Request::get("http://here.test/x").body(frames(&[], &[])).unwrap();
    assert_eq!(ask(&recorder, wrong).0, 400);
    assert_eq!(records(recorder).len(), 1);
}
