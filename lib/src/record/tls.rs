//! TLS towards upstreams.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// Whom to trust as an upstream: the system's certificate authorities, those given, or everybody.
#[derive(Debug)]
pub struct Trust {
    extra: Vec<CertificateDer<'static>>,
    everybody: bool,
    identity: Option<Identity>,
    /// The system's store is read when the first `https` target is asked, and no sooner.
    config: OnceLock<Result<Configs, String>>,
}

/// What this side shows to upstreams that want to know whom they talk to.
#[derive(Debug)]
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// For exchanges by any version of HTTP, and for those that only HTTP/1 can do.
#[derive(Debug)]
struct Configs {
    any: Arc<ClientConfig>,
    http1: Arc<ClientConfig>,
}

/// Certificates that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file is not what it should be.
    #[error("no PEM certificates: {0}")]
    Pem(String),
    /// The file has none.
    #[error("it holds no certificate in PEM form")]
    Empty,
    /// The file has no key.
    #[error("it holds no private key in PEM form: {0}")]
    NoKey(String),
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("certificate and key cannot be used: {0}")]
    Identity(String),
}

impl Trust {
    /// Trusts the system's authorities, and those of `pem` besides.
    ///
    /// # Errors
    /// `pem` is no list of certificates.
    pub fn new(pem: Option<&[u8]>) -> Result<Trust, TrustError> {
        let extra = pem.map_or_else(|| Ok(Vec::new()), certificates)?;
        let mut probe = RootCertStore::empty();
        for certificate in &extra {
            let added = probe.add(certificate.clone());
            added.map_err(|error| TrustError::Pem(error.to_string()))?;
        }
        Ok(Trust { extra, everybody: false, identity: None, config: OnceLock::new() })
    }

    /// Trusts whoever answers.
    pub fn everybody() -> Trust {
        Trust { extra: Vec::new(), everybody: true, identity: None, config: OnceLock::new() }
    }

    /// Shows this certificate (and its chain) to upstreams that ask for one; both in PEM form.
    ///
    /// # Errors
    /// There is no certificate, no key, or they do not belong together.
    pub fn with_identity(mut self, chain: &[u8], key: &[u8]) -> Result<Trust, TrustError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| TrustError::NoKey(error.to_string()))?;
        CertifiedKey::from_der(chain.clone(), key.clone_key(), &ring::default_provider())
            .map_err(|error| TrustError::Identity(error.to_string()))?;
        self.identity = Some(Identity { chain, key });
        Ok(self)
    }

    /// `http1` rules HTTP/2 out.
    pub(super) fn connector(&self, http1: bool) -> io::Result<TlsConnector> {
        match self.config.get_or_init(|| self.build()) {
            Ok(configs) if http1 => Ok(TlsConnector::from(configs.http1.clone())),
            Ok(configs) => Ok(TlsConnector::from(configs.any.clone())),
            Err(error) => Err(io::Error::other(error.clone())),
        }
    }

    fn build(&self) -> Result<Configs, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = if self.everybody {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        } else {
            builder.with_root_certificates(self.roots()?)
        };
        let mut config = match &self.identity {
            Some(Identity { chain, key }) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|error| error.to_string())?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let http1 = Arc::new(config.clone());
        config.alpn_protocols.insert(0, b"h2".to_vec());
        Ok(Configs { any: Arc::new(config), http1 })
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        roots.add_parsable_certificates(self.extra.iter().cloned());
        if roots.is_empty() {
            let why = system.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(format!(
                "this system has no certificate authorities{why}; install ca-certificates, or name some with --upstream-ca"
            ));
        }
        Ok(roots)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TrustError::Pem(error.to_string()))?;
    if certificates.is_empty() { Err(TrustError::Empty) } else { Ok(certificates) }
}

/// Accepts every certificate, but still checks that the upstream holds its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        assert!(matches!(Trust::new(Some(b"no certificate")), Err(TrustError::Empty)));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(Trust::new(Some(broken)), Err(TrustError::Pem(_))));
    }
}
