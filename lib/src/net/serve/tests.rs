use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

use super::*;
use crate::net::bind;

/// Serves until the sender is used or dropped. `/slow` responds after a notification.
async fn server(
    grace: Duration,
) -> (SocketAddr, oneshot::Sender<()>, Arc<tokio::sync::Notify>, tokio::task::JoinHandle<Drained>) {
    let listener = bind(IpAddr::from([127, 0, 0, 1]), 0, "-p").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let slow = Arc::new(tokio::sync::Notify::new());
    let gate = slow.clone();
    let handler = move |request: Request<Incoming>, peer: Peer| {
        let gate = gate.clone();
        async move {
            match request.uri().path() {
                "/panic" => panic!("as the test asks"),
                "/slow" => gate.notified().await,
                _ => (),
            }
            let mut response = Response::new(Full::new(Bytes::from(peer.connection.to_string())));
            *response.status_mut() = StatusCode::OK;
            response
        }
    };
    let shutdown = async move {
        let _ = stopped.await;
    };
    let task = tokio::spawn(serve(listener, Limits::default(), shutdown, grace, handler));
    (address, stop, slow, task)
}

async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text).await;
    text
}

#[tokio::test]
async fn a_panic_ends_one_connection_only() {
    let (address, stop, _, task) = server(Duration::from_secs(10)).await;
    assert_eq!(rest(ask(address, "/panic").await).await, "");
    let mut after = ask(address, "/").await;
    // A half-closed client still gets its response.
    after.shutdown().await.expect("half-close");
    assert!(rest(after).await.ends_with("\r\n\r\n2"));
    stop.send(()).expect("the server runs");
    assert_eq!(task.await.expect("no panic"), Drained { cut: 0 });
}

#[tokio::test]
async fn drain_finishes_what_is_in_flight_and_idle_connections_end() {
    let (address, stop, slow, task) = server(Duration::from_secs(60)).await;
    let silent = TcpStream::connect(address).await.expect("the server listens");
    let asked = ask(address, "/slow").await;
    // The response on a third connection shows that the first two were accepted.
    let third = ask(address, "/").await;
    third.readable().await.expect("an answer");
    stop.send(()).expect("the server runs");
    slow.notify_one();
    assert!(rest(asked).await.ends_with("\r\n\r\n2"));
    assert_eq!(rest(silent).await, "");
    assert_eq!(task.await.expect("no panic"), Drained { cut: 0 });
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn grace_ends() {
    let (address, stop, _slow, task) = server(Duration::from_millis(1)).await;
    let asked = ask(address, "/slow").await;
    let second = ask(address, "/").await;
    second.readable().await.expect("an answer");
    stop.send(()).expect("the server runs");
    assert_eq!(rest(asked).await, "");
    assert!(task.await.expect("no panic").cut >= 1);
}
