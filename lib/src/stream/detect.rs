//! What a source holds, by its first bytes, whatever its name says.

use std::io::{self, Cursor, Read};

use super::beside::Beside;
use super::capture::Capture;
use super::utf16::{Utf16, order};
use super::{charles, har, mitmproxy, postman};

/// So much is looked at, at most.
const HEAD: usize = 64 << 10;

/// A format of captures.
pub(super) struct Format {
    /// Whether a source begins like one.
    begins: fn(&Head<'_>) -> bool,
    /// Reads one.
    pub(super) open: fn(Box<dyn Read + Send>, Beside) -> Box<dyn Capture>,
}

/// The formats besides JSON Lines.
static FORMATS: [Format; 4] = [
    Format {
        begins: |head| !head.is_array && head.has(&["log"]),
        open: |input, beside| Box::new(har::Har::new(input, beside)),
    },
    Format { begins: mitmproxy::begins, open: |input, _| Box::new(mitmproxy::Flows::new(input)) },
    Format {
        begins: |head| head.is_array && (head.is_empty || head.has(&charles::KEYS)),
        open: |input, _| Box::new(charles::Charles::new(input)),
    },
    Format {
        begins: |head| !head.is_array && (head.has(&["item"]) || head.contains(postman::SCHEMA)),
        open: |input, _| Box::new(postman::Postman::new(input)),
    },
];

/// What a source holds.
pub(super) enum Found {
    /// Lines; `known` where the first one is an exchange for certain.
    Lines { known: bool },
    /// A line that holds a partial.
    Partial,
    /// A capture of another tool.
    Capture(&'static Format),
    /// Files, packed by zip.
    Zip,
    /// Something else, and what takes that.
    Wrong(&'static Wrong),
}

/// A kind of file that is no source of exchanges.
pub(super) struct Wrong {
    /// What it is.
    pub(super) what: &'static str,
    /// What to do with it.
    pub(super) advice: &'static str,
}

const SPEC: Wrong = Wrong {
    what: "an OpenAPI spec",
    advice: "hmt-mock and hmt-merge take specs, and hmt-build takes one with -a",
};
const HTML: Wrong =
    Wrong { what: "an HTML page", advice: "save the capture itself, not the page that shows it" };
const XML: Wrong = Wrong {
    what: "an XML document",
    advice: "export the session as HAR, or from Charles as a JSON session (.chlsj)",
};
const ARRAY: Wrong = Wrong {
    what: "a JSON array",
    advice: "write each exchange on a line of its own, as jq -c '.[]' does",
};
const ENTRY: Wrong = Wrong {
    what: "a single entry of an HTTP archive (HAR)",
    advice: "give the whole archive, or wrap the entry, as jq '{log: {entries: [.]}}' does",
};
const PACKETS: Wrong = Wrong {
    what: "a capture of network packets",
    advice: "record with hmt-record or mitmproxy, which see the HTTP in it",
};
const BINARY: Wrong = Wrong {
    what: "a binary file",
    advice: "sources are JSON Lines, HAR, mitmproxy flows, Charles JSON sessions and Postman collections, also packed by gzip, zstd or zip",
};

/// The first bytes of a source, and what is known of the JSON in them.
pub(super) struct Head<'b> {
    pub(super) bytes: &'b [u8],
    is_array: bool,
    /// The keys of the object, or of the first object in the array.
    keys: Vec<String>,
    /// True where that object, or the array, has ended.
    closed: bool,
    /// True for an array without elements.
    is_empty: bool,
}

impl<'b> Head<'b> {
    fn of(bytes: &'b [u8], is_array: bool) -> Self {
        Head { bytes, is_array, keys: Vec::new(), closed: false, is_empty: false }
    }

    /// True where it has any of these keys.
    fn has(&self, keys: &[&str]) -> bool {
        self.keys.iter().any(|key| keys.contains(&key.as_str()))
    }

    /// True for an object as HAR has them in `log.entries`. Exchanges have none of these members.
    fn is_har_entry(&self) -> bool {
        const ENTRY: [&str; 2] = ["startedDateTime", "pageref"];
        const REQUEST: [&str; 3] = ["\"httpVersion\"", "\"queryString\"", "\"headersSize\""];
        self.has(&ENTRY) && !self.has(&["log"])
            || self.has(&["request"])
                && REQUEST.iter().filter(|name| self.contains(name)).count() > 1
    }

    /// True where the text occurs.
    fn contains(&self, text: &str) -> bool {
        memchr::memmem::find(self.bytes, text.as_bytes()).is_some()
    }
}

/// Looks at the first bytes; gives what they are, and the whole input again.
///
/// # Errors
/// Those of reading.
pub(super) fn detect(mut input: Box<dyn Read + Send>) -> io::Result<(Found, Box<dyn Read + Send>)> {
    let mut bytes = Vec::new();
    let mut recoded = false;
    loop {
        let old = bytes.len();
        bytes.resize((old + (8 << 10)).min(HEAD), 0);
        let got = loop {
            match input.read(&mut bytes[old..]) {
                Ok(got) => break got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Packed bytes that break off: whoever reads on is told again.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    input = Box::new(BrokenOff);
                    break 0;
                }
                Err(error) => return Err(error),
            }
        };
        bytes.truncate(old + got);
        if !recoded && let Some(order) = order(&bytes) {
            let whole = Box::new(Cursor::new(std::mem::take(&mut bytes)).chain(input));
            input = Box::new(Utf16::new(whole, order));
            recoded = true;
            continue;
        }
        let ended = got == 0 || bytes.len() == HEAD;
        if let Some(found) = decide(&bytes, ended) {
            return Ok((found, Box::new(Cursor::new(bytes).chain(input))));
        }
    }
}

/// An input that broke off.
struct BrokenOff;

impl Read for BrokenOff {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// What the bytes are; `None` where more of them would tell.
fn decide(bytes: &[u8], ended: bool) -> Option<Found> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let unknown = |known| ended.then_some(Found::Lines { known });
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(Found::Zip);
    }
    if MARK.starts_with(bytes) || bytes.len() < 4 && b"PK\x03\x04".starts_with(bytes) {
        return unknown(false);
    }
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes).trim_ascii_start();
    match text.first() {
        None => unknown(false),
        Some(b'{' | b'[') => of_json(text, ended),
        Some(b'<') => match text.len() < 64 && !ended {
            true => None,
            false => Some(Found::Wrong(if is_html(text) { &HTML } else { &XML })),
        },
        Some(b'0'..=b'9') => {
            let head = Head::of(text, false);
            match FORMATS.iter().find(|format| (format.begins)(&head)) {
                Some(format) => Some(Found::Capture(format)),
                None if text.len() < 64 && !ended && !text.contains(&b'\n') => None,
                None => Some(Found::Lines { known: false }),
            }
        }
        Some(_) => of_text(text, ended),
    }
}

fn is_html(text: &[u8]) -> bool {
    let start = text[..text.len().min(512)].to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body"]
        .iter()
        .any(|tag| memchr::memmem::find(&start, tag).is_some())
}

/// No JSON: a spec in YAML, something binary, or lines that are wrong.
fn of_text(text: &[u8], ended: bool) -> Option<Found> {
    const KEYS: [&str; 6] = ["openapi", "swagger", "info", "paths", "components", "servers"];
    const PCAP: [[u8; 4]; 4] = [
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0x0a, 0x0d, 0x0d, 0x0a],
        [0x4d, 0x3c, 0xb2, 0xa1],
    ];
    if PCAP.iter().any(|magic| text.starts_with(magic)) {
        return Some(Found::Wrong(&PACKETS));
    }
    if text[..text.len().min(512)].contains(&0) {
        return Some(Found::Wrong(&BINARY));
    }
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let significant = lines.find(|line| {
        let line = line.trim_ascii();
        !line.is_empty() && !matches!(line[0], b'#' | b'%') && !line.starts_with(b"---")
    });
    match significant {
        Some(line) if line.ends_with(b"\n") || ended => {
            let line = String::from_utf8_lossy(line);
            let key = line.split_once(':').map(|(key, _)| key.trim_matches(['"', '\'']));
            let is_spec = key.is_some_and(|key| KEYS.contains(&key) || key.starts_with("x-"));
            Some(if is_spec { Found::Wrong(&SPEC) } else { Found::Lines { known: false } })
        }
        _ if ended => Some(Found::Lines { known: false }),
        _ => None,
    }
}

fn of_json(text: &[u8], ended: bool) -> Option<Found> {
    let head = scan(text);
    if !head.is_array && head.is_har_entry() {
        return Some(Found::Wrong(&ENTRY));
    }
    if !head.is_array && head.has(&["request", "response", "meta"]) {
        return Some(Found::Lines { known: true });
    }
    if let Some(format) = FORMATS.iter().find(|format| (format.begins)(&head)) {
        return Some(Found::Capture(format));
    }
    // Sure once the object has ended, or nothing more is looked at.
    let sure = head.closed || ended;
    if head.is_array {
        let exchange = head.has(&["request", "response", "meta"]);
        return (exchange || sure).then_some(Found::Wrong(&ARRAY));
    }
    if head.has(&["hmt-partial"]) {
        return Some(Found::Partial);
    }
    if head.has(&["openapi", "swagger", "paths"]) {
        return Some(Found::Wrong(&SPEC));
    }
    sure.then_some(Found::Lines { known: false })
}

/// The keys of the outermost object, or of the first one in an array.
fn scan(text: &[u8]) -> Head<'_> {
    let is_array = text.first() == Some(&b'[');
    let level = if is_array { 2 } else { 1 };
    let mut head = Head::of(text, is_array);
    head.is_empty = is_array && text[1..].trim_ascii_start().first() == Some(&b']');
    let (mut depth, mut at) = (0, 0);
    let mut last = None;
    while at < text.len() {
        match text[at] {
            b'"' => {
                let start = at + 1;
                at = start;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                last = text.get(start..at).filter(|_| depth == level);
            }
            b':' if depth == level => {
                if let Some(key) = last.take() {
                    head.keys.push(String::from_utf8_lossy(key).into_owned());
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth < level {
                    head.closed = true;
                    break;
                }
            }
            _ => {}
        }
        at += 1;
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(bytes: &[u8]) -> String {
        let (found, mut rest) = detect(Box::new(Cursor::new(bytes.to_vec()))).unwrap();
        let mut whole = Vec::new();
        rest.read_to_end(&mut whole).unwrap();
        if order(bytes).is_none() {
            assert_eq!(whole, bytes, "all of it is still to be read");
        }
        match found {
            Found::Lines { known } => format!("lines {known}"),
            Found::Partial => "partial".to_owned(),
            Found::Zip => "zip".to_owned(),
            Found::Wrong(wrong) => wrong.what.to_owned(),
            Found::Capture(format) => {
                let at = FORMATS.iter().position(|other| std::ptr::eq(other, format)).unwrap();
                ["har", "mitmproxy", "charles", "postman"][at].to_owned()
            }
        }
    }

    #[test]
    fn kinds_are_told_by_their_beginning() {
        let postman = r#"{"info":{"name":"x","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"item":[]}"#;
        let utf16: Vec<u8> = r#"{"log":{}}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (text, kind) in [
            (&b"{\"request\":{}}\n"[..], "lines true"),
            (b"\xef\xbb\xbf\n\n{ \"meta\" : {}, \"request\":{}}", "lines true"),
            (b"{\"a\":1}\n{\"log\":1}", "lines false"),
            (b"nonsense\n", "lines false"),
            (b"12:34:56 GET /\n", "lines false"),
            (b"", "lines false"),
            (b"\n \n", "lines false"),
            (b"{\"_comment\":\"openapi\",\"log\":{", "har"),
            (b"\xef\xbb\xbf {\"log\"", "lines false"),
            (&utf16, "har"),
            (b"1204:9:websocket;0:~4:type;4:http;", "mitmproxy"),
            (b"[{\"status\":\"COMPLETE\",\"method\":\"GET\",\"scheme\":\"http\"", "charles"),
            (b"[]", "charles"),
            (postman.as_bytes(), "postman"),
            (b"{\"info\":{\"title\":\"T\"},\"openapi\":\"3.0.0\"}", "an OpenAPI spec"),
            (b"# comment\n---\nopenapi: 3.0.0\n", "an OpenAPI spec"),
            (b"swagger: '2.0'", "an OpenAPI spec"),
            (b"<!DOCTYPE html><title>x", "an HTML page"),
            (b"<?xml version='1.0'?><charles-session>", "an XML document"),
            (b"[{\"request\":{}}]", "a JSON array"),
            (
                b"{\"startedDateTime\":\"x\",\"request\":{",
                "a single entry of an HTTP archive (HAR)",
            ),
            (
                b"{\"request\":{\"url\":\"http://h/\",\"httpVersion\":\"x\",\"queryString\":[]",
                "a single entry of an HTTP archive (HAR)",
            ),
            (b"{\"hmt-partial\":1,", "partial"),
            (b"PK\x03\x04....", "zip"),
            (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", "a binary file"),
            (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "a capture of network packets"),
            (b"\x7fELF\0\0\0\0", "a binary file"),
        ] {
            assert_eq!(name(text), kind, "{}", String::from_utf8_lossy(text));
        }
    }
}
