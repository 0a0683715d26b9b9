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
use super::traces::{Candidates, is_in_query, is_of_name, name_around};
use super::{Found, Redactor};

/// Words that precede a credential.
const SCHEMES: [&[u8]; 4] = [b"bearer", b"basic", b"token", b"dpop"];

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

/// The position of a name's value.
struct Pair {
    /// The name is quoted, as in JSON.
    quoted_name: bool,
    is_equals: bool,
    /// `name=value` without whitespace.
    is_tight: bool,
    value: usize,
}

impl Pair {
    /// The separator after a name (`=`, `:`, `:=` or `=>`) and its value.
    fn behind(bytes: &[u8], name: &Range<usize>) -> Option<Pair> {
        let mut at = name.end;
        let escapes = bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
        let quoted_name = matches!(bytes.get(at + escapes), Some(b'"' | b'\''));
        if quoted_name {
            at += escapes + 1;
        }
        let skip = |at: usize| {
            let all = bytes[at..].iter();
            at + all
                .take_while(|b| matches!(b, b' ' | b'\t') || quoted_name && b.is_ascii_whitespace())
                .count()
        };
        let sign = skip(at);
        let (is_equals, length) = match &bytes[sign..] {
            [b'=', b'=', ..] | [b':', b':', ..] => return None,
            [b'=', b'>', ..] | [b':', b'=', ..] => (true, 2),
            [b'=', ..] => (true, 1),
            [b':', ..] => (false, 1),
            _ => return None,
        };
        let value = skip(sign + length);
        let is_tight = is_equals && sign == at && value == sign + length && !quoted_name;
        Some(Pair { quoted_name, is_equals, is_tight, value })
    }
}

/// The quoted text that begins at `at`, up to its closing quote or the end of the bytes. The quotes
/// may be escaped, as in a nested text, or tripled.
fn quoted(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let escapes = bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
    let quote = *bytes.get(at + escapes).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let start = at + escapes + 1;
    if escapes > 0 {
        let mark = &bytes[at..start];
        let end =
            memchr::memmem::find(&bytes[start..], mark).map_or(bytes.len(), |end| start + end);
        return Some(start..end);
    }
    if bytes[at..].starts_with(b"\"\"\"") {
        let start = at + 3;
        let end = memchr::memmem::find(&bytes[start..], b"\"\"\"");
        return Some(start..end.map_or(bytes.len(), |end| start + end));
    }
    let mut end = start;
    while let Some(ahead) = bytes.get(end..).and_then(|rest| memchr::memchr2(quote, b'\\', rest)) {
        if bytes[end + ahead] == quote {
            return Some(start..end + ahead);
        }
        end += ahead + 2;
    }
    Some(start..bytes.len())
}

/// The value of a pair within a URL that is percent-encoded as a whole: `%3Ftoken%3DVALUE%26…`.
fn encoded_value(bytes: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    let is = |at: usize, code: &[u8]| {
        bytes.get(at..at + code.len()).is_some_and(|part| part.eq_ignore_ascii_case(code))
    };
    if !is(name.end, b"%3D") {
        return None;
    }
    let start = name.end + 3;
    let ends = |at: &usize| {
        let is_in = bytes[*at].is_ascii_alphanumeric()
            || matches!(bytes[*at], b'-' | b'_' | b'.' | b'~' | b'*' | b'+' | b'%');
        !is_in || is(*at, b"%26") || is(*at, b"%23") || is(*at, b"%22")
    };
    let end = (start..bytes.len()).find(ends).unwrap_or(bytes.len());
    (end > start).then_some(start..end)
}

/// The text of a block scalar (YAML 1.2, 8.1): the indented lines after the `|` or `>` at `at`.
fn block_scalar(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if !matches!(bytes.get(at), Some(b'|' | b'>')) {
        return None;
    }
    let header = bytes[at + 1..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b' ' | b'\r'))
        .count();
    let mut end = at + 1 + header;
    if bytes.get(end) != Some(&b'\n') {
        return None;
    }
    let first = end + 1;
    while bytes.get(end) == Some(&b'\n') && matches!(bytes.get(end + 1), Some(b' ' | b'\t')) {
        end = memchr::memchr(b'\n', &bytes[end + 1..]).map_or(bytes.len(), |next| end + 1 + next);
    }
    let text = bytes.get(first..end)?;
    let start = first + text.len() - text.trim_ascii_start().len();
    let length = text.trim_ascii().len();
    (length > 0).then_some(start..start + length)
}

/// True for a value that is code: a call, or a keyword of a programming language.
fn is_code(bytes: &[u8], value: &Range<usize>) -> bool {
    const WORDS: [&[u8]; 8] =
        [b"new", b"await", b"async", b"function", b"undefined", b"null", b"None", b"nil"];
    bytes.get(value.end) == Some(&b'(') || WORDS.contains(&&bytes[value.clone()])
}

/// Words that follow a name in a sentence or in a table of fields, as in `Password: must be long`.
const PROSE: [&[u8]; 40] = [
    b"a",
    b"an",
    b"are",
    b"at",
    b"be",
    b"can",
    b"cannot",
    b"does",
    b"empty",
    b"expected",
    b"expired",
    b"for",
    b"has",
    b"have",
    b"in",
    b"incorrect",
    b"invalid",
    b"is",
    b"may",
    b"missing",
    b"must",
    b"no",
    b"none",
    b"not",
    b"optional",
    b"please",
    b"required",
    b"should",
    b"string",
    b"text",
    b"the",
    b"this",
    b"to",
    b"too",
    b"unknown",
    b"was",
    b"when",
    b"will",
    b"wrong",
    b"yes",
];

fn is_prose_word(value: &[u8]) -> bool {
    // The value of a header is the rest of the line.
    let value = value.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let end = value.iter().rposition(u8::is_ascii_alphabetic).map_or(0, |at| at + 1);
    let word = &value[..end];
    PROSE.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// An unquoted value; in headers, the rest of the line.
fn bare(bytes: &[u8], at: usize, name: &str, pair: &Pair) -> Option<Range<usize>> {
    let rest = &bytes[at..];
    let is_header = !pair.is_equals
        && ["authorization", "cookie"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    // A credential of these schemes is one word, and a log may continue after it.
    let is_word = SCHEMES.iter().any(|scheme| rest[..letters].eq_ignore_ascii_case(scheme))
        && rest.get(letters) == Some(&b' ')
        && rest.get(letters + 1).is_some_and(u8::is_ascii_alphanumeric);
    if is_header && !is_word {
        let line =
            rest.iter().take_while(|b| !matches!(b, b'\r' | b'\n' | b'"' | b'\'' | b'\\')).count();
        return (line > 0).then_some(at..at + line);
    }
    let is_in = |byte: &u8| {
        byte.is_ascii_graphic()
            && !matches!(
                byte,
                b',' | b';'
                    | b'&'
                    | b'"'
                    | b'\''
                    | b'<'
                    | b'>'
                    | b'('
                    | b')'
                    | b'{'
                    | b'}'
                    | b'['
                    | b']'
                    | b'|'
                    | b'`'
                    | b'\\'
            )
            || !byte.is_ascii()
    };
    let length = rest.iter().take_while(|byte| is_in(byte)).count();
    let word = &rest[..length];
    if SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
        && rest.get(length) == Some(&b' ')
    {
        let token = rest[length + 1..].iter().take_while(|byte| is_in(byte)).count();
        return (token > 0).then_some(at..at + length + 1 + token);
    }
    (length > 0).then_some(at..at + length)
}

/// The query that contains the name, from `least` on.
fn query_around(bytes: &[u8], name: &Range<usize>, least: usize) -> Option<Range<usize>> {
    if bytes.get(name.end) != Some(&b'=') {
        return None;
    }
    let is_in = |byte: &u8| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`')
    };
    let behind = bytes[name.end..].iter().take_while(|byte| is_in(byte)).count();
    let mut end = name.end + behind;
    let first = name.start == 0 || !is_in(&bytes[name.start - 1]);
    let several = memchr::memchr(b'&', &bytes[name.end..end]).is_some();
    if !(is_in_query(bytes, name) || first && several) {
        return None;
    }
    let least = least.min(name.start);
    let before = bytes[least..name.start].iter().rev();
    let start =
        name.start - before.take_while(|byte| is_in(byte) && !matches!(byte, b'?' | b'#')).count();
    // Punctuation around a URL.
    while end > name.end + 1 && matches!(bytes[end - 1], b')' | b']' | b'}' | b',' | b'.' | b';') {
        end -= 1;
    }
    // Another URL's fragment, or the next one.
    if let Some(mark) = bytes[start..end].iter().position(|byte| *byte == b'#') {
        end = end.min(start + mark).max(name.end + 1);
    }
    Some(start..end)
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}
