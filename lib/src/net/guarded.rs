//! Requests to URLs that clients provide: webhooks.
//!
//! Clients must not reach addresses that only this machine can reach. A host name is resolved once,
//! the addresses are checked, and the connection is made to an address that was checked. Loopback
//! is allowed, and other hosts only if they are listed. Link-local and metadata addresses and the
//! server's own ports are never allowed. Redirects are not followed.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderValue, USER_AGENT};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

use super::address::{embedded_ipv4, is_link_local};
use super::body::{BodyError, collect_body};
use super::client::{ClientError, tls_config};
use super::connect::{bare_host, connect_tls, no_address, resolve};
use super::target::Target;
use crate::exchange::{Pattern, Protocol};

/// Timeout for a whole request with its response.
const DEADLINE: Duration = Duration::from_secs(10);

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum GuardedError {
    #[error("{0}: link-local and metadata addresses are never contacted")]
    LinkLocal(IpAddr),
    #[error("{0} is a port of this mock")]
    OwnPort(SocketAddr),
    #[error("{host} ({ip}) is not on this machine; --allow-webhook {host} allows it")]
    NotAllowed { host: String, ip: IpAddr },
    #[error("cannot resolve {0}: {1}")]
    Resolve(String, std::io::Error),
    #[error("cannot connect to {0}: {1}")]
    Connect(SocketAddr, std::io::Error),
    #[error("no TLS with {0}: {1}")]
    Tls(String, std::io::Error),
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("no response within {} s", DEADLINE.as_secs())]
    TimedOut,
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0:?} cannot be requested")]
    Url(String),
}

impl GuardedError {
    /// True if the address was refused.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            GuardedError::LinkLocal(_) | GuardedError::OwnPort(_) | GuardedError::NotAllowed { .. }
        )
    }
}

/// Sends requests to loopback and to the allowed hosts.
#[derive(Debug, Default)]
pub struct GuardedClient {
    allowed: Vec<Pattern>,
    own: OnceLock<Vec<SocketAddr>>,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl GuardedClient {
    /// `allowed` are hosts that need not be on this machine.
    pub fn new(allowed: Vec<Pattern>) -> GuardedClient {
        GuardedClient { allowed, ..GuardedClient::default() }
    }

    /// Sets the listeners of this server. Only the first call has an effect.
    pub fn set_own(&self, listeners: Vec<SocketAddr>) {
        let _ = self.own.set(listeners);
    }

    /// Checks whether requests to a target are allowed.
    ///
    /// # Errors
    /// No address of it is allowed, or its name cannot be resolved.
    pub async fn check(&self, target: &Target) -> Result<(), GuardedError> {
        match timeout(DEADLINE, self.addresses(target)).await {
            Ok(addresses) => addresses.map(drop),
            Err(_) => Err(GuardedError::TimedOut),
        }
    }

    /// Sends a request with these headers, and returns the response with its whole body.
    ///
    /// # Errors
    /// There is no response within ten seconds, its body has more than `cap` bytes, or no address
    /// of the target is allowed.
    pub async fn send(
        &self,
        target: &Target,
        request: Request<Bytes>,
        cap: u64,
    ) -> Result<Response<Bytes>, GuardedError> {
        timeout(DEADLINE, self.exchange(target, request, cap))
            .await
            .map_err(|_| GuardedError::TimedOut)?
    }

    async fn exchange(
        &self,
        target: &Target,
        request: Request<Bytes>,
        cap: u64,
    ) -> Result<Response<Bytes>, GuardedError> {
        let stream = self.connect(target).await?;
        let response = if target.protocol == Protocol::Http {
            send(target, request, stream).await?
        } else {
            let tls = |error| GuardedError::Tls(target.host.clone(), error);
            let connector = TlsConnector::from(self.tls()?);
            let stream = connect_tls(&connector, target, stream).await.map_err(tls)?;
            send(target, request, stream).await?
        };
        let (parts, body) = response.into_parts();
        Ok(Response::from_parts(parts, collect_body(body, cap, DEADLINE).await?))
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, ClientError> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(tls_config(None)?);
        Ok(Arc::clone(self.tls.get_or_init(|| config)))
    }

    async fn connect(&self, target: &Target) -> Result<TcpStream, GuardedError> {
        let mut failed = GuardedError::Url(target.host.clone());
        for address in self.addresses(target).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = GuardedError::Connect(address, error),
            }
        }
        Err(failed)
    }

    /// The allowed addresses of a target, at least one.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, GuardedError> {
        let name = bare_host(target);
        let unresolved = |error| GuardedError::Resolve(name.to_owned(), error);
        let resolved = resolve(target).await.map_err(unresolved)?;
        let named = self.allowed.iter().any(|host| {
            host.matches(target.hostname()) || host.matches(name) || host.matches(&target.host)
        });
        let mut refusal = None;
        let mut allowed = Vec::with_capacity(resolved.len());
        for address in resolved {
            match self.refuse(address, name, named) {
                Some(why) => refusal = Some(why),
                None => allowed.push(address),
            }
        }
        if allowed.is_empty() {
            return Err(refusal.unwrap_or_else(|| unresolved(no_address())));
        }
        Ok(allowed)
    }

    fn refuse(&self, address: SocketAddr, host: &str, named: bool) -> Option<GuardedError> {
        let ip = embedded_ipv4(address.ip());
        if is_link_local(ip) {
            return Some(GuardedError::LinkLocal(ip));
        }
        let ours = |own: &SocketAddr| {
            let here = ip.is_loopback() || ip.is_unspecified() || own.ip().is_unspecified();
            own.port() == address.port() && (here || embedded_ipv4(own.ip()) == ip)
        };
        if self.own.get().is_some_and(|own| own.iter().any(ours)) {
            return Some(GuardedError::OwnPort(address));
        }
        (!named && !ip.is_loopback())
            .then(|| GuardedError::NotAllowed { host: host.to_owned(), ip })
    }
}

async fn send(
    target: &Target,
    request: Request<Bytes>,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Response<Incoming>, GuardedError> {
    let wrong = || GuardedError::Url(target.path_and_query.clone());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (mut parts, body) = request.into_parts();
    parts.uri = target.path_and_query.parse().map_err(|_| wrong())?;
    parts.headers.insert(HOST, HeaderValue::from_str(&target.host).map_err(|_| wrong())?);
    let agent = HeaderValue::from_static(concat!("hmt/", env!("CARGO_PKG_VERSION")));
    parts.headers.entry(USER_AGENT).or_insert(agent);
    parts.headers.insert(CONTENT_LENGTH, body.len().into());
    Ok(sender.send_request(Request::from_parts(parts, Full::new(body))).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(client: &GuardedClient, url: &str, ip: &str) -> Option<String> {
        let target = Target::from_url(url).unwrap();
        let address = SocketAddr::new(ip.parse().unwrap(), target.port());
        let host = target.hostname().to_owned();
        let named = client.allowed.iter().any(|allowed| allowed.matches(&host));
        client.refuse(address, &host, named).map(|why| why.to_string())
    }

    #[test]
    fn the_connected_address_decides() {
        let client = GuardedClient::new(vec!["hooks.test".parse().unwrap()]);
        client.set_own(vec!["127.0.0.1:8000".parse().unwrap()]);
        for (url, ip, why) in [
            ("http://localhost/", "127.0.0.1", None),
            ("http://localhost/", "::1", None),
            ("http://localhost/", "::ffff:127.0.0.1", None),
            ("http://hooks.test/", "203.0.113.7", None),
            ("http://hooks.test/", "10.0.0.1", None),
            ("http://hooks.test/", "169.254.169.254", Some("link-local")),
            ("http://evil.test/", "10.0.0.1", Some("--allow-webhook evil.test")),
            ("http://evil.test/", "0.0.0.0", Some("--allow-webhook")),
            ("http://evil.test/", "::ffff:10.0.0.1", Some("--allow-webhook")),
            ("http://x.test:8000/", "127.0.0.1", Some("a port of this mock")),
            ("http://x.test:8000/", "::1", Some("a port of this mock")),
            ("http://x.test:8000/", "::ffff:127.0.0.1", Some("a port of this mock")),
            ("http://x.test:8000/", "0.0.0.0", Some("a port of this mock")),
            ("http://hooks.test:8000/", "203.0.113.7", None),
        ] {
            let found = refused(&client, url, ip);
            let same = match (&found, why) {
                (Some(found), Some(why)) => found.contains(why),
                (None, None) => true,
                _ => false,
            };
            assert!(same, "{url} {ip}: {found:?}");
        }
    }
}
