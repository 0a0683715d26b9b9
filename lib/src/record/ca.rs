//! The local certificate authority, which is created on first use with a key that only its owner
//! can read, and the certificates that it issues for the hosts of recorded tunnels.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::sign::{CertifiedKey, SigningKey};

const CERTIFICATE: &str = "hmt-ca.pem";
const KEY: &str = "hmt-ca.key";

/// Validity of the authority's own certificate.
const CA_DAYS: i64 = 3650;

/// Validity of a host's certificate. Since March 2026, public authorities may issue certificates
/// for 200 days at most (CA/Browser Forum ballot SC-081), and clients may apply this limit to all.
const LEAF_DAYS: i64 = 199;

/// A certificate is replaced after this time, so that it never expires while in use.
const LEAF_USE: Duration = Duration::from_secs(24 * 60 * 60);

/// Maximum number of cached certificates, because a client can invent hosts. The oldest is dropped
/// first.
const MAX_LEAVES: usize = 1000;

/// Signs certificates for the hosts of tunnels.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: PathBuf,
    /// One key for all hosts, which never leaves memory.
    leaf_key: KeyPair,
    signing_key: Arc<dyn SigningKey>,
    leaves: Mutex<HashMap<String, (Arc<CertifiedKey>, Instant)>>,
}

/// Why the authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or created.
    #[error("{}: cannot read or create the certificate authority; name another folder with --ca-dir", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// Other users could read the key, and sign certificates with it.
    #[error("{}: the key of the certificate authority can be read by other users (mode {mode:o}); run chmod 600 on it, or remove {} to create a new authority", .path.display(), .path.parent().unwrap_or(Path::new(".")).display())]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// The mode of the file.
        mode: u32,
    },
    /// The files were not created by the recorder.
    #[error("{}: not a certificate authority of hmt-record; name another folder with --ca-dir", .0.display())]
    Foreign(PathBuf),
    /// A cryptographic operation failed.
    #[error("cannot create a certificate authority: {0}")]
    Make(String),
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Authority {
    /// Loads the authority in a folder, or creates the folder and the authority.
    ///
    /// # Errors
    /// A file that cannot be read, created or used, or a key that other users can read.
    pub fn load_or_create(folder: &Path) -> Result<Authority, AuthorityError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |cause| AuthorityError::Io { path, cause }
        };
        let make = |error: rcgen::Error| AuthorityError::Make(error.to_string());
        create_private_folder(folder).map_err(io(folder))?;
        let (key_path, certificate) = (folder.join(KEY), folder.join(CERTIFICATE));
        if !key_path.exists() {
            let key = KeyPair::generate().map_err(make)?;
            create_atomically(&key_path, &key.serialize_pem(), 0o600).map_err(io(&key_path))?;
        }
        // Use the stored files, not the ones created above: another process may have been first.
        refuse_exposed(&key_path)?;
        let pem = fs::read_to_string(&key_path).map_err(io(&key_path))?;
        let key = KeyPair::from_pem(&pem).map_err(|_| AuthorityError::Foreign(key_path.clone()))?;
        let params = ca_params(&key);
        if !certificate.exists() {
            let made = params.self_signed(&key).map_err(make)?;
            create_atomically(&certificate, &made.pem(), 0o644).map_err(io(&certificate))?;
        }
        let pem = fs::read(&certificate).map_err(io(&certificate))?;
        let stored = CertificateDer::from_pem_slice(&pem)
            .map_err(|_| AuthorityError::Foreign(certificate.clone()))?;
        // The name contains a hash of the key, so a certificate with both belongs to this key.
        let holds = |part: &[u8]| stored.windows(part.len()).any(|window| window == part);
        if !holds(key.public_key_raw()) || !holds(common_name(&key).as_bytes()) {
            return Err(AuthorityError::Foreign(certificate));
        }
        let leaf_key = KeyPair::generate().map_err(make)?;
        let der = PrivatePkcs8KeyDer::from(leaf_key.serialize_der()).into();
        let signing_key = ring::sign::any_supported_type(&der)
            .map_err(|error| AuthorityError::Make(error.to_string()))?;
        Ok(Authority {
            issuer: Issuer::new(params, key),
            certificate,
            leaf_key,
            signing_key,
            leaves: Mutex::default(),
        })
    }

    /// The file of the certificate that clients must trust.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// A TLS acceptor for a tunnel. Its certificate is for the server name that the client asks
    /// for, or else for the host of the tunnel.
    pub(super) fn acceptor(self: &Arc<Self>, host: &str) -> Result<TlsAcceptor, AuthorityError> {
        let failed = |error: tokio_rustls::rustls::Error| AuthorityError::Make(error.to_string());
        let leaves = Leaves { authority: self.clone(), host: host.to_owned() };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(leaves));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Each tunnel has its own configuration, so no session could be resumed.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn leaf(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        let mut leaves = self.leaves.lock();
        if let Some((leaf, made)) = leaves.get(host)
            && made.elapsed() < LEAF_USE
        {
            return Some(leaf.clone());
        }
        if leaves.len() >= MAX_LEAVES {
            let oldest = leaves.iter().min_by_key(|(_, (_, made))| *made);
            if let Some(oldest) = oldest.map(|(host, _)| host.clone()) {
                leaves.remove(&oldest);
            }
        }
        let params = leaf_params(host).ok()?;
        let signed = params.signed_by(&self.leaf_key, &self.issuer).ok()?;
        let leaf = CertifiedKey::new(vec![signed.der().clone()], self.signing_key.clone());
        let leaf = Arc::new(leaf);
        leaves.insert(host.to_owned(), (leaf.clone(), Instant::now()));
        Some(leaf)
    }
}

/// Chooses the certificate by the server name that the client asks for, or else by the tunnel's
/// host.
#[derive(Debug)]
struct Leaves {
    authority: Arc<Authority>,
    host: String,
}

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.authority.leaf(hello.server_name().unwrap_or(&self.host))
    }
}

fn common_name(key: &KeyPair) -> String {
    let digest = Sha256::digest(key.public_key_raw());
    let digits: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("HMT recorder CA {digits}")
}

/// The parameters of the authority's certificate. Apart from the times, they depend on the key
/// only, so they need not be parsed from the certificate.
fn ca_params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name(key));
    params.distinguished_name.push(DnType::OrganizationName, "HMT");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid_for(&mut params, CA_DAYS);
    params
}

fn leaf_params(host: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec![host.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    // The alternative names hold a host of any length, but this field at most 64 characters.
    let name = if host.len() <= 64 { host } else { "HMT" };
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // The default is derived from the key, which all certificates share. Clients refuse a serial
    // number that occurs twice.
    params.serial_number = Some(SerialNumber::from_slice(&rand::random::<[u8; 16]>()));
    valid_for(&mut params, LEAF_DAYS);
    Ok(params)
}

/// Valid from yesterday on, for clients whose clocks are slow.
fn valid_for(params: &mut CertificateParams, days: i64) {
    let yesterday = OffsetDateTime::now_utc() - time::Duration::days(1);
    params.not_before = yesterday;
    params.not_after = yesterday + time::Duration::days(days);
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Creates a file with its whole content atomically, unless it exists.
fn create_atomically(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hmt-ca-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => File::open(folder)?.sync_all(),
    }
}

#[cfg(unix)]
fn refuse_exposed(key: &Path) -> Result<(), AuthorityError> {
    use std::os::unix::fs::PermissionsExt as _;
    let found =
        fs::metadata(key).map_err(|cause| AuthorityError::Io { path: key.to_owned(), cause })?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(AuthorityError::Exposed { path: key.to_owned(), mode })
}

#[cfg(not(unix))]
fn refuse_exposed(_key: &Path) -> Result<(), AuthorityError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("data/ca");
        let first = Authority::load_or_create(&dir).unwrap();
        let pem = fs::read(first.certificate()).unwrap();
        let again = Authority::load_or_create(&dir).unwrap();
        assert_eq!(fs::read(again.certificate()).unwrap(), pem);
        let other = Authority::load_or_create(&folder.path().join("other")).unwrap();
        assert_ne!(fs::read(other.certificate()).unwrap(), pem);

        // A certificate for another key must be refused.
        fs::copy(other.certificate(), first.certificate()).unwrap();
        assert!(matches!(Authority::load_or_create(&dir), Err(AuthorityError::Foreign(_))));
    }

    #[cfg(unix)]
    #[test]
    fn its_key_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("ca");
        Authority::load_or_create(&dir).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&dir.join(KEY))), (0o700, 0o600));
        fs::set_permissions(dir.join(KEY), fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = Authority::load_or_create(&dir);
        assert!(matches!(exposed, Err(AuthorityError::Exposed { mode: 0o644, .. })));
    }

    #[test]
    fn hosts_keep_their_certificates_and_invented_ones_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_create(folder.path()).unwrap();
        let first = authority.leaf("a.test").unwrap();
        assert!(Arc::ptr_eq(&first, &authority.leaf("a.test").unwrap()));
        for host in ["127.0.0.1", "::1", &"long.".repeat(20)] {
            assert!(authority.leaf(host).is_some(), "{host}");
        }
        for number in 0..MAX_LEAVES {
            authority.leaf(&format!("h{number}.test")).unwrap();
        }
        let leaves = authority.leaves.lock();
        assert_eq!(leaves.len(), MAX_LEAVES);
        assert!(!leaves.contains_key("a.test"));
    }
}
