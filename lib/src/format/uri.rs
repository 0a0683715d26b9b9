//! `uri`, `uri-reference` (RFC 3986), `iri`, `iri-reference` (RFC 3987).

use std::net::Ipv6Addr;

use rand::RngCore;

use super::choose::{below, pick, push_digits};

/// Which characters are legal.
#[derive(Clone, Copy, PartialEq)]
enum Repertoire {
    Ascii,
    Unicode,
}

pub(super) fn detect(text: &str) -> bool {
    scheme(text).is_some_and(|rest| after_scheme(rest, Repertoire::Ascii))
}

pub(super) fn detect_iri(text: &str) -> bool {
    scheme(text).is_some_and(|rest| after_scheme(rest, Repertoire::Unicode))
}

pub(super) fn detect_reference(text: &str) -> bool {
    detect(text) || relative(text, Repertoire::Ascii)
}

pub(super) fn detect_iri_reference(text: &str) -> bool {
    detect_iri(text) || relative(text, Repertoire::Unicode)
}

/// `scheme://host…`: many other texts with a colon are URIs, but are rarely meant as such.
pub(super) fn infer(text: &str) -> bool {
    let Some(colon) = memchr::memchr(b':', &text.as_bytes()[..text.len().min(16)]) else {
        return false;
    };
    text.as_bytes()[colon..].starts_with(b"://")
        && text
            .as_bytes()
            .get(colon + 3)
            .is_some_and(|first| first.is_ascii_alphanumeric() || *first == b'[')
        && detect(text)
}

/// Splits at the first occurrence of an ASCII character. Unlike `split_once` it has no setup cost,
/// which would exceed that of these short texts.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let found = memchr::memchr(at, text.as_bytes())?;
    Some((&text[..found], &text[found + 1..]))
}

/// The text after the scheme and its colon.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = cut(text, b':')?;
    let first = scheme.bytes().next()?;
    let legal = first.is_ascii_alphabetic()
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    legal.then_some(rest)
}

fn relative(text: &str, repertoire: Repertoire) -> bool {
    let first_segment = text.split(['/', '?', '#']).next().unwrap_or_default();
    !first_segment.contains(':') && after_scheme(text, repertoire)
}

/// `hier-part [ "?" query ] [ "#" fragment ]`, also for a relative reference.
fn after_scheme(text: &str, repertoire: Repertoire) -> bool {
    let (text, fragment) = cut(text, b'#').unwrap_or((text, ""));
    let (hierarchy, query) = cut(text, b'?').unwrap_or((text, ""));
    let path = match hierarchy.strip_prefix("//") {
        Some(rest) => {
            let (authority_text, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !authority(authority_text, repertoire) {
                return false;
            }
            path
        }
        None => hierarchy,
    };
    characters(path, b":@/", repertoire)
        && characters(query, b":@/?", repertoire)
        && characters(fragment, b":@/?", repertoire)
}

/// `[ userinfo "@" ] host [ ":" port ]`
fn authority(text: &str, repertoire: Repertoire) -> bool {
    let (user, host_and_port) = text.rsplit_once('@').unwrap_or(("", text));
    let (host_legal, port) = match host_and_port.strip_prefix('[') {
        Some(literal) => {
            let Some((address, rest)) = literal.split_once(']') else { return false };
            let Some(port) = rest.strip_prefix(':').or(rest.is_empty().then_some("")) else {
                return false;
            };
            (address.parse::<Ipv6Addr>().is_ok() || future(address), port)
        }
        None => {
            let (host, port) = host_and_port.split_once(':').unwrap_or((host_and_port, ""));
            (characters(host, b"", repertoire), port)
        }
    };
    host_legal
        && characters(user, b":", repertoire)
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// `IPvFuture`
fn future(address: &str) -> bool {
    let Some((version, rest)) =
        address.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.'))
    else {
        return false;
    };
    !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !rest.is_empty()
        && !rest.contains('%')
        && characters(rest, b":", Repertoire::Ascii)
}

/// Unreserved characters, sub-delimiters, percent triplets, and those of `extra`.
fn characters(text: &str, extra: &[u8], repertoire: Repertoire) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {}
            b'!' | b'$' | b'&'..=b',' | b';' | b'=' => {}
            b'%' => {
                if !bytes.get(at..at + 2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
                    return false;
                }
                at += 2;
            }
            0x80.. if repertoire == Repertoire::Unicode => {}
            _ if extra.contains(&byte) => {}
            _ => return false,
        }
    }
    repertoire == Repertoire::Ascii || text.chars().all(|c| c.is_ascii() || international(c))
}

/// `ucschar` of RFC 3987; private-use characters are only legal in queries, and left out.
fn international(c: char) -> bool {
    match u32::from(c) {
        0xa0..=0xd7ff | 0xf900..=0xfdcf | 0xfdf0..=0xffef => true,
        code @ 0x1_0000..=0xe_ffff => {
            code & 0xffff <= 0xfffd && !(0xe_0000..0xe_1000).contains(&code)
        }
        _ => false,
    }
}

const SEGMENTS: &[&str] = &[
    "about", "account", "articles", "blog", "catalog", "docs", "events", "files", "help", "images",
    "items", "news", "orders", "pages", "posts", "products", "profile", "reports", "support",
    "users",
];

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    out.push_str("https://");
    super::hostname::write(rng, out);
    write_reference(rng, out);
}

pub(super) fn write_reference(rng: &mut dyn RngCore, out: &mut String) {
    out.push('/');
    out.push_str(pick(rng, SEGMENTS));
    if below(rng, 2) == 0 {
        out.push('/');
        push_digits(out, below(rng, 10_000), 1);
    }
}
