//! Redacts HTTP messages within bodies (`application/http`, as used in batches).

use super::edits::Edits;
use super::names::NameKind;
use super::{Found, Redactor};

/// True for text that begins with a request or status line of HTTP/1 (RFC 9112, 3 and 4) and has
/// header lines.
pub(super) fn is_message(bytes: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'\n', &bytes[..bytes.len().min(8 << 10)]) else { return false };
    let line = bytes[..end].trim_ascii_end();
    line.starts_with(b"HTTP/1.") || line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
}

impl Redactor {
    /// The message with its secrets replaced; `None` if there are none.
    pub(super) fn message(&self, bytes: &[u8], found: &mut Found, depth: usize) -> Option<Vec<u8>> {
        let mut edits = Edits::default();
        let mut at = 0;
        let mut media_type = String::new();
        let mut is_first = true;
        while at < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            let line = &bytes[at..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let start = at;
            at = bytes.len().min(end + 1);
            if line.is_empty() {
                if is_first {
                    continue;
                }
                break;
            }
            let Ok(text) = std::str::from_utf8(line) else { continue };
            if is_first {
                is_first = false;
                // A request line, whose target is a URL.
                let mut words = text.split(' ');
                if let (Some(method), Some(target)) = (words.next(), words.next())
                    && let Some(hidden) = self.url(target, found, depth + 1)
                {
                    let from = start + method.len() + 1;
                    edits.put(from..from + target.len(), hidden);
                }
                continue;
            }
            let Some((name, value)) = text.split_once(':') else { continue };
            let value = value.trim_start();
            if name.eq_ignore_ascii_case("content-type") {
                value.clone_into(&mut media_type);
            }
            let hidden = match self.names.rule(name.trim().as_bytes(), NameKind::Other) {
                Some(rule) => {
                    let hidden = self.hide(name.trim(), rule, value);
                    if hidden.is_some() {
                        found.note(name.trim());
                    }
                    hidden
                }
                None => self.inside(value, found, depth + 1),
            };
            if let Some(hidden) = hidden {
                edits.put(start + line.len() - value.len()..start + line.len(), hidden);
            }
        }
        if let Some(hidden) = self.document(&bytes[at..], &media_type, found, depth + 1) {
            edits.put(at..bytes.len(), hidden);
        }
        edits.apply(bytes)
    }
}
