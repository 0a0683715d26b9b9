//! The local certificate authority: made on first use, its key for its owner's eyes only, and the
//! certificates that it gives to hosts while a tunnel to them is recorded.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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

/// How long the authority is valid.
const CA_DAYS: i64 = 3650;

/// How long a host's certificate is valid: public authorities may give 200 days at most since March 2026
/// (CA/Browser Forum ballot SC-081), and clients may come to hold others to that.
const LEAF_DAYS: i64 = 199;

/// A certificate is used for as long, so that it never runs out while it is used.
const LEAF_USE: Duration = Duration::from_secs(24 * 60 * 60);

/// Certificates kept; the oldest makes room for another, because a client may invent hosts.
const MAX_LEAVES: usize = 1000;

/// Signs certificates for the hosts of tunnels.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: PathBuf,
    /// One for all hosts; it never leaves memory.
    leaf_key: KeyPair,
    signing_key: Arc<dyn SigningKey>,
    leaves: Mutex<HashMap<String, (Arc<CertifiedKey>, Instant)>>,
}

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or made.
    #[error("{}: the certificate authority cannot be read or made; name another folder with --ca-dir", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Others could sign in our name.
    #[error("{}: the key of the certificate authority can be read by others (mode {mode:o}); make it yours alone with chmod 600, or remove {} to have another made", .path.display(), .path.parent().unwrap_or(Path::new(".")).display())]
    Exposed {
        /// The key.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The files are not what was made here.
    #[error("{}: no certificate authority made by hmt-record; name another folder with --ca-dir", .0.display())]
    Foreign(PathBuf),
    /// Cryptography failed.
    #[error("cannot make a certificate authority: {0}")]
    Make(String),
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Authority {
    /// The authority in a folder; the folder and the authority are made where there is none.
    ///
    /// # Errors
    /// What cannot be read, made or used, and a key that others can read.
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
            put(&key_path, &key.serialize_pem(), 0o600).map_err(io(&key_path))?;
        }
        // Not what was just made but what is there: another process may have been first.
        refuse_exposed(&key_path)?;
        let pem = fs::read_to_string(&key_path).map_err(io(&key_path))?;
        let key = KeyPair::from_pem(&pem).map_err(|_| AuthorityError::Foreign(key_path.clone()))?;
        let params = ca_params(&key);
        if !certificate.exists() {
            let made = params.self_signed(&key).map_err(make)?;
            put(&certificate, &made.pem(), 0o644).map_err(io(&certificate))?;
        }
        let pem = fs::read(&certificate).map_err(io(&certificate))?;
        let stored = CertificateDer::from_pem_slice(&pem)
            .map_err(|_| AuthorityError::Foreign(certificate.clone()))?;
        // The name in it is made from the key, so a certificate with both is that key's.
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

    /// The certificate that clients are to trust.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Ends TLS for a host, as itself or as who the client takes it for.
    pub(super) fn acceptor(self: &Arc<Self>, host: &str) -> Result<TlsAcceptor, AuthorityError> {
        let failed = |error: tokio_rustls::rustls::Error| AuthorityError::Make(error.to_string());
        let leaves = Leaves { authority: self.clone(), host: host.to_owned() };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(leaves));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Each tunnel has a configuration of its own, so no session would be found again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn leaf(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
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

/// Chooses the certificate by the name that the client asks for, else by the tunnel's host.
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

/// The same for the same key but for the times, so that they need not be read back from the certificate.
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
    // The host is among the alternative names, whatever its length; this field holds 64 characters.
    let name = if host.len() <= 64 { host } else { "HMT" };
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // The default is made from the key, which all of ours share; clients refuse a number that comes twice.
    params.serial_number = Some(SerialNumber::from_slice(&rand::random::<[u8; 16]>()));
    valid_for(&mut params, LEAF_DAYS);
    Ok(params)
}

/// From yesterday on, for clients whose clocks are behind.
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

/// Puts a whole file in place at once, and never over one that is there.
fn put(path: &Path, text: &str, mode: u32) -> io::Result<()> {
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

        // A certificate of another key is none of ours.
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
        let leaves = authority.leaves.lock().unwrap();
        assert_eq!(leaves.len(), MAX_LEAVES);
        assert!(!leaves.contains_key("a.test"));
    }
}
