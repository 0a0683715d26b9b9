//! Which targets the recorder may connect to.
//!
//! Names are checked before they are resolved, and addresses after that. A name may resolve to any
//! address, so the check applies to the address of the actual connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::exchange::Pattern;
use crate::net::{Target, embedded_ipv4, is_link_local, is_private};

/// The restrictions on targets.
#[derive(Clone, Debug, Default)]
pub struct TargetPolicy {
    /// Allowed hosts, as `host` or `host:port`; if empty, all are allowed.
    pub allow_hosts: Vec<Pattern>,
    /// Refuse loopback, private and other addresses that are not routed on the public internet.
    pub deny_private: bool,
}

/// Why a target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefusal {
    /// No `--allow-host` matches it.
    #[error("no --allow-host pattern matches this host")]
    NotAllowed,
    /// The recorder itself.
    #[error("the target is the recorder itself")]
    Itself,
    /// A link-local address; cloud providers serve metadata there.
    #[error("link-local and metadata addresses are never targets")]
    LinkLocal,
    /// A private address under `--deny-private`.
    #[error("--deny-private refuses loopback and private addresses")]
    Private,
}

impl TargetPolicy {
    /// Checks the name of a target.
    ///
    /// # Errors
    /// The name is not allowed.
    pub fn check_name(&self, target: &Target) -> Result<(), TargetRefusal> {
        let with_port = || format!("{}:{}", target.hostname(), target.port());
        let allowed = self.allow_hosts.is_empty()
            || self
                .allow_hosts
                .iter()
                .any(|pattern| pattern.matches(target.hostname()) || pattern.matches(&with_port()));
        if allowed { Ok(()) } else { Err(TargetRefusal::NotAllowed) }
    }

    /// Checks an address that a target resolved to. `own` is the address that the recorder listens
    /// on.
    ///
    /// # Errors
    /// The address is the recorder's own, link-local, or private while that is denied.
    pub fn check_address(&self, address: SocketAddr, own: SocketAddr) -> Result<(), TargetRefusal> {
        let ip = embedded_ipv4(address.ip());
        if address.port() == own.port() && reaches(ip, embedded_ipv4(own.ip())) {
            return Err(TargetRefusal::Itself);
        }
        if is_link_local(ip) {
            return Err(TargetRefusal::LinkLocal);
        }
        if self.deny_private && is_private(ip) {
            return Err(TargetRefusal::Private);
        }
        Ok(())
    }
}

/// True if a connection to `ip` arrives at a listener on `own`.
fn reaches(ip: IpAddr, own: IpAddr) -> bool {
    ip == own
        || ip.is_loopback()
        // The kernel treats the unspecified address as loopback.
        || ip.is_unspecified()
        || (own.is_unspecified() && is_of_this_machine(ip))
}

/// True for an address of one of this machine's interfaces: the local end of a route to it is the
/// address itself. No packet is sent. Without a route, no connection is possible either.
fn is_of_this_machine(ip: IpAddr) -> bool {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let route = || {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((ip, 9))?;
        socket.local_addr()
    };
    route().is_ok_and(|from| from.ip() == ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &TargetPolicy, address: &str) -> Result<(), TargetRefusal> {
        let own = "127.0.0.1:8000".parse().expect("an address");
        policy.check_address(address.parse().expect("an address"), own)
    }

    #[test]
    fn the_recorder_is_never_its_target() {
        let policy = TargetPolicy::default();
        for own in ["127.0.0.1:8000", "[::1]:8000", "[::ffff:127.0.0.1]:8000", "0.0.0.0:8000"] {
            assert_eq!(check(&policy, own), Err(TargetRefusal::Itself), "{own}");
        }
        assert_eq!(check(&policy, "127.0.0.1:8001"), Ok(()));
        let everywhere = "0.0.0.0:8000".parse().expect("an address");
        let own = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
            socket.connect("192.0.2.1:9")?;
            socket.local_addr()
        });
        if let Ok(own) = own {
            let address = SocketAddr::new(own.ip(), 8000);
            assert_eq!(policy.check_address(address, everywhere), Err(TargetRefusal::Itself));
        }
    }

    #[test]
    fn link_local_and_metadata_never_private_on_request() {
        let policy = TargetPolicy::default();
        for address in [
            "169.254.169.254:80",
            "[::ffff:169.254.169.254]:80",
            "[64:ff9b::a9fe:a9fe]:80",
            "[2002:a9fe:a9fe::1]:80",
            "[fe80::1]:80",
            "[fd00:ec2::254]:80",
        ] {
            assert_eq!(check(&policy, address), Err(TargetRefusal::LinkLocal), "{address}");
        }
        let public_only = TargetPolicy { deny_private: true, ..TargetPolicy::default() };
        for address in ["10.0.0.1:80", "127.0.0.1:80", "[::1]:80", "[fd12::1]:80", "100.64.0.1:80"]
        {
            assert_eq!(check(&policy, address), Ok(()), "{address}");
            assert_eq!(check(&public_only, address), Err(TargetRefusal::Private), "{address}");
        }
        assert_eq!(check(&public_only, "93.184.216.34:443"), Ok(()));
    }

    #[test]
    fn names_are_matched_with_and_without_port() {
        let policy = TargetPolicy {
            allow_hosts: vec!["*.test".parse().expect("a pattern"), "b:81".parse().expect("one")],
            deny_private: false,
        };
        let check = |url| policy.check_name(&Target::from_url(url).expect("a URL"));
        assert_eq!(check("http://a.test:99/"), Ok(()));
        assert_eq!(check("http://b:81/"), Ok(()));
        assert_eq!(check("http://b/"), Err(TargetRefusal::NotAllowed));
    }
}
