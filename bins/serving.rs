//! Options that hmt-mock and hmt-replay share: TLS towards clients, routing, and the key of
//! pseudonyms.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::Args;
use hmt_core::exchange::{
    RedactOptions, Redactor, default_key_path, load_or_create_key, random_key,
};
use hmt_core::net::{InboundRouting, Protocols};

/// How clients connect.
#[derive(Clone, Debug, Args)]
pub(crate) struct TlsArgs {
    /// Use TLS with this certificate chain in PEM form; the certificate of the server comes first
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Private key of --tls-cert, in PEM form
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl TlsArgs {
    /// HTTP in clear text, or over TLS if a certificate and key are given.
    pub(crate) fn protocols(&self) -> anyhow::Result<Protocols> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(Protocols::cleartext());
        };
        let read = |flag: &str, path: &Path| {
            std::fs::read(path).with_context(|| format!("{flag} {}", path.display()))
        };
        let (chain, private) = (read("--tls-cert", certificate)?, read("--tls-key", key)?);
        Protocols::tls(&chain, &private).with_context(|| {
            format!("--tls-cert {} --tls-key {}", certificate.display(), key.display())
        })
    }
}

/// Where a request may name its host.
pub(crate) fn routing(by_header: bool) -> InboundRouting {
    if by_header { InboundRouting::Header } else { InboundRouting::Plain }
}

/// Replaces secrets in lines for people. They need no persistent key.
pub(crate) fn redactor_of_lines(redactor: Option<&Arc<Redactor>>) -> anyhow::Result<Arc<Redactor>> {
    Ok(match redactor {
        Some(redactor) => Arc::clone(redactor),
        None => Arc::new(Redactor::new(&random_key(), &RedactOptions::default())?),
    })
}

/// The key of pseudonyms.
#[derive(Clone, Debug, Args)]
pub(crate) struct KeyArgs {
    /// Key of the pseudonyms that replace secrets in recordings and in written exchanges
    ///
    /// The default is redact.key in the data folder of the user, which is created when exchanges
    /// are first written. Without a key, a pseudonym in a recording matches any value that is not
    /// empty.
    #[arg(long, value_name = "FILE")]
    redact_key: Option<PathBuf>,
}

impl KeyArgs {
    /// The redactor with the named key, or with the user's own. If the key is missing, it is
    /// created if `writes` is true; otherwise there is no redactor.
    pub(crate) fn redactor(&self, writes: bool) -> anyhow::Result<Option<Redactor>> {
        let named = self.redact_key.clone();
        let is_named = named.is_some();
        let Some(place) = named.or_else(|| default_key_path(|name| std::env::var_os(name))) else {
            ensure!(
                !writes,
                "HOME is not set, so there is no file for the key of the pseudonyms; name one with --redact-key"
            );
            return Ok(None);
        };
        if !writes && !place.exists() {
            ensure!(!is_named, "--redact-key {}: no such file", place.display());
            return Ok(None);
        }
        let key = load_or_create_key(&place)?;
        Ok(Some(Redactor::new(&key, &RedactOptions::default())?))
    }
}
