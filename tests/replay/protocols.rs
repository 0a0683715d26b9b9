//! TLS and HTTP/2.

use std::sync::mpsc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::generate_simple_self_signed;
use serde_json::json;

use super::{WITH_BODY, line, serve};
use crate::harness::{Dir, Program, Server, on_path};

/// Status, body and trailers of one request over HTTP/2 with prior knowledge.
fn http2(port: u16, request: http::Request<Full<Bytes>>) -> (u16, Bytes, http::HeaderMap) {
    let (sender, receiver) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let answer = client.send_request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        sender.send((status, body.to_bytes(), trailers)).unwrap();
    });
    receiver.recv().unwrap()
}

/// A gRPC call: a length-prefixed message in each direction, and the status in trailers.
#[test]
fn grpc_calls_come_back_with_their_trailers() {
    let call = |path: &str, body: &str, trailers: serde_json::Value| {
        let line = json!({
            "meta": {"hmt": {"v": 1, "requestBodyBase64": "AAAAAAMKAWE=", "responseBodyBase64": body,
                "trailers": {"response": trailers}}},
            "request": {"method": "post", "protocol": "http", "host": "h.test", "path": path,
                "headers": {"content-type": "application/grpc", "te": "trailers"}},
            "response": {"statusCode": 200, "headers": {"content-type": "application/grpc"}},
        });
        format!("{line}\n")
    };
    let lines = [
        call("/s/Unary", "AAAAAAMKAWI=", json!({"grpc-status": "0"})),
        call("/s/Stream", "AAAAAAMKAWIAAAAAAwoBYw==", json!({"grpc-status": "0"})),
        call("/s/Fail", "", json!({"grpc-status": "5", "grpc-message": "not found"})),
    ];
    let (_dir, server) = serve(&lines, WITH_BODY);
    let ask = |path: &str, body: &'static [u8]| {
        let request = http::Request::post(format!("http://h.test{path}"));
        let request = request.header("content-type", "application/grpc").header("te", "trailers");
        http2(server.port(), request.body(Full::from(body)).unwrap())
    };
    let message = b"\0\0\0\0\x03\x0a\x01a";
    let (status, body, trailers) = ask("/s/Unary", message);
    assert_eq!((status, &body[..]), (200, &b"\0\0\0\0\x03\x0a\x01b"[..]));
    assert_eq!(trailers["grpc-status"], "0");
    let (_, body, trailers) = ask("/s/Stream", message);
    assert_eq!((body.len(), &trailers["grpc-status"]), (16, &"0".parse().unwrap()));
    let (_, body, trailers) = ask("/s/Fail", message);
    assert!(body.is_empty());
    assert_eq!(
        (&trailers["grpc-status"], &trailers["grpc-message"]),
        (&"5".parse().unwrap(), &"not found".parse().unwrap())
    );
    assert_eq!(ask("/s/Unary", b"\0\0\0\0\x03\x0a\x01z").0, 404);
}

#[test]
fn tls_is_spoken_with_http_1_and_2() {
    let dir = Dir::new();
    let identity = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    dir.write("cert.pem", identity.cert.pem());
    dir.write("key.pem", identity.signing_key.serialize_pem());
    dir.write("log.jsonl", line("get", "h.test", "/x", "", 200, "ok"));
    let args = ["serve", "-p", "0", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "log.jsonl"];
    let server = Server::start(dir.program("hmt-replay").args(args));
    assert!(server.stderr().contains("listening on https://"));
    if on_path("curl").is_some() {
        let url = format!("https://localhost:{}/x", server.port());
        for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
            let args = ["-sS", "--cacert", "cert.pem", flag, "-w", " %{http_version}", &url];
            let run = Program::of("curl", dir.path()).args(args).run().expect_code(0);
            assert_eq!(String::from_utf8(run.stdout).unwrap(), format!("ok {version}"));
        }
    }
    server.stop().expect_code(0);
    let run =
        dir.program("hmt-replay").args(["serve", "--tls-cert", "cert.pem", "log.jsonl"]).run();
    run.expect_code(2).expect_stderr("--tls-key");
}
