//! The byte streams of connections, and streams with bytes that were read in advance.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A stream to a client: a socket, TLS over a socket, or the inside of a tunnel.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Makes closing the underlying socket send a reset, which no client takes for the end of a
    /// message.
    fn reset_on_close(&self);
}

impl Io for TcpStream {
    fn reset_on_close(&self) {
        // An already closed socket needs no reset.
        let _ = self.set_zero_linger();
    }
}

impl<T: Io> Io for TlsStream<T> {
    fn reset_on_close(&self) {
        self.get_ref().0.reset_on_close();
    }
}

impl Io for Box<dyn Io> {
    fn reset_on_close(&self) {
        self.as_ref().reset_on_close();
    }
}

/// A stream that first returns bytes which were already read from it.
#[derive(Debug)]
pub struct Rewind<T> {
    read: Bytes,
    stream: T,
}

impl<T> Rewind<T> {
    /// Reads return `read` first, and then the rest of `stream`.
    pub fn new(read: Bytes, stream: T) -> Self {
        Rewind { read, stream }
    }
}

impl<T: Io> Io for Rewind<T> {
    fn reset_on_close(&self) {
        self.stream.reset_on_close();
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Rewind<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let length = self.read.len().min(buf.remaining());
        buf.put_slice(&self.read[..length]);
        self.read.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Rewind<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn what_was_read_comes_first() {
        let mut stream = Rewind::new(Bytes::from_static(b"abc"), b"def".as_slice());
        let mut two = [0; 2];
        stream.read_exact(&mut two).await.expect("there are three bytes");
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.expect("text");
        assert_eq!((two, rest.as_str()), (*b"ab", "cdef"));
    }
}
