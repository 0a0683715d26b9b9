//! Redacts text without a known syntax: logs, scripts, broken JSON, event streams, and binary
//! bodies.

use std::ops::Range;

use percent_encoding::{percent_decode, utf8_percent_encode};

use super::super::query::QUERY;
use super::document::is_json;
use super::edits::Edits;
use super::json::{decode, string_end};
use super::mode::SearchMode;
use super::names::{NameKind, Rule};
use super::pair::{
    Pair, bare, blanks, block_scalar, encoded_value, is_code, is_prose_word, query_around, quoted,
};
use super::traces::{Candidates, is_of_name, name_around};
use super::{Found, Redactor};

/// A line that has been examined.
#[derive(Default)]
struct SearchedLine {
    end: usize,
}

impl Redactor {
    /// Text with its secrets replaced; `None` if there are none.
    pub(super) fn text(
        &self,
        bytes: &[u8],
        candidates: &Candidates,
        mode: SearchMode,
        found: &mut Found,
        depth: usize,
    ) -> Option<Vec<u8>> {
        let mut edits = Edits::default();
        let mut next = 0;
        let mut line = SearchedLine::default();
        let users = if self.names.are_added() && mode != SearchMode::Shapes {
            self.places_of_added_names(bytes, &candidates.places)
        } else {
            Vec::new()
        };
        let places = if users.is_empty() { &candidates.places } else { &users };
        for at in places.iter().copied() {
            if at < next {
                continue;
            }
            if mode == SearchMode::Unparsed
                && let Some(range) = line.json_at(bytes, at)
            {
                let inner = self.candidates(&bytes[range.clone()]);
                if let Some(hidden) = self.json(&bytes[range.clone()], &inner, found, depth.max(1))
                {
                    edits.put(range.clone(), hidden);
                }
                next = range.end;
                continue;
            }
            if let Some(shape) = self.shape(bytes, at).filter(|shape| shape.secret.start >= next) {
                found.note(shape.kind);
                edits.put(shape.secret.clone(), self.hide_bytes(&bytes[shape.secret.clone()]));
                next = shape.secret.end;
            } else if mode != SearchMode::Shapes
                && let Some(end) = self.named(bytes, at, next, mode, found, &mut edits, depth)
            {
                next = end;
            }
        }
        edits.apply(bytes)
    }

    /// The positions of all names that the user added, merged with the known ones.
    fn places_of_added_names(&self, bytes: &[u8], known: &[usize]) -> Vec<usize> {
        let mut places = known.to_vec();
        let mut at = 0;
        while at < bytes.len() {
            if !is_of_name(bytes[at]) {
                at += 1;
                continue;
            }
            let end = at + bytes[at..].iter().take_while(|byte| is_of_name(**byte)).count();
            let name = name_around(bytes, at);
            if self.names.rule(&bytes[name], NameKind::Other).is_some() {
                places.push(at);
            }
            at = end;
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    fn hide_bytes(&self, secret: &[u8]) -> Vec<u8> {
        match std::str::from_utf8(secret) {
            Ok(text) => self.pseudonym(text).into_bytes(),
            Err(_) => self.pseudonym_of_bytes(secret).into_bytes(),
        }
    }

    /// Replaces the value of the name at `at`; returns the position after the examined text.
    #[expect(clippy::too_many_arguments, reason = "all of the state of one pass over a text")]
    fn named(
        &self,
        bytes: &[u8],
        at: usize,
        least: usize,
        mode: SearchMode,
        found: &mut Found,
        edits: &mut Edits,
        depth: usize,
    ) -> Option<usize> {
        let name = name_around(bytes, at);
        if let Some(query) = query_around(bytes, &name, least) {
            let text = String::from_utf8_lossy(&bytes[query.clone()]);
            if let Some(hidden) = self.query_string(&text, NameKind::Query, found, depth.max(1)) {
                edits.put(query.clone(), hidden);
            }
            return Some(query.end);
        }
        let rule = self.names.rule(&bytes[name.clone()], NameKind::Other)?;
        let text = String::from_utf8_lossy(&bytes[name.clone()]).into_owned();
        if let Some(value) = encoded_value(bytes, &name) {
            let shown = percent_decode(&bytes[value.clone()]).decode_utf8_lossy();
            if let Some(hidden) = self.hide(&text, rule, &shown) {
                found.note(&text);
                edits.put(value.clone(), utf8_percent_encode(&hidden, QUERY).to_string());
            }
            return Some(value.end);
        }
        let pair = Pair::behind(bytes, &name)?;
        let hide = |value: Range<usize>, text: &str, found: &mut Found, edits: &mut Edits| {
            let shown = String::from_utf8_lossy(&bytes[value.clone()]).into_owned();
            if let Some(hidden) = self.hide(text, rule, &shown) {
                found.note(text);
                edits.put(value.clone(), hidden);
            }
            Some(value.end)
        };
        if let Some(value) = quoted(bytes, pair.value) {
            let has_text =
                bytes[value.clone()].iter().any(|b| b.is_ascii_alphanumeric() || !b.is_ascii());
            if bytes[value.start - 1] != b'"' || bytes[..value.start - 1].ends_with(b"\\") {
                return if has_text { hide(value, &text, found, edits) } else { None };
            }
            let literal = &bytes[value.start - 1..bytes.len().min(value.end + 1)];
            let shown = decode(literal).into_owned();
            if has_text && let Some(hidden) = self.hide(&text, rule, &shown) {
                found.note(&text);
                let escaped = serde_json::Value::from(hidden).to_string();
                edits.put(value.clone(), escaped[1..escaped.len() - 1].to_owned());
            }
            return Some(value.end);
        }
        let rest = &bytes[pair.value..];
        if pair.quoted_name && rest.starts_with(b"[") {
            return Some(self.strings(bytes, pair.value + 1, &text, rule, found, edits));
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let ends = rest.get(digits).is_none_or(|byte| {
            byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']' | b')')
        });
        if digits > 0 && ends && !pair.is_equals {
            let next = rest.get(digits);
            let is_code = pair.quoted_name || matches!(next, Some(b',' | b'}' | b']' | b')'));
            if rule.integers && (is_code || mode == SearchMode::Unparsed) {
                let shown = String::from_utf8_lossy(&rest[..digits]);
                if !found.is_known()
                    && let Some(hidden) = self.integer(&shown)
                {
                    found.note_number(&text);
                    edits.put(pair.value..pair.value + digits, hidden);
                }
                return Some(pair.value + digits);
            }
            if is_code || mode == SearchMode::Value {
                return Some(pair.value + digits);
            }
        }
        if pair.quoted_name || mode == SearchMode::Value && !pair.is_tight {
            return None;
        }
        if mode == SearchMode::Unparsed
            && let Some(value) = block_scalar(bytes, pair.value)
        {
            return hide(value, &text, found, edits);
        }
        let value = bare(bytes, pair.value, &text, &pair)?;
        if is_code(bytes, &value) {
            return None;
        }
        if !pair.is_equals && is_prose_word(&bytes[value.clone()]) {
            return None;
        }
        // `Invalid token: expected a number` is prose.
        let is_prose = !pair.is_equals
            && name.start > 1
            && bytes[name.start - 1] == b' '
            && bytes[name.start - 2].is_ascii_alphanumeric()
            && bytes[value.clone()].iter().all(u8::is_ascii_lowercase);
        if is_prose || bytes[value.clone()].starts_with(b"//") {
            return None;
        }
        hide(value, &text, found, edits)
    }

    /// Replaces the strings that are direct members of the array whose first value is at `at`;
    /// returns the position after them.
    fn strings(
        &self,
        bytes: &[u8],
        mut at: usize,
        name: &str,
        rule: Rule,
        found: &mut Found,
        edits: &mut Edits,
    ) -> usize {
        loop {
            at += blanks(&bytes[at..]);
            match bytes.get(at) {
                Some(b',') => at += 1,
                Some(b'"') => {
                    let end = string_end(bytes, at);
                    let literal = &bytes[at..end];
                    if let Some(hidden) = self.hide(name, rule, &decode(literal)) {
                        found.note(name);
                        let mut text = serde_json::Value::from(hidden).to_string();
                        if !super::json::is_closed(literal) {
                            text.pop();
                        }
                        edits.put(at..end, text);
                    }
                    at = end;
                }
                _ => return at,
            }
        }
    }
}

impl SearchedLine {
    /// The JSON object or array that makes up the whole line around `at`, apart from `data:` in an
    /// event stream. Each line is examined once.
    fn json_at(&mut self, bytes: &[u8], at: usize) -> Option<Range<usize>> {
        if at < self.end {
            return None;
        }
        let start = self.end + memchr::memrchr(b'\n', &bytes[self.end..at]).map_or(0, |at| at + 1);
        self.end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
        let line = &bytes[start..self.end];
        let blanks_before = blanks(line);
        let field = line[blanks_before..].strip_prefix(b"data:").map_or(0, |_| 5);
        let begin = blanks_before + field + blanks(&line[blanks_before + field..]);
        let begins = matches!(line.get(begin), Some(b'{' | b'['));
        (begins && is_json(&line[begin..], false)).then_some(start + begin..self.end)
    }
}
