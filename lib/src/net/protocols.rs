//! The protocols that a server accepts: HTTP/1 and HTTP/2 in clear text, or TLS with ALPN.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

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

    /// Performs the TLS handshakes, if clients must speak TLS.
    pub(super) fn acceptor(&self) -> Option<&TlsAcceptor> {
        self.tls.as_ref()
    }
}
