//! Listening sockets, and the line that announces their address.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;

use super::protocols::Protocols;

/// Listening on the port failed. The message names the flag that chooses another port.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {what}; choose another {choice} with {flag}")]
pub struct BindError {
    address: SocketAddr,
    what: String,
    choice: &'static str,
    flag: String,
    is_in_use: bool,
}

impl BindError {
    /// True if another program listens on the port.
    pub fn is_in_use(&self) -> bool {
        self.is_in_use
    }
}

/// Listens on `ip:port`; port 0 takes a free one. `flag` is the option that chooses the port, as
/// `-p/--port`, for the error message.
///
/// # Errors
/// The port is in use, or the process may not listen on it.
pub async fn bind(ip: IpAddr, port: u16, flag: &str) -> Result<TcpListener, BindError> {
    let address = SocketAddr::new(ip, port);
    TcpListener::bind(address).await.map_err(|source| {
        let (what, choice, flag) = match source.kind() {
            io::ErrorKind::AddrInUse => ("the port is in use".to_owned(), "port", flag),
            io::ErrorKind::PermissionDenied => {
                ("ports below 1024 require root privileges".to_owned(), "port", flag)
            }
            io::ErrorKind::AddrNotAvailable => {
                ("this machine does not have this address".to_owned(), "address", "--bind")
            }
            _ => (source.to_string(), "port", flag),
        };
        let is_in_use = source.kind() == io::ErrorKind::AddrInUse;
        BindError { address, what, choice, flag: flag.to_owned(), is_in_use }
    })
}

/// The line for standard error once a server listens: `listening on http://ADDR:PORT`.
pub fn ready_line(address: SocketAddr, protocols: &Protocols) -> String {
    let scheme = if protocols.is_tls() { "https" } else { "http" };
    format!("listening on {scheme}://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_port_names_the_flag() {
        let ip = IpAddr::from([127, 0, 0, 1]);
        let first = bind(ip, 0, "-p/--port").await.expect("a free port");
        let port = first.local_addr().expect("an address").port();
        let error = bind(ip, port, "-p/--port").await.expect_err("the port is taken");
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on 127.0.0.1:{port}: the port is in use; choose another port with -p/--port"
            )
        );
    }
}
