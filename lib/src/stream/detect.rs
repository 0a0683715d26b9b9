//! Detects the kind of a source from its first bytes, whatever its name is.

use std::io::{self, Cursor, Read};

use super::capture::CaptureReader;
use super::sibling_files::SiblingFiles;
use super::unpack::CutOff;
use super::utf16::{Utf16, order};
use super::{charles, har, mitmproxy, postman};

/// Maximum number of bytes that are examined.
const HEAD: usize = 64 << 10;

/// A capture format.
pub(super) struct CaptureFormat {
    /// Whether the head of a source matches the format.
    begins: fn(&SourceHead<'_>) -> bool,
    /// Opens a reader.
    pub(super) open: fn(Box<dyn Read + Send>, SiblingFiles) -> Box<dyn CaptureReader>,
}

/// The formats besides JSON Lines.
static FORMATS: [CaptureFormat; 4] = [
    CaptureFormat {
        begins: |head| !head.is_array && head.has(&["log"]),
        open: |input, beside| Box::new(har::Har::new(input, beside)),
    },
    CaptureFormat {
        begins: |head| mitmproxy::begins(head.bytes),
        open: |input, _| Box::new(mitmproxy::Flows::new(input)),
    },
    CaptureFormat {
        begins: |head| head.is_array && (head.is_empty || head.has(&charles::KEYS)),
        open: |input, _| Box::new(charles::Charles::new(input)),
    },
    CaptureFormat {
        begins: |head| !head.is_array && (head.has(&["item"]) || head.contains(postman::SCHEMA)),
        open: |input, _| Box::new(postman::Postman::new(input)),
    },
];

/// The kind of a source.
pub(super) enum SourceKind {
    /// Lines; `known` if the first one is certainly an exchange.
    Lines { known: bool },
    /// A line with a partial state.
    Partial,
    /// A capture of another tool.
    Capture(&'static CaptureFormat),
    /// A zip archive.
    Zip,
    /// Something else.
    UnsupportedKind(&'static UnsupportedKind),
}

/// A kind of file that is not a source of exchanges.
pub(super) struct UnsupportedKind {
    /// The kind.
    pub(super) what: &'static str,
    /// The advice for the user.
    pub(super) advice: &'static str,
}

const SPEC: UnsupportedKind = UnsupportedKind {
    what: "an OpenAPI spec",
    advice: "hmt-mock and hmt-merge read specs; hmt-build reads one with -a",
};
const HTML: UnsupportedKind = UnsupportedKind {
    what: "an HTML page",
    advice: "save the capture itself, not the page that shows it",
};
const XML: UnsupportedKind = UnsupportedKind {
    what: "an XML document",
    advice: "export the session as HAR, or from Charles as a JSON session (.chlsj)",
};
const ARRAY: UnsupportedKind = UnsupportedKind {
    what: "a JSON array",
    advice: "write each exchange on its own line, as jq -c '.[]' does",
};
const ENTRY: UnsupportedKind = UnsupportedKind {
    what: "a single entry of an HTTP archive (HAR)",
    advice: "give the whole archive, or wrap the entry, as jq '{log: {entries: [.]}}' does",
};
const PACKETS: UnsupportedKind = UnsupportedKind {
    what: "a capture of network packets",
    advice: "record with hmt-record or mitmproxy instead",
};
const BINARY: UnsupportedKind = UnsupportedKind {
    what: "a binary file",
    advice: "supported are JSON Lines, HAR, mitmproxy flows, Charles JSON sessions and Postman collections, also compressed with gzip, zstd or zip",
};

/// The first bytes of a source, and the structure of the JSON in them.
pub(super) struct SourceHead<'b> {
    bytes: &'b [u8],
    is_array: bool,
    /// The keys of the object, or of the first object in the array.
    keys: Vec<String>,
    /// True if that object, or the array, has ended.
    closed: bool,
    /// True for an array without elements.
    is_empty: bool,
}

impl<'b> SourceHead<'b> {
    fn of(bytes: &'b [u8], is_array: bool) -> Self {
        SourceHead { bytes, is_array, keys: Vec::new(), closed: false, is_empty: false }
    }

    /// True if it has any of these keys.
    fn has(&self, keys: &[&str]) -> bool {
        self.keys.iter().any(|key| keys.contains(&key.as_str()))
    }

    /// True for an entry of HAR `log.entries`. Exchanges have none of these members.
    fn is_har_entry(&self) -> bool {
        const ENTRY: [&str; 2] = ["startedDateTime", "pageref"];
        const REQUEST: [&str; 3] = ["\"httpVersion\"", "\"queryString\"", "\"headersSize\""];
        self.has(&ENTRY) && !self.has(&["log"])
            || self.has(&["request"])
                && REQUEST.iter().filter(|name| self.contains(name)).count() > 1
    }

    /// True if the text occurs.
    fn contains(&self, text: &str) -> bool {
        memchr::memmem::find(self.bytes, text.as_bytes()).is_some()
    }
}

/// Detects the kind of an input; returns it with the complete input.
///
/// # Errors
/// Those of reading.
pub(super) fn detect(
    mut input: Box<dyn Read + Send>,
) -> io::Result<(SourceKind, Box<dyn Read + Send>)> {
    let mut bytes = Vec::new();
    let mut recoded = false;
    loop {
        let old = bytes.len();
        bytes.resize((old + (8 << 10)).min(HEAD), 0);
        let got = loop {
            match input.read(&mut bytes[old..]) {
                Ok(got) => break got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // For truncated compressed data, further reading reports the error again.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let is_cut = error.get_ref().is_some_and(|cause| cause.is::<CutOff>());
                    input = Box::new(TruncatedInput { is_cut });
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

/// An input that ends early.
struct TruncatedInput {
    /// Something is missing.
    is_cut: bool,
}

impl Read for TruncatedInput {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(match self.is_cut {
            true => io::Error::new(io::ErrorKind::UnexpectedEof, CutOff),
            false => io::ErrorKind::UnexpectedEof.into(),
        })
    }
}

/// The kind of the bytes; `None` if more of them are needed.
fn decide(bytes: &[u8], ended: bool) -> Option<SourceKind> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let unknown = |known| ended.then_some(SourceKind::Lines { known });
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(SourceKind::Zip);
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
            false => Some(SourceKind::UnsupportedKind(if is_html(text) { &HTML } else { &XML })),
        },
        Some(b'0'..=b'9') => {
            let head = SourceHead::of(text, false);
            match FORMATS.iter().find(|format| (format.begins)(&head)) {
                Some(format) => Some(SourceKind::Capture(format)),
                None if text.len() < 64 && !ended && !text.contains(&b'\n') => None,
                None => Some(SourceKind::Lines { known: false }),
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

/// Other text: a spec in YAML, binary data, or invalid lines.
fn of_text(text: &[u8], ended: bool) -> Option<SourceKind> {
    const KEYS: [&str; 6] = ["openapi", "swagger", "info", "paths", "components", "servers"];
    const PCAP: [[u8; 4]; 4] = [
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0x0a, 0x0d, 0x0d, 0x0a],
        [0x4d, 0x3c, 0xb2, 0xa1],
    ];
    if PCAP.iter().any(|magic| text.starts_with(magic)) {
        return Some(SourceKind::UnsupportedKind(&PACKETS));
    }
    if text[..text.len().min(512)].contains(&0) {
        return Some(SourceKind::UnsupportedKind(&BINARY));
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
            Some(if is_spec {
                SourceKind::UnsupportedKind(&SPEC)
            } else {
                SourceKind::Lines { known: false }
            })
        }
        _ if ended => Some(SourceKind::Lines { known: false }),
        _ => None,
    }
}

fn of_json(text: &[u8], ended: bool) -> Option<SourceKind> {
    let head = scan(text);
    if !head.is_array && head.is_har_entry() {
        return Some(SourceKind::UnsupportedKind(&ENTRY));
    }
    if !head.is_array && head.has(&["request", "response", "meta"]) {
        return Some(SourceKind::Lines { known: true });
    }
    if let Some(format) = FORMATS.iter().find(|format| (format.begins)(&head)) {
        return Some(SourceKind::Capture(format));
    }
    // Certain once the object has ended, or if there are no more bytes.
    let sure = head.closed || ended;
    if head.is_array {
        let exchange = head.has(&["request", "response", "meta"]);
        return (exchange || sure).then_some(SourceKind::UnsupportedKind(&ARRAY));
    }
    if head.has(&["hmt-partial"]) {
        return Some(SourceKind::Partial);
    }
    if head.has(&["openapi", "swagger", "paths"]) {
        return Some(SourceKind::UnsupportedKind(&SPEC));
    }
    sure.then_some(SourceKind::Lines { known: false })
}

/// The keys of the outermost object, or of the first one in an array.
fn scan(text: &[u8]) -> SourceHead<'_> {
    let is_array = text.first() == Some(&b'[');
    let level = if is_array { 2 } else { 1 };
    let mut head = SourceHead::of(text, is_array);
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
            SourceKind::Lines { known } => format!("lines {known}"),
            SourceKind::Partial => "partial".to_owned(),
            SourceKind::Zip => "zip".to_owned(),
            SourceKind::UnsupportedKind(wrong) => wrong.what.to_owned(),
            SourceKind::Capture(format) => {
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
