//! The protocols that a server accepts: HTTP/1 and HTTP/2 in clear text, or TLS with ALPN.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::connection::{ConnectionServer, FIRST_REQUEST_GRACE, HttpVersion};
use super::io::Rewind;
use super::serve::Peer;

/// Timeout for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The start of every HTTP/2 connection with prior knowledge (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// The first byte of a TLS handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// The protocols that clients may speak. The default is [`Protocols::cleartext`].
#[derive(Clone, Default)]
pub struct Protocols {
    tls: Option<TlsAcceptor>,
}

/// A certificate and key that a server cannot use.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The certificate file is unusable.
    #[error("no valid PEM certificate: {0}")]
    Certificate(String),
    /// The key file is unusable.
    #[error("no valid PEM private key: {0}")]
    Key(String),
    /// The key does not belong to the certificate, or their kind is not supported.
    #[error("cannot use this certificate and key: {0}")]
    Pair(String),
}

impl Protocols {
    /// HTTP/1, and HTTP/2 with prior knowledge.
    pub fn cleartext() -> Protocols {
        Protocols { tls: None }
    }

    /// TLS only, with HTTP/1 and HTTP/2 by ALPN. Both arguments are in PEM form. The server's own
    /// certificate comes first in the chain.
    ///
    /// # Errors
    /// The certificates or the key cannot be used.
    pub fn tls(certificates: &[u8], key: &[u8]) -> Result<Protocols, IdentityError> {
        let chain = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| IdentityError::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(IdentityError::Certificate("there is none".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| IdentityError::Key(error.to_string()))?;
        let pair = |error: tokio_rustls::rustls::Error| IdentityError::Pair(error.to_string());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(pair)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Protocols { tls: Some(TlsAcceptor::from(Arc::new(config))) })
    }

    /// True if clients must speak TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves a connection in the protocol that its client speaks.
    pub(super) async fn serve<H, F, B>(
        &self,
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
        if let Some(acceptor) = &self.tls {
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
        let version =
            if read.starts_with(PREFACE) { HttpVersion::Http2 } else { HttpVersion::Http1 };
        connections.serve(Rewind::new(read, stream), version, peer, handler).await;
    }
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
