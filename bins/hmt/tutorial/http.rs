//! The client of the tutorial.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest wait for a response.
const PATIENCE: Duration = Duration::from_secs(20);

/// A response.
pub(super) struct Answer {
    pub(super) status: u16,
    /// The header `x-hmt-source`.
    pub(super) source: Option<String>,
    /// Why a mock refused the request: the header `x-hmt-violations`.
    pub(super) violations: Option<Vec<String>>,
    pub(super) body: Bytes,
}

/// Sends a request to a server at `url`, which has no path; a body is JSON.
///
/// # Errors
/// No response within 20 seconds.
pub(super) async fn send(
    url: &str,
    method: &str,
    path: &str,
    body: &str,
) -> anyhow::Result<Answer> {
    let answer = timeout(PATIENCE, exchange(url, method, path, body)).await;
    answer
        .context("no response within 20 seconds")?
        .with_context(|| format!("{method} {url}{path}"))
}

async fn exchange(url: &str, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
    let authority = url.trim_start_matches("http://");
    let stream = TcpStream::connect(authority).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the response.
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header(HOST, authority);
    if !body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let response =
        sender.send_request(request.body(Full::new(Bytes::from(body.to_owned())))?).await?;
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let source = header("x-hmt-source").map(str::to_owned);
    let violations = header("x-hmt-violations").and_then(|json| serde_json::from_str(json).ok());
    let violations = violations.map(|all: Vec<Value>| all.iter().map(violation).collect());
    let body = response.into_body().collect().await?.to_bytes();
    Ok(Answer { status, source, violations, body })
}

/// `body#/user: is not of type string`.
fn violation(value: &Value) -> String {
    let text = |name: &str| value[name].as_str().unwrap_or_default();
    let at = match text("at") {
        "" => String::new(),
        pointer if pointer.starts_with('/') => format!("#{pointer}"),
        name => format!(" {name}"),
    };
    format!("{}{at}: {}", text("in"), text("message"))
}
