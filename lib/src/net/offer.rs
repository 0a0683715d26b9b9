//! What a server's clients may speak besides HTTP/1 in clear text: HTTP/2 at once, and TLS.

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

use super::carrier::{Carrier, LAST_CALL, Wire};
use super::io::Rewind;
use super::serve::Peer;

/// Time for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How every connection begins that speaks HTTP/2 without asking (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// The first byte of a TLS handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What clients may speak. By default that of [`Offer::clear`].
#[derive(Clone, Default)]
pub struct Offer {
    tls: Option<TlsAcceptor>,
}

/// A certificate and its key that no server can show.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The certificate's file.
    #[error("no certificate in PEM form: {0}")]
    Certificate(String),
    /// The key's file.
    #[error("no private key in PEM form: {0}")]
    Key(String),
    /// They do not belong together, or are of an unsupported kind.
    #[error("certificate and key cannot be used: {0}")]
    Pair(String),
}

impl Offer {
    /// HTTP/1, and HTTP/2 by prior knowledge.
    pub fn clear() -> Offer {
        Offer { tls: None }
    }

    /// TLS only, with HTTP/1 and HTTP/2 by ALPN. Both arguments are in PEM form; the certificates begin with the server's own.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn tls(certificates: &[u8], key: &[u8]) -> Result<Offer, IdentityError> {
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
        Ok(Offer { tls: Some(TlsAcceptor::from(Arc::new(config))) })
    }

    /// True where clients speak TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves a connection in what its client speaks.
    pub(super) async fn serve<H, F, B>(
        &self,
        stream: TcpStream,
        carrier: &Carrier,
        patience: Duration,
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
                stream = timeout(HANDSHAKE, acceptor.accept(stream)) => stream,
                () = carrier.stopped() => return,
            };
            // Who breaks off the handshake has its reasons, and knows them.
            let Ok(Ok(stream)) = stream else { return };
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let wire = if http2 { Wire::Http2 } else { Wire::Http1 };
            return carrier.serve(stream, wire, peer, handler).await;
        }
        let begun = tokio::select! {
            begun = timeout(patience, begin(stream)) => begun,
            () = async { carrier.stopped().await; sleep(LAST_CALL).await } => return,
        };
        let Ok(Some((read, stream))) = begun else { return };
        if read.first() == Some(&TLS_HANDSHAKE) {
            return carrier.refuse(peer, "it speaks TLS, and this port does not; use http://");
        }
        let wire = if read.starts_with(PREFACE) { Wire::Http2 } else { Wire::Http1 };
        carrier.serve(Rewind::new(read, stream), wire, peer, handler).await;
    }
}

/// Reads until it can be told whether this is HTTP/2; `None` where nothing comes.
async fn begin(mut stream: TcpStream) -> Option<(Bytes, TcpStream)> {
    let mut read = bytes::BytesMut::with_capacity(8 << 10);
    loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            // What came is for the server to make sense of, as an end within a request.
            return (!read.is_empty()).then(|| (read.freeze(), stream));
        }
        let length = read.len().min(PREFACE.len());
        if read[..length] != PREFACE[..length] || length == PREFACE.len() {
            return Some((read.freeze(), stream));
        }
    }
}
