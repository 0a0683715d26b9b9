//! The parts of a connection to a server: its addresses, and TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::lookup_host;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::target::Target;

/// The host without its port, and without the brackets of an IPv6 address.
pub fn bare_host(target: &Target) -> &str {
    target.hostname().trim_matches(['[', ']'])
}

/// The addresses of a target; the list can be empty.
///
/// # Errors
/// The name cannot be resolved.
pub async fn resolve(target: &Target) -> io::Result<Vec<SocketAddr>> {
    let (name, port) = (bare_host(target), target.port());
    match name.parse::<IpAddr>() {
        Ok(ip) => Ok(vec![SocketAddr::new(ip, port)]),
        Err(_) => Ok(lookup_host((name, port)).await?.collect()),
    }
}

/// The error for a name without an address.
pub fn no_address() -> io::Error {
    io::Error::other("the name has no address")
}

/// Performs the TLS handshake with the target. Its certificate must be valid for the host name.
///
/// # Errors
/// The handshake fails, or the host is not a valid server name.
pub async fn connect_tls<S: AsyncRead + AsyncWrite + Unpin>(
    connector: &TlsConnector,
    target: &Target,
    stream: S,
) -> io::Result<TlsStream<S>> {
    let name = ServerName::try_from(bare_host(target).to_owned()).map_err(io::Error::other)?;
    connector.connect(name, stream).await
}
