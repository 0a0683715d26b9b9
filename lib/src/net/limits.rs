//! The limits and callbacks of a server, and what the callbacks receive.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::protocols::Protocols;

/// Receives a message for the user about a problem that is not about a single response.
pub type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// Called for a request that could not be read.
pub type OnRefused = Arc<dyn Fn(&Refused) + Send + Sync>;

/// Called with the number of a connection that has ended.
pub type OnEnded = Arc<dyn Fn(u64) + Send + Sync>;

/// The limits of a server, and its callbacks.
#[derive(Clone)]
pub struct Limits {
    /// Timeout for the head of a request, from its first byte.
    pub header_read_timeout: Duration,
    /// Timeout for the next request on a connection.
    pub idle_timeout: Duration,
    /// Buffer size of a connection in bytes; a longer head is answered with 431.
    pub max_buffer: usize,
    /// Maximum size of a head in bytes, if smaller than the buffer.
    pub max_head: Option<usize>,
    /// Maximum number of header lines in a request; more are answered with 431. The default is
    /// hyper's own of 100. Setting a limit costs an allocation for each request, even if the limit
    /// equals the default.
    pub max_headers: Option<usize>,
    /// Whether the extensions of requests and responses carry the original case of header names.
    pub preserve_header_case: bool,
    /// Maximum number of open connections; further ones wait to be accepted.
    pub connections: usize,
    /// Maximum number of connections from one address, so that one client cannot take them all;
    /// further ones are closed. Loopback addresses are exempt, because their clients share the
    /// machine anyway.
    pub connections_per_address: usize,
    /// Whether a `Date` header is added to responses without one.
    pub date_header: bool,
    /// The protocols that clients may speak.
    pub protocols: Protocols,
    /// Receives accept errors, at most once a second.
    pub report: Report,
    /// Called for each request that could not be read.
    pub refused: Option<OnRefused>,
    /// Called with the number of each connection that has ended.
    pub ended: Option<OnEnded>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            header_read_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_buffer: 64 << 10,
            max_head: None,
            max_headers: None,
            preserve_header_case: false,
            connections: 20_000,
            connections_per_address: 2_000,
            date_header: true,
            protocols: Protocols::default(),
            report: Arc::new(|_| ()),
            refused: None,
            ended: None,
        }
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("header_read_timeout", &self.header_read_timeout)
            .field("max_buffer", &self.max_buffer)
            .field("connections", &self.connections)
            .field("connections_per_address", &self.connections_per_address)
            .finish_non_exhaustive()
    }
}

/// A request that could not be read and was answered with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The client.
    pub peer: SocketAddr,
    /// 400, 414 or 431; 0 if no response was sent.
    pub status: u16,
    /// The problem of the request.
    pub why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { peer, status, why } = self;
        match status {
            0 => write!(f, "a connection of {} was closed: {why}", peer.ip()),
            _ => write!(f, "a request from {} was refused with {status}: {why}", peer.ip()),
        }
    }
}

/// The client of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The client's address.
    pub address: SocketAddr,
    /// The number of the connection, from 1, in the order of acceptance.
    pub connection: u64,
}
