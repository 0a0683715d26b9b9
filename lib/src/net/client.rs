//! A client for the few requests that the servers send themselves: to an upstream, or for a file.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::body::{BodyError, collect_body};

/// Timeout for the head of a response, and for pauses within a body.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum number of redirects followed when fetching a file.
const MAX_REDIRECTS: usize = 5;

/// A client that reuses connections, over HTTP/1 or HTTP/2, and over TLS for https URLs.
#[derive(Clone, Debug)]
pub struct Client {
    inner: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// There is no response, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The given certificates cannot be used.
    #[error("no valid PEM certificate: {0}")]
    Certificate(String),
    /// The URL is malformed.
    #[error("{0:?} is not an http:// or https:// URL")]
    Url(String),
    /// Connecting failed, or the connection broke.
    #[error("{}", describe(.0))]
    Broken(#[from] legacy::Error),
    /// Nothing arrived within the timeout.
    #[error("no response within {TIMEOUT:?}")]
    TimedOut,
    /// The body of the response cannot be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The status is not 200.
    #[error("the server responded with {0}")]
    Status(http::StatusCode),
    /// Too many redirects.
    #[error("more than {MAX_REDIRECTS} redirects")]
    Redirects,
}

/// The cause of a connection error, without the names of hyper's internal steps.
fn describe(error: &legacy::Error) -> String {
    let text = with_causes(error);
    // `client error (Connect): tcp connect error: Connection refused (os error 111)`
    let (step, why) = text.split_once("): ").unwrap_or(("", &text));
    let why = why.trim_start_matches("tcp connect error: ").trim_start_matches("dns error: ");
    let what = if step.ends_with("Connect") { "cannot connect" } else { "the connection broke" };
    format!("{what}: {why}")
}

/// The message of an error with those of its sources. Hyper's own message leaves out the cause.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl Client {
    /// Trusts the certificate authorities of the system, and also those in `authorities` (PEM).
    ///
    /// # Errors
    /// `authorities` holds no valid certificate.
    pub fn new(authorities: Option<&[u8]>) -> Result<Client, ClientError> {
        let mut roots = RootCertStore::empty();
        // A system without certificates still serves http:// and the given authorities.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let wrong = |error: String| ClientError::Certificate(error);
        for certificate in authorities.into_iter().flat_map(CertificateDer::pem_slice_iter) {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .build();
        Ok(Client { inner: legacy::Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// Sends a request with an absolute URL, and returns the response with its whole body.
    ///
    /// # Errors
    /// There is no response, or its body has more than `cap` bytes.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        cap: u64,
    ) -> Result<Response<Bytes>, ClientError> {
        let answer = timeout(TIMEOUT, self.inner.request(request)).await;
        let (parts, body) = answer.map_err(|_| ClientError::TimedOut)??.into_parts();
        Ok(Response::from_parts(parts, collect_body(body, cap, TIMEOUT).await?))
    }

    /// Fetches the file at a URL, following redirects.
    ///
    /// # Errors
    /// There is no such file, or it has more than `cap` bytes.
    pub async fn fetch(&self, url: &str, cap: u64) -> Result<Bytes, ClientError> {
        let mut at = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let uri: Uri = at.parse().map_err(|_| ClientError::Url(at.clone()))?;
            let request = Request::get(uri.clone())
                .header("accept", "application/json, application/yaml;q=0.9, */*;q=0.5")
                .body(Full::new(Bytes::new()))
                .map_err(|_| ClientError::Url(at.clone()))?;
            let answer = self.send(request, cap).await?;
            if answer.status().is_success() {
                return Ok(answer.into_body());
            }
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let Some(to) = to.filter(|_| answer.status().is_redirection()) else {
                return Err(ClientError::Status(answer.status()));
            };
            at = redirected(&uri, to);
        }
        Err(ClientError::Redirects)
    }
}

/// The absolute form of a `Location` in the response to a request for `from`: it may be a URL, or a
/// path on the same server.
fn redirected(from: &Uri, to: &str) -> String {
    if to.contains("://") {
        return to.to_owned();
    }
    let scheme = from.scheme_str().unwrap_or("http");
    let host = from.authority().map_or("", |authority| authority.as_str());
    let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    if to.starts_with('/') {
        format!("{scheme}://{host}{to}")
    } else {
        format!("{scheme}://{host}{folder}/{to}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_may_be_relative() {
        let from = Uri::from_static("http://a.test:1/x/y?z");
        assert_eq!(redirected(&from, "/b"), "http://a.test:1/b");
        assert_eq!(redirected(&from, "b"), "http://a.test:1/x/b");
        assert_eq!(redirected(&from, "https://b.test/c"), "https://b.test/c");
    }
}
