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
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// Whom to trust as an upstream: the system's certificate authorities, those given, or everybody.
#[derive(Debug)]
pub struct Trust {
    extra: Vec<CertificateDer<'static>>,
    everybody: bool,
    /// The system's store is read when the first `https` target is asked, and no sooner.
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
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
}

impl Trust {
    /// Trusts the system's authorities, and those of `pem` besides.
    ///
    /// # Errors
    /// `pem` is no list of certificates.
    pub fn new(pem: Option<&[u8]>) -> Result<Trust, TrustError> {
        let mut extra = Vec::new();
        if let Some(pem) = pem {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                extra.push(certificate.map_err(|error| TrustError::Pem(error.to_string()))?);
            }
            let mut probe = RootCertStore::empty();
            for certificate in &extra {
                probe
                    .add(certificate.clone())
                    .map_err(|error| TrustError::Pem(error.to_string()))?;
            }
            if extra.is_empty() {
                return Err(TrustError::Empty);
            }
        }
        Ok(Trust { extra, everybody: false, config: OnceLock::new() })
    }

    /// Trusts whoever answers.
    pub fn everybody() -> Trust {
        Trust { extra: Vec::new(), everybody: true, config: OnceLock::new() }
    }

    pub(super) fn connector(&self) -> io::Result<TlsConnector> {
        match self.config.get_or_init(|| self.build()) {
            Ok(config) => Ok(TlsConnector::from(config.clone())),
            Err(error) => Err(io::Error::other(error.clone())),
        }
    }

    fn build(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let mut config = if self.everybody {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
                .with_no_client_auth()
        } else {
            builder.with_root_certificates(self.roots()?).with_no_client_auth()
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
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
