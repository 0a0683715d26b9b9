//! `ipv4` and `ipv6`: RFC 2673 dotted quads and RFC 4291 addresses without a zone.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use rand::RngCore;

use super::choose::{below, push_digits};

pub(super) fn detect_v4(text: &str) -> bool {
    (7..=15).contains(&text.len())
        && text.as_bytes()[0].is_ascii_digit()
        && text.parse::<Ipv4Addr>().is_ok()
}

pub(super) fn detect_v6(text: &str) -> bool {
    (2..=45).contains(&text.len())
        && matches!(text.as_bytes()[0], b':' | b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
        && memchr::memchr(b':', &text.as_bytes()[..text.len().min(5)]).is_some()
        && text.parse::<Ipv6Addr>().is_ok()
}

/// An address from the blocks that RFC 5737 reserves for documentation.
pub(super) fn write_v4(rng: &mut dyn RngCore, out: &mut String) {
    out.push_str(["192.0.2.", "198.51.100.", "203.0.113."][below(rng, 3) as usize]);
    push_digits(out, below(rng, 254) + 1, 1);
}

/// An address from the block that RFC 3849 reserves for documentation.
pub(super) fn write_v6(rng: &mut dyn RngCore, out: &mut String) {
    let bits = rng.next_u64();
    let group = |at: u32| (bits >> at) as u16;
    let address = Ipv6Addr::new(0x2001, 0xdb8, group(0), 0, 0, 0, group(16), group(32));
    // Writing to a string cannot fail.
    let _ = write!(out, "{address}");
}
