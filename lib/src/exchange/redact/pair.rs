//! Finds the value of a name in text without a known syntax.

use std::ops::Range;

use super::traces::is_in_query;

/// Words that precede a credential.
pub(super) const SCHEMES: [&[u8]; 4] = [b"bearer", b"basic", b"token", b"dpop"];

/// The position of a name's value.
pub(super) struct Pair {
    /// The name is quoted, as in JSON.
    pub(super) quoted_name: bool,
    pub(super) is_equals: bool,
    /// `name=value` without whitespace.
    pub(super) is_tight: bool,
    pub(super) value: usize,
}

impl Pair {
    /// The separator after a name (`=`, `:`, `:=` or `=>`) and its value.
    pub(super) fn behind(bytes: &[u8], name: &Range<usize>) -> Option<Pair> {
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
pub(super) fn quoted(bytes: &[u8], at: usize) -> Option<Range<usize>> {
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
pub(super) fn encoded_value(bytes: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
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
pub(super) fn block_scalar(bytes: &[u8], at: usize) -> Option<Range<usize>> {
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
pub(super) fn is_code(bytes: &[u8], value: &Range<usize>) -> bool {
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

pub(super) fn is_prose_word(value: &[u8]) -> bool {
    // The value of a header is the rest of the line.
    let value = value.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let end = value.iter().rposition(u8::is_ascii_alphabetic).map_or(0, |at| at + 1);
    let word = &value[..end];
    PROSE.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// An unquoted value; in headers, the rest of the line.
pub(super) fn bare(bytes: &[u8], at: usize, name: &str, pair: &Pair) -> Option<Range<usize>> {
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
pub(super) fn query_around(
    bytes: &[u8],
    name: &Range<usize>,
    least: usize,
) -> Option<Range<usize>> {
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

pub(super) fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}
