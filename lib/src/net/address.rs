//! Kinds of IP addresses, for servers that connect to addresses given by clients or files.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Metadata services outside the link-local ranges: AWS and GCP over IPv6, Alibaba, Azure.
const METADATA: [IpAddr; 4] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// The IPv4 address that an IPv6 address contains (mapped, compatible, NAT64 or 6to4); else the
/// address itself.
pub fn embedded_ipv4(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let s = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        // `::` and `::1` are themselves.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => ip,
    }
}

/// True for a link-local address, and for the addresses where clouds keep their metadata.
pub fn is_link_local(ip: IpAddr) -> bool {
    let ip = embedded_ipv4(ip);
    let local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    local || METADATA.contains(&ip)
}

/// True for an address that is not routed on the public internet: loopback, private and reserved
/// ranges (the IANA registries of special-purpose addresses).
pub fn is_private(ip: IpAddr) -> bool {
    match embedded_ipv4(ip) {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (b == 18 || b == 19))
                || (a == 192 && b == 0 && c == 0)
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_multicast()
                || v6.segments()[0] & 0xffc0 == 0xfec0
        }
    }
}

/// True for a host name or address of this machine: `localhost` and names below it (RFC 6761,
/// section 6.3), and the loopback ranges. An IPv6 address may have brackets.
pub fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']).trim_end_matches('.');
    match bare.parse::<IpAddr>() {
        Ok(ip) => embedded_ipv4(ip).is_loopback(),
        Err(_) => {
            let bare = bare.to_ascii_lowercase();
            bare == "localhost" || bare.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_of_one_kind() {
        for (text, link_local, private) in [
            ("169.254.169.254", true, false),
            ("::ffff:169.254.169.254", true, false),
            ("64:ff9b::a9fe:a9fe", true, false),
            ("fe80::1", true, false),
            ("fd00:ec2::254", true, true),
            ("127.0.0.1", false, true),
            ("::ffff:10.0.0.1", false, true),
            ("::1", false, true),
            ("0.0.0.0", false, true),
            ("192.0.0.8", false, true),
            ("8.8.8.8", false, false),
            ("2606:4700::1111", false, false),
        ] {
            let ip: IpAddr = text.parse().expect("an address");
            assert_eq!((is_link_local(ip), is_private(ip)), (link_local, private), "{text}");
        }
    }

    #[test]
    fn hosts_of_this_machine() {
        for host in ["localhost", "API.localhost", "127.1.2.3", "[::1]", "::ffff:127.0.0.1"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["localhost.evil.test", "10.0.0.1", "0.0.0.0", "[::2]", "notlocalhost"] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
