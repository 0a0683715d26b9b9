//! A client for the few requests that the servers send to an upstream themselves.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
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
    /// No connection, or it broke.
    #[error("{}", describe(.0))]
    Broken(#[from] legacy::Error),
    /// Nothing arrived within the timeout.
    #[error("no response within {TIMEOUT:?}")]
    TimedOut,
    /// The body of the response cannot be read.
    #[error(transparent)]
    Body(#[from] BodyError),
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

/// The message of an error, with the messages of its sources. Hyper's own message leaves out the
/// cause.
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
        let config = tls_config(authorities)?;
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
}

/// A configuration that trusts the system's certificate authorities, and those in `authorities`
/// besides.
pub(super) fn tls_config(authorities: Option<&[u8]>) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore::empty();
    // A system without authorities can still use http:// and the given authorities.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let wrong = |error: String| ClientError::Certificate(error);
    for certificate in authorities.into_iter().flat_map(CertificateDer::pem_slice_iter) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
