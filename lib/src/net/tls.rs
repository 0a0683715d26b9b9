//! TLS connections to upstreams.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError,
    RootCertStore, SignatureScheme,
};

use super::x509::Certificate;

/// Which upstreams are trusted: those of the system's certificate authorities, those of given ones,
/// or all.
#[derive(Debug)]
pub struct Trust {
    extra: Vec<CertificateDer<'static>>,
    accept_any: bool,
    identity: Option<Identity>,
    /// The system's certificates are loaded for the first `https` target only.
    config: OnceLock<Result<Configs, String>>,
}

/// The client certificate and key, for upstreams that ask for one.
#[derive(Debug)]
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Two configurations: with ALPN for HTTP/2, and for HTTP/1 only.
#[derive(Debug)]
struct Configs {
    any: Arc<ClientConfig>,
    http1: Arc<ClientConfig>,
}

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file is not valid PEM.
    #[error("no PEM certificates: {0}")]
    Pem(String),
    /// The file contains no certificate.
    #[error("the file contains no PEM certificate")]
    Empty,
    /// The file contains no key.
    #[error("the file contains no PEM private key: {0}")]
    NoKey(String),
    /// The key does not belong to the certificate, or their kind is not supported.
    #[error("cannot use this certificate and key: {0}")]
    Identity(String),
}

impl Trust {
    /// Trusts the system's authorities or, if `pem` is given, only the certificates in it, as
    /// authorities and as those of servers.
    ///
    /// # Errors
    /// `pem` is not a list of certificates.
    pub fn new(pem: Option<&[u8]>) -> Result<Trust, TrustError> {
        let extra = pem.map_or_else(|| Ok(Vec::new()), certificates)?;
        let mut probe = RootCertStore::empty();
        for certificate in &extra {
            let added = probe.add(certificate.clone());
            added.map_err(|error| TrustError::Pem(error.to_string()))?;
        }
        Ok(Trust { extra, accept_any: false, identity: None, config: OnceLock::new() })
    }

    /// Accepts every certificate.
    pub fn accept_any() -> Trust {
        Trust { extra: Vec::new(), accept_any: true, identity: None, config: OnceLock::new() }
    }

    /// Presents this certificate chain to upstreams that ask for a client certificate. Both
    /// arguments are in PEM form.
    ///
    /// # Errors
    /// The certificate or the key is missing, or they do not belong together.
    pub fn with_identity(mut self, chain: &[u8], key: &[u8]) -> Result<Trust, TrustError> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| TrustError::NoKey(error.to_string()))?;
        CertifiedKey::from_der(chain.clone(), key.clone_key(), &ring::default_provider())
            .map_err(|error| TrustError::Identity(error.to_string()))?;
        self.identity = Some(Identity { chain, key });
        Ok(self)
    }

    /// A connector; `http1` excludes HTTP/2.
    pub(crate) fn connector(&self, http1: bool) -> io::Result<TlsConnector> {
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
        let verifier: Arc<dyn ServerCertVerifier> = if self.accept_any {
            Arc::new(AcceptAny(provider))
        } else {
            let roots = Arc::new(self.roots()?);
            let authorities = WebPkiServerVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|error| error.to_string())?;
            Arc::new(Verifier { authorities, servers: self.extra.clone() })
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
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
        if !self.extra.is_empty() {
            roots.add_parsable_certificates(self.extra.iter().cloned());
            return Ok(roots);
        }
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            let why = system.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(format!(
                "this system has no certificate authorities{why}; install ca-certificates, or name a file of certificates with --upstream-ca"
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

/// Accepts certificates that an authority has signed, and servers whose own certificate was given.
#[derive(Debug)]
struct Verifier {
    authorities: Arc<WebPkiServerVerifier>,
    servers: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // `openssl req -x509` creates CA certificates, which are not valid as server certificates
        // elsewhere.
        if self.servers.iter().any(|server| server == end_entity) {
            return verify_named(end_entity, server_name, now);
        }
        let verified = self.authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        verified.map_err(|error| {
            let unknown = matches!(
                error,
                Error::InvalidCertificate(
                    CertificateError::UnknownIssuer | CertificateError::Other(_)
                )
            );
            let itself = || Certificate::parse(end_entity).is_some_and(|found| found.self_issued);
            if unknown && itself() {
                return CertificateError::Other(OtherError(Arc::new(SelfSigned))).into();
            }
            error
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// The certificate is self-signed.
#[derive(Debug, thiserror::Error)]
#[error("the certificate is self-signed")]
struct SelfSigned;

/// Checks the validity and the name of a certificate that is trusted itself.
fn verify_named(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    let fields = Certificate::parse(certificate).ok_or(CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < fields.validity.0 {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > fields.validity.1 {
        return Err(CertificateError::Expired.into());
    }
    if fields.has_alt_names {
        verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
    } else if !fields.common_names.iter().any(|known| names(known, &name.to_str())) {
        // Certificates without alternative names use the common name, as was once usual.
        return Err(CertificateError::NotValidForName.into());
    }
    Ok(ServerCertVerified::assertion())
}

/// True if a common name, which may begin with `*.`, matches the host.
fn names(known: &str, host: &str) -> bool {
    known.eq_ignore_ascii_case(host)
        || known.strip_prefix("*.").is_some_and(|domain| {
            host.split_once('.').is_some_and(|(first, rest)| {
                !first.is_empty() && domain.contains('.') && rest.eq_ignore_ascii_case(domain)
            })
        })
}

/// Explains why TLS with an upstream failed, and what to do about it.
pub(crate) fn tls_failure_message(error: &io::Error, host: &str) -> String {
    const ACCEPT: &str = "--insecure accepts it";
    const TRUST: &str =
        "trust it with --upstream-ca FILE, or accept any certificate with --insecure";
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<Error>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                "it closed the connection during the handshake; check that this port uses TLS"
                    .to_owned()
            }
            _ => error.to_string(),
        };
    };
    match error {
        Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("its certificate has expired; {ACCEPT}")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                format!(
                    "its certificate is not valid yet, or the clock of this machine is wrong; {ACCEPT}"
                )
            }
            CertificateError::NotValidForName => {
                format!("its certificate is not for {host}; {ACCEPT}")
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names = presented.iter().map(|name| plain_name(name)).collect::<Vec<_>>();
                format!("its certificate is not for {host} ({}); {ACCEPT}", names.join(", "))
            }
            CertificateError::UnknownIssuer => {
                format!("its certificate is from an unknown authority; {TRUST}")
            }
            CertificateError::Other(other) if other.0.is::<SelfSigned>() => {
                format!("its certificate is self-signed; {TRUST}")
            }
            CertificateError::Revoked => format!("its certificate was revoked; {ACCEPT}"),
            _ => format!("its certificate cannot be used; {ACCEPT}"),
        },
        Error::InvalidMessage(_) => "it does not use TLS on this port; try http://".to_owned(),
        Error::AlertReceived(alert) => {
            use AlertDescription as A;
            match alert {
                A::CertificateRequired | A::BadCertificate | A::UnknownCA | A::AccessDenied => {
                    "it requires a client certificate; give one with --client-cert and --client-key"
                        .to_owned()
                }
                A::UnrecognisedName => format!("it does not know the name {host}"),
                A::ProtocolVersion => "it does not support TLS 1.2 or newer".to_owned(),
                _ => "it refused the handshake".to_owned(),
            }
        }
        Error::PeerIncompatible(_) => {
            "it supports no TLS version (1.2 or newer) or cipher that HMT accepts".to_owned()
        }
        error => error.to_string(),
    }
}

/// The bare name in rustls' form, `DnsName("a.test")`.
fn plain_name(shown: &str) -> String {
    let inner = shown.split_once('(').map_or(shown, |(_, rest)| rest.trim_end_matches(')'));
    inner.trim_matches('"').to_owned()
}

/// Accepts every certificate, but still checks that the upstream holds its key.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
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
