//! Files at URLs: specs, and the files that they refer to.
//!
//! A spec may be untrusted, so its references must not reach addresses that only this machine can
//! reach. A host name is resolved once, the addresses are checked, and the connection is made to an
//! address that was checked.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, LOCATION, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

use super::address::{is_link_local, is_private};
use super::body::{BodyError, collect_body};
use super::client::{ClientError, tls_config};
use super::connect::{bare_host, connect_tls, no_address, resolve};
use super::target::{Target, TargetError};
use crate::exchange::Protocol;

/// Timeout for a connection and the head of a response, and for pauses in a body.
const PATIENCE: Duration = Duration::from_secs(30);
/// Maximum number of redirects for a file.
const MAX_REDIRECTS: usize = 5;

/// Which addresses a file may come from. Link-local and metadata addresses are always refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The user gave the URL: its host may have any address. A redirect must not lead from a public
    /// to a private one.
    Named,
    /// Public and private addresses.
    Private,
    /// Public addresses only.
    Public,
}

/// A file.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its content.
    pub bytes: Bytes,
    /// True if it came from a private address.
    pub private: bool,
}

/// Why a file cannot be fetched.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum FetchError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("cannot resolve {0}: {1}")]
    Resolve(String, std::io::Error),
    #[error("{0}: link-local and metadata addresses are never contacted")]
    LinkLocal(IpAddr),
    #[error("{0} is a private address; only a spec from a private address may refer to one")]
    Private(IpAddr),
    #[error("cannot connect to {0}: {1}")]
    Connect(SocketAddr, std::io::Error),
    #[error("no TLS with {0}: {1}")]
    Tls(String, std::io::Error),
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("no answer within {PATIENCE:?}")]
    TimedOut,
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("answered with {0}")]
    Status(StatusCode),
    #[error("more than {MAX_REDIRECTS} redirects")]
    Redirects,
    #[error("{0:?} is not a URL")]
    Url(String),
}

/// Fetches files. It does not reuse connections, because a spec refers to few files.
#[derive(Clone, Debug)]
pub struct Fetcher {
    tls: Arc<ClientConfig>,
}

impl Fetcher {
    /// Trusts the system's certificate authorities.
    ///
    /// # Errors
    /// There is no usable TLS.
    pub fn new() -> Result<Fetcher, ClientError> {
        Ok(Fetcher { tls: Arc::new(tls_config(None)?) })
    }

    /// Fetches the file at a URL; redirects are followed.
    ///
    /// # Errors
    /// There is no file, it has more than `cap` bytes, or its address is not within `reach`.
    pub async fn fetch(&self, url: &str, reach: Reach, cap: u64) -> Result<Fetched, FetchError> {
        let (mut at, mut reach) = (url.to_owned(), reach);
        for _ in 0..=MAX_REDIRECTS {
            let target = Target::from_url(&at)?;
            let (stream, private) = timeout(PATIENCE, connect(&target, reach))
                .await
                .map_err(|_| FetchError::TimedOut)??;
            if reach == Reach::Named {
                reach = if private { Reach::Private } else { Reach::Public };
            }
            let answer = timeout(PATIENCE, self.ask(&target, stream))
                .await
                .map_err(|_| FetchError::TimedOut)??;
            let (parts, body) = answer.into_parts();
            if parts.status.is_success() {
                let bytes = collect_body(body, cap, PATIENCE).await?;
                return Ok(Fetched { bytes, private });
            }
            let to = parts.headers.get(LOCATION).and_then(|to| to.to_str().ok());
            let Some(to) = to.filter(|_| parts.status.is_redirection()) else {
                return Err(FetchError::Status(parts.status));
            };
            let from: Uri = at.parse().map_err(|_| FetchError::Url(at.clone()))?;
            at = redirected(&from, to);
        }
        Err(FetchError::Redirects)
    }

    async fn ask(
        &self,
        target: &Target,
        stream: TcpStream,
    ) -> Result<hyper::Response<Incoming>, FetchError> {
        if target.protocol == Protocol::Http {
            return send(target, stream).await;
        }
        let tls = |error| FetchError::Tls(target.host.clone(), error);
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        send(target, connect_tls(&connector, target, stream).await.map_err(tls)?).await
    }
}

/// A connection to an address of the target that is within reach, and whether the address is
/// private.
async fn connect(target: &Target, reach: Reach) -> Result<(TcpStream, bool), FetchError> {
    let unresolved = |error| FetchError::Resolve(bare_host(target).to_owned(), error);
    let mut failed = None;
    for address in resolve(target).await.map_err(unresolved)? {
        let private = is_private(address.ip());
        if is_link_local(address.ip()) {
            failed = Some(FetchError::LinkLocal(address.ip()));
        } else if private && reach == Reach::Public {
            failed = Some(FetchError::Private(address.ip()));
        } else {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok((stream, private)),
                Err(error) => failed = Some(FetchError::Connect(address, error)),
            }
        }
    }
    Err(failed.unwrap_or_else(|| unresolved(no_address())))
}

async fn send(
    target: &Target,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<hyper::Response<Incoming>, FetchError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get(target.path_and_query.as_str())
        .header(HOST, &target.host)
        .header(USER_AGENT, concat!("hmt/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json, application/yaml;q=0.9, */*;q=0.5")
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchError::Url(target.path_and_query.clone()))?;
    Ok(sender.send_request(request).await?)
}

/// The target of a redirect from `from`: a URL, or a path of the same server.
fn redirected(from: &Uri, to: &str) -> String {
    if to.contains("://") {
        return to.to_owned();
    }
    let scheme = from.scheme_str().unwrap_or("http");
    let host = from.authority().map_or("", |authority| authority.as_str());
    let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    if to.starts_with("//") {
        format!("{scheme}:{to}")
    } else if to.starts_with('/') {
        format!("{scheme}://{host}{to}")
    } else {
        format!("{scheme}://{host}{folder}/{to}")
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn redirects_may_be_relative() {
        let from = Uri::from_static("http://a.test:1/x/y?z");
        assert_eq!(redirected(&from, "/b"), "http://a.test:1/b");
        assert_eq!(redirected(&from, "b"), "http://a.test:1/x/b");
        assert_eq!(redirected(&from, "//b.test/c"), "http://b.test/c");
        assert_eq!(redirected(&from, "https://b.test/c"), "https://b.test/c");
    }

    /// A server that sends the next of some responses on each connection.
    async fn server(answers: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn addresses_are_checked_at_each_hop() {
        let fetcher = Fetcher::new().expect("TLS");
        let url = server(&["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"]).await;
        let refused = fetcher.fetch(&url, Reach::Public, 9).await.expect_err("private");
        assert!(refused.to_string().contains("127.0.0.1 is a private address"), "{refused}");
        let fetched = fetcher.fetch(&url, Reach::Named, 9).await.expect("a file");
        assert_eq!((&fetched.bytes[..], fetched.private), (&b"hi"[..], true));
        let url = server(&[
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n",
        ])
        .await;
        let refused = fetcher.fetch(&url, Reach::Named, 9).await.expect_err("link-local");
        assert!(refused.to_string().contains("169.254.169.254: link-local"), "{refused}");
        let refused = fetcher.fetch("http://[fe80::1]/", Reach::Private, 9).await;
        assert!(refused.is_err());
    }
}
