//! `email` and `idn-email`: RFC 5321 `Mailbox` and its RFC 6531 extension.

use std::net::{Ipv4Addr, Ipv6Addr};

use rand::RngCore;

use super::choose::{below, pick, push_digits};
use super::hostname;

pub(super) fn detect(text: &str) -> bool {
    mailbox(text, local_part, hostname::detect)
}

pub(super) fn detect_idn(text: &str) -> bool {
    mailbox(
        text,
        |local| local_part(&local.replace(|c: char| !c.is_ascii(), "x")),
        hostname::detect_idn,
    )
}

/// No quotes, no address literals, and a dot in the domain, so that every validator accepts it.
pub(super) fn infer(text: &str) -> bool {
    let Some(at) = memchr::memchr(b'@', text.as_bytes()) else { return false };
    text.len() <= 254
        && text.as_bytes()[0] != b'"'
        && text[at + 1..].contains('.')
        && !text.ends_with(']')
        && detect(text)
}

fn mailbox(text: &str, local: impl Fn(&str) -> bool, domain: impl Fn(&str) -> bool) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    if name.is_empty() || name.len() > 64 || !local(name) {
        return false;
    }
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => match address.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => address.parse::<Ipv4Addr>().is_ok(),
        },
        None => domain(host),
    }
}

/// `Dot-string` or `Quoted-string`.
fn local_part(name: &str) -> bool {
    if let Some(quoted) = name.strip_prefix('"') {
        let Some(quoted) = quoted.strip_suffix('"') else { return false };
        let mut bytes = quoted.bytes();
        while let Some(byte) = bytes.next() {
            let legal = match byte {
                b'\\' => bytes.next().is_some_and(|escaped| (b'!'..=b'~').contains(&escaped)),
                b'"' => false,
                _ => (b' '..=b'~').contains(&byte),
            };
            if !legal {
                return false;
            }
        }
        return !quoted.is_empty();
    }
    let mut dot = true;
    for byte in name.bytes() {
        match byte {
            b'.' if dot => return false,
            b'.' => {}
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {}
            b'!'
            | b'#'..=b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'/'
            | b'='
            | b'?'
            | b'^'..=b'`'
            | b'{'..=b'~' => {}
            _ => return false,
        }
        dot = byte == b'.';
    }
    !dot
}

/// An address in a domain that RFC 2606 reserves, so that nobody gets the mail.
pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    const NAMES: &[&str] = &[
        "anna", "ben", "carla", "dario", "elena", "felix", "grace", "hugo", "ines", "jonas",
        "karim", "lucia", "maria", "noah", "olga", "pablo", "quinn", "rosa", "samir", "tessa",
        "umar", "vera", "wen", "yuki",
    ];
    out.push_str(pick(rng, NAMES));
    if below(rng, 2) == 0 {
        out.push('.');
        out.push_str(pick(rng, NAMES));
    } else {
        push_digits(out, below(rng, 1000), 1);
    }
    out.push_str(pick(rng, &["@example.com", "@example.org", "@example.net"]));
}
