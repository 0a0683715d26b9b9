//! The client of the tutorial.

use anyhow::Context as _;
use bytes::Bytes;
use hmt_core::net::Client;
use http_body_util::Full;
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use serde_json::Value;

/// Maximum number of bytes of a body.
const MAX_BODY: u64 = 1 << 20;

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
/// No response, or one that is too large.
pub(super) async fn send(
    client: &Client,
    url: &str,
    method: &str,
    path: &str,
    body: &str,
) -> anyhow::Result<Answer> {
    let mut request = Request::builder().method(method).uri(format!("{url}{path}"));
    if !body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned())))?;
    let response = client.send(request, MAX_BODY).await;
    let response = response.with_context(|| format!("{method} {url}{path}"))?;
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let source = header("x-hmt-source").map(str::to_owned);
    let violations = header("x-hmt-violations").and_then(|json| serde_json::from_str(json).ok());
    let violations = violations.map(|all: Vec<Value>| all.iter().map(violation).collect());
    Ok(Answer { status, source, violations, body: response.into_body() })
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
