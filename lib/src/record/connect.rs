//! A connection to an upstream: resolved once, checked, and made to the address that was checked.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::policy::{Policy, Refusal};
use super::tls::Trust;
use crate::exchange::Protocol;
use crate::net::Target;

/// How connections to upstreams are made.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) policy: Policy,
    pub(super) trust: Trust,
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
    #[error("no connection to {0} within {1:?}")]
    TimedOut(String, Duration),
}

impl Connector {
    pub(super) async fn connect(&self, target: &Target) -> Result<Stream, ConnectError> {
        timeout(self.timeout, self.connect_untimed(target))
            .await
            .unwrap_or_else(|_| Err(ConnectError::TimedOut(target.host.clone(), self.timeout)))
    }

    async fn connect_untimed(&self, target: &Target) -> Result<Stream, ConnectError> {
        let tcp = self.connect_tcp(target).await?;
        // Requests are written whole, so waiting to fill a segment only delays them.
        let _ = tcp.set_nodelay(true);
        if target.protocol == Protocol::Http {
            return Ok(Stream::Plain(tcp));
        }
        let tls = |error| ConnectError::Tls(target.host.clone(), error);
        let connector = self.trust.connector().map_err(tls)?;
        let name = target.hostname().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).map_err(|error| tls(io::Error::other(error)))?;
        let stream = connector.connect(name, tcp).await.map_err(tls)?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    async fn connect_tcp(&self, target: &Target) -> Result<TcpStream, ConnectError> {
        let resolve = |error| ConnectError::Resolve(target.hostname().to_owned(), error);
        let (name, port) = (target.hostname().trim_matches(['[', ']']), target.port());
        let addresses: Vec<SocketAddr> = match name.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => lookup_host((name, port)).await.map_err(resolve)?.collect(),
        };
        let mut failed = None;
        for address in addresses {
            let tried = match self.policy.check_address(address, self.own) {
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
