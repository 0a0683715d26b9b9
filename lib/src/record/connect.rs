//! A connection to an upstream: resolved once, checked, and made to the address that was checked.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::link::Form;
use super::policy::{Policy, Refusal};
use super::proxies::{Proxies, ProxyServer};
use super::tls::Trust;
use crate::exchange::Protocol;
use crate::net::Target;

/// Bytes of a proxy's answer to `CONNECT`.
const MAX_PROXY_HEAD: usize = 16 << 10;

/// How connections to upstreams are made.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) policy: Policy,
    pub(super) trust: Trust,
    pub(super) proxies: Proxies,
    pub(super) timeout: Duration,
    /// Where the recorder listens.
    pub(super) own: SocketAddr,
}

/// There is no connection to the upstream.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("cannot resolve {0}: {1}")]
    Resolve(String, #[source] io::Error),
    #[error("cannot connect to {0}: {1}")]
    Connect(SocketAddr, #[source] io::Error),
    #[error("no TLS with {0}: {1}")]
    Tls(String, #[source] io::Error),
    #[error("the proxy {0} gives no tunnel to {1}: {2}")]
    Proxy(String, String, String),
    #[error("no connection to {0} within {1:?}")]
    TimedOut(String, Duration),
}

/// A connection, and how requests are to be written on it.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) stream: Stream,
    pub(super) form: Form,
}

impl Connector {
    /// Connects to the target, or to the proxy that leads to it. `http1` rules HTTP/2 out.
    pub(super) async fn connect(
        &self,
        target: &Target,
        http1: bool,
    ) -> Result<Connected, ConnectError> {
        timeout(self.timeout, self.connect_untimed(target, http1))
            .await
            .unwrap_or_else(|_| Err(ConnectError::TimedOut(target.host.clone(), self.timeout)))
    }

    async fn connect_untimed(
        &self,
        target: &Target,
        http1: bool,
    ) -> Result<Connected, ConnectError> {
        let proxy = self.proxies.of(target);
        let mut tcp = match proxy {
            Some(proxy) => {
                // Names are the proxy's to resolve, so only addresses can be checked here.
                if let Ok(ip) = target.hostname().trim_matches(['[', ']']).parse::<IpAddr>() {
                    self.policy.check_address(SocketAddr::new(ip, target.port()), self.own)?;
                }
                let to_proxy = Policy::default();
                self.connect_tcp(&proxy.target, &to_proxy).await?
            }
            None => self.connect_tcp(target, &self.policy).await?,
        };
        // Requests are written whole, so waiting to fill a segment only delays them.
        let _ = tcp.set_nodelay(true);
        if target.protocol == Protocol::Http {
            let form = proxy.map_or(Form::Origin, |p| Form::Absolute(p.authorization.clone()));
            return Ok(Connected { stream: Stream::Plain(tcp), form });
        }
        if let Some(proxy) = proxy {
            tunnel(&mut tcp, proxy, target).await?;
        }
        let tls = |error| ConnectError::Tls(target.host.clone(), error);
        let connector = self.trust.connector(http1).map_err(tls)?;
        let name = target.hostname().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).map_err(|error| tls(io::Error::other(error)))?;
        let stream = connector.connect(name, tcp).await.map_err(tls)?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let form = if http2 { Form::Http2 } else { Form::Origin };
        Ok(Connected { stream: Stream::Tls(Box::new(stream)), form })
    }

    async fn connect_tcp(
        &self,
        target: &Target,
        policy: &Policy,
    ) -> Result<TcpStream, ConnectError> {
        let resolve = |error| ConnectError::Resolve(target.hostname().to_owned(), error);
        let (name, port) = (target.hostname().trim_matches(['[', ']']), target.port());
        let addresses: Vec<SocketAddr> = match name.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => lookup_host((name, port)).await.map_err(resolve)?.collect(),
        };
        let mut failed = None;
        for address in addresses {
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
        Err(failed.unwrap_or_else(|| resolve(io::Error::other("the name has no address"))))
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
    // Byte by byte, so that nothing of what comes after the head is taken away from TLS.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MAX_PROXY_HEAD {
            return Err(failed("its answer has no end".to_owned()));
        }
        answer.push(tcp.read_u8().await.map_err(|error| failed(error.to_string()))?);
    }
    let line = answer.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    match line.split(' ').nth(1) {
        Some(status) if line.starts_with("HTTP/1.") && status.starts_with('2') => Ok(()),
        _ => Err(failed(format!("it answers {:?}", line))),
    }
}

/// A byte stream to an upstream.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
