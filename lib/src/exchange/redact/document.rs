//! Determines the kind of a body, or of a text within one, and redacts it accordingly.

use serde::de::IgnoredAny;

use super::super::charset::charset;
use super::super::content::{self, Syntax};
use super::form::looks_like_form;
use super::mode::SearchMode;
use super::names::NameKind;
use super::traces::{self, Candidates};
use super::{Found, Redactor};

/// Maximum depth of texts within texts that are searched.
const MAX_DEPTH: usize = 6;

impl Redactor {
    /// The body with its secrets replaced; `None` if it has none.
    pub(super) fn document(
        &self,
        bytes: &[u8],
        media_type: &str,
        found: &mut Found,
        depth: usize,
    ) -> Option<Vec<u8>> {
        if bytes.is_empty() || depth > MAX_DEPTH {
            return None;
        }
        if let Some(charset) = charset(bytes, media_type) {
            let text = charset.decode(bytes);
            let hidden = self.ascii(text.as_bytes(), media_type, found, depth)?;
            return Some(charset.encode(&String::from_utf8_lossy(&hidden), bytes));
        }
        self.ascii(bytes, media_type, found, depth)
    }

    /// The same for a body in UTF-8 or another superset of ASCII.
    fn ascii(
        &self,
        bytes: &[u8],
        media_type: &str,
        found: &mut Found,
        depth: usize,
    ) -> Option<Vec<u8>> {
        let hidden = self.parsed(bytes, media_type, found, depth);
        let by_value = self.by_value(hidden.as_deref().unwrap_or(bytes), found);
        by_value.or(hidden)
    }

    fn parsed(
        &self,
        bytes: &[u8],
        media_type: &str,
        found: &mut Found,
        depth: usize,
    ) -> Option<Vec<u8>> {
        let media_type = media_type.trim();
        let is = |name: &str| {
            media_type.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        if is("multipart/") {
            return self.multipart(bytes, media_type, found, depth);
        }
        if is("application/http") || is("message/http") {
            return self.message(bytes, found, depth);
        }
        let first = first_byte(bytes);
        let untyped = media_type.is_empty() || is("text/plain");
        if is("application/x-www-form-urlencoded") && !matches!(first, Some(b'{' | b'[' | b'<'))
            || untyped && looks_like_form(bytes)
        {
            let text = String::from_utf8_lossy(bytes);
            return self.query_string(&text, NameKind::Other, found, depth).map(String::into_bytes);
        }
        let candidates = self.candidates(bytes);
        if candidates.is_empty() {
            return None;
        }
        if is("text/csv") || is("text/tab-separated-values") {
            let hidden = self.csv(bytes, found);
            let rest = hidden.as_deref().unwrap_or(bytes);
            let candidates = self.candidates(rest);
            let others = self.text(rest, &candidates, SearchMode::Unparsed, found, depth);
            return others.or(hidden);
        }
        let json = media_type.as_bytes().windows(4).any(|part| part.eq_ignore_ascii_case(b"json"));
        // Text types may use an undeclared charset.
        let is_text = json
            || content::media_type(media_type)
                .is_some_and(|media| Syntax::of(&media) != Syntax::Binary)
            || simdutf8::basic::from_utf8(bytes).is_ok();
        if !is_text {
            return self.text(bytes, &candidates, SearchMode::Shapes, found, depth);
        }
        self.syntax(bytes, first, &candidates, SearchMode::Unparsed, found, depth)
    }

    /// Redacts a nested text: the value of a name that is not secret. `None` if it has no secret.
    pub(super) fn inside(&self, text: &str, found: &mut Found, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        let bytes = text.as_bytes();
        let candidates = self.candidates(bytes);
        let hidden = if candidates.is_empty() {
            None
        } else {
            self.syntax(
                bytes,
                first_byte(bytes),
                &candidates,
                SearchMode::Value,
                found,
                depth.max(1),
            )
        };
        let by_value = self.by_value(hidden.as_deref().unwrap_or(bytes), found);
        by_value.or(hidden).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn syntax(
        &self,
        bytes: &[u8],
        first: Option<u8>,
        candidates: &Candidates,
        mode: SearchMode,
        found: &mut Found,
        depth: usize,
    ) -> Option<Vec<u8>> {
        match first {
            Some(b'<') if is_markup(bytes) => return self.markup(bytes, candidates, found, depth),
            Some(b'{' | b'[' | b'"') if is_json(bytes, mode == SearchMode::Unparsed) => {
                return self.json(bytes, candidates, found, depth);
            }
            _ => {}
        }
        if super::message::is_message(bytes) {
            return self.message(bytes, found, depth);
        }
        self.text(bytes, candidates, mode, found, depth)
    }

    /// Positions where the text may have secrets, by the table and the user's options.
    pub(super) fn candidates(&self, bytes: &[u8]) -> Candidates {
        let mut candidates = traces::candidates(bytes, &self.names);
        candidates.everywhere |= !self.pointers.is_empty() || !self.values.is_empty();
        candidates
    }

    /// Replaces the matches of the user's regular expressions.
    pub(super) fn by_value(&self, bytes: &[u8], found: &mut Found) -> Option<Vec<u8>> {
        let mut current: Option<Vec<u8>> = None;
        for pattern in &self.values {
            let text = current.as_deref().unwrap_or(bytes);
            let mut out = Vec::new();
            let mut copied = 0;
            for captures in pattern.captures_iter(text) {
                let Some(secret) = captures.get(1).or_else(|| captures.get(0)) else { continue };
                let value = secret.as_bytes();
                if value.is_empty()
                    || value
                        .windows(super::pseudonym::MARK.len())
                        .any(|part| part == super::pseudonym::MARK.as_bytes())
                {
                    continue;
                }
                out.extend_from_slice(&text[copied..secret.start()]);
                out.extend_from_slice(self.pseudonym_of_bytes(value).as_bytes());
                copied = secret.end();
                found.note("value");
            }
            if copied > 0 {
                out.extend_from_slice(&text[copied..]);
                current = Some(out);
            }
        }
        current
    }
}

/// The first byte after a byte order mark and whitespace.
fn first_byte(bytes: &[u8]) -> Option<u8> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// True for JSON and, with `cut`, for the beginning of JSON.
pub(super) fn is_json(bytes: &[u8], cut: bool) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => true,
        Err(error) => cut && error.is_eof(),
    }
}

/// True for text that begins with a tag, but not with a URL in angle brackets, as in the header
/// `Link`.
fn is_markup(bytes: &[u8]) -> bool {
    let start = bytes.iter().position(|byte| *byte == b'<').map_or(bytes.len(), |at| at + 1);
    let rest = &bytes[start..];
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let is_tag = word > 0 || matches!(rest.first(), Some(b'!' | b'?' | b'/' | b'_'));
    is_tag && !rest[word..].starts_with(b"://")
}
