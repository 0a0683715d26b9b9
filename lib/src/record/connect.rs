//! Connections to upstreams. The name is resolved once, and the connection goes to the address that
//! was checked.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::policy::{TargetPolicy, TargetRefusal};
use super::proxies::{Proxies, ProxyServer};
use super::stream::Stream;
use super::target_form::{RequiredProtocol, TargetForm};
use crate::exchange::Protocol;
use crate::net::{Target, Trust, bare_host, connect_tls, no_address, resolve, tls_failure_message};

/// Maximum size of a proxy's response to `CONNECT`, in bytes.
const MAX_PROXY_HEAD: usize = 16 << 10;

/// Connects to upstreams.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) policy: TargetPolicy,
    pub(super) trust: Trust,
    pub(super) proxies: Proxies,
    pub(super) timeout: Duration,
    /// The address that the recorder listens on.
    pub(super) own: SocketAddr,
}

/// Why there is no connection to the upstream.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("{0}")]
    Refused(#[from] TargetRefusal),
    #[error("cannot resolve {0}: {1}; check the name")]
    Resolve(String, #[source] io::Error),
    #[error("cannot connect to {0}: {1}; check that a server listens there")]
    Connect(SocketAddr, #[source] io::Error),
    #[error("no TLS with {0}: {why}", why = tls_failure_message(.1, .0))]
    Tls(String, #[source] io::Error),
    #[error("the proxy {0} refused a tunnel to {1}: {2}")]
    Proxy(String, String, String),
    #[error("no connection to {0} within {1:?}; raise --connect-timeout")]
    TimedOut(String, Duration),
}

/// A new connection, and the form of its request targets.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) stream: Stream,
    pub(super) form: TargetForm,
}

impl Connector {
    /// Connects to the target, directly or through its proxy.
    pub(super) async fn connect(
        &self,
        target: &Target,
        required: RequiredProtocol,
    ) -> Result<Connected, ConnectError> {
        timeout(self.timeout, self.connect_untimed(target, required))
            .await
            .unwrap_or_else(|_| Err(ConnectError::TimedOut(target.host.clone(), self.timeout)))
    }

    async fn connect_untimed(
        &self,
        target: &Target,
        required: RequiredProtocol,
    ) -> Result<Connected, ConnectError> {
        let proxy = self.proxies.of(target);
        let mut tcp = match proxy {
            Some(proxy) => {
                // The proxy resolves names, so only literal addresses can be checked here.
                if let Ok(ip) = bare_host(target).parse::<IpAddr>() {
                    self.policy.check_address(SocketAddr::new(ip, target.port()), self.own)?;
                }
                let to_proxy = TargetPolicy::default();
                self.connect_tcp(&proxy.target, &to_proxy).await?
            }
            None => self.connect_tcp(target, &self.policy).await?,
        };
        // Requests are written as a whole, so delaying small segments would only add latency.
        let _ = tcp.set_nodelay(true);
        if target.protocol == Protocol::Http {
            let form = match proxy {
                // Connections to proxies use HTTP/1.
                Some(proxy) => TargetForm::Absolute(proxy.authorization.clone()),
                None if required == RequiredProtocol::PriorKnowledge => TargetForm::Http2,
                None => TargetForm::Origin,
            };
            return Ok(Connected { stream: Stream::plain(tcp), form });
        }
        if let Some(proxy) = proxy {
            tunnel(&mut tcp, proxy, target).await?;
        }
        let tls = |error| ConnectError::Tls(target.host.clone(), error);
        let connector = self.trust.connector(required == RequiredProtocol::Http1).map_err(tls)?;
        let stream = connect_tls(&connector, target, tcp).await.map_err(tls)?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let form = if http2 { TargetForm::Http2 } else { TargetForm::Origin };
        Ok(Connected { stream: Stream::tls(stream), form })
    }

    async fn connect_tcp(
        &self,
        target: &Target,
        policy: &TargetPolicy,
    ) -> Result<TcpStream, ConnectError> {
        let unresolved = |error| ConnectError::Resolve(target.hostname().to_owned(), error);
        let mut failed = None;
        for address in resolve(target).await.map_err(unresolved)? {
            let tried = match policy.check_address(address, self.own) {
                Ok(()) => TcpStream::connect(address)
                    .await
                    .map_err(|error| ConnectError::Connect(address, error)),
                Err(refusal) => Err(refusal.into()),
            };
            match tried {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| unresolved(no_address())))
    }
}

/// Asks a proxy for a tunnel (RFC 9110 section 9.3.6).
async fn tunnel(
    tcp: &mut TcpStream,
    proxy: &ProxyServer,
    target: &Target,
) -> Result<(), ConnectError> {
    let failed =
        |why: String| ConnectError::Proxy(proxy.target.host.clone(), target.host.clone(), why);
    let authority = format!("{}:{}", target.hostname(), target.port());
    let mut head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    if let Some(authorization) = &proxy.authorization {
        head.extend_from_slice(b"Proxy-Authorization: ");
        head.extend_from_slice(authorization.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    tcp.write_all(&head).await.map_err(|error| failed(error.to_string()))?;
    let mut answer = Vec::new();
    // Reads single bytes, so that no byte of the TLS handshake after the head is consumed.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MAX_PROXY_HEAD {
            return Err(failed("its response is too long".to_owned()));
        }
        answer.push(tcp.read_u8().await.map_err(|error| failed(error.to_string()))?);
    }
    let line = answer.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    match line.split(' ').nth(1) {
        Some(status) if line.starts_with("HTTP/1.") && status.starts_with('2') => Ok(()),
        _ => Err(failed(format!("it responded {:?}", line))),
    }
}
