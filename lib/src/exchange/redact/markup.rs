//! Redacts XML and HTML: elements and attributes with secret names, and pairs of `name` and
//! `value`.
//!
//! No tree is built, and the input need not be well-formed: HTML seldom is, and a body may be
//! truncated.

use std::borrow::Cow;
use std::ops::Range;

use super::edits::Edits;
use super::mode::SearchMode;
use super::names::{NameKind, Rule};
use super::traces::Candidates;
use super::{Found, Redactor};

/// Attributes whose value names the content of the element.
const NAME_ATTRIBUTES: [&[u8]; 4] = [b"name", b"key", b"property", b"id"];
/// Attributes that hold the value for that name.
const VALUE_ATTRIBUTES: [&[u8]; 2] = [b"value", b"content"];
/// Elements whose text names the content of the next element.
const NAME_ELEMENTS: [&[u8]; 2] = [b"name", b"key"];

/// A tag's attribute.
struct Attribute {
    name: Range<usize>,
    /// The value without its quotes.
    value: Range<usize>,
}

/// Why a text is secret.
type Secret = (Rule, String);

impl Redactor {
    /// XML or HTML with its secrets replaced; `None` if there are none.
    pub(super) fn markup(
        &self,
        bytes: &[u8],
        candidates: &Candidates,
        found: &mut Found,
        depth: usize,
    ) -> Option<Vec<u8>> {
        let mut edits = Edits::default();
        let mut at = 0;
        // Why the text after the last tag is secret.
        let mut secret: Option<Secret> = None;
        // The same for the text of the next element, after `<name>password</name>`.
        let mut named: Option<Secret> = None;
        let mut in_name = false;
        let mut raw = false;
        loop {
            let open = memchr::memchr(b'<', &bytes[at..]).map_or(bytes.len(), |open| at + open);
            let text = at..open;
            if !bytes[text.clone()].trim_ascii().is_empty() {
                if in_name {
                    named = self.secret(bytes[text.clone()].trim_ascii());
                } else if let Some(secret) = secret.take().or_else(|| named.take()) {
                    self.put_secret(bytes, text, &secret, found, &mut edits);
                } else if candidates.within(text.clone()) {
                    self.put_text(bytes, text, raw, found, &mut edits, depth);
                }
            }
            if open == bytes.len() {
                break;
            }
            let rest = &bytes[open..];
            if let Some(inner) = rest.strip_prefix(b"<![CDATA[") {
                let length = memchr::memmem::find(inner, b"]]>").unwrap_or(inner.len());
                let text = open + 9..open + 9 + length;
                if let Some(secret) = secret.take().or_else(|| named.take()) {
                    self.put_secret(bytes, text.clone(), &secret, found, &mut edits);
                } else if candidates.within(text.clone()) {
                    self.put_text(bytes, text.clone(), true, found, &mut edits, depth);
                }
                at = bytes.len().min(text.end + 3);
                continue;
            }
            if rest.starts_with(b"<!--") {
                let end =
                    memchr::memmem::find(rest, b"-->").map_or(bytes.len(), |end| open + end + 3);
                if candidates.within(open..end) {
                    let text = rest[..end - open].get(4..).unwrap_or_default();
                    let text = text.strip_suffix(b"-->").unwrap_or(text);
                    let inner = self.candidates(text);
                    let hidden = self.text(text, &inner, SearchMode::Unparsed, found, depth.max(1));
                    if let Some(hidden) = hidden {
                        edits.put(open + 4..open + 4 + text.len(), hidden);
                    }
                }
                at = end;
                continue;
            }
            let tag = Tag::at(bytes, open);
            at = tag.end;
            let local = tag.local(bytes);
            if tag.is_end {
                secret = None;
                in_name = false;
                raw = false;
                continue;
            }
            let by_attribute = self.attributes(bytes, &tag, candidates, found, &mut edits, depth);
            let own = || self.secret(local);
            secret = if tag.is_empty { None } else { by_attribute.or_else(own) };
            in_name = NAME_ELEMENTS.iter().any(|name| local.eq_ignore_ascii_case(name));
            raw = [&b"script"[..], b"style"].iter().any(|name| local.eq_ignore_ascii_case(name));
            if raw {
                // A script has no tags before its end tag.
                let close = [&b"</"[..], local].concat();
                let mut from = at;
                let end = loop {
                    let Some(next) = memchr::memmem::find(&bytes[from..], b"</") else {
                        break bytes.len();
                    };
                    from += next;
                    if bytes[from..]
                        .get(..close.len())
                        .is_some_and(|tag| tag.eq_ignore_ascii_case(&close))
                    {
                        break from;
                    }
                    from += 2;
                };
                if candidates.within(at..end) {
                    self.put_text(bytes, at..end, true, found, &mut edits, depth);
                }
                at = end;
            }
        }
        edits.apply(bytes)
    }

    fn secret(&self, name: &[u8]) -> Option<Secret> {
        let rule = self.names.rule(name, NameKind::Other)?;
        Some((rule, String::from_utf8_lossy(name).into_owned()))
    }

    /// Replaces the secrets in the attributes of a tag; returns why the text of the element is
    /// secret.
    fn attributes(
        &self,
        bytes: &[u8],
        tag: &Tag,
        candidates: &Candidates,
        found: &mut Found,
        edits: &mut Edits,
        depth: usize,
    ) -> Option<Secret> {
        if tag.attributes.is_empty() {
            return None;
        }
        let is = |name: &Range<usize>, known: &[&[u8]]| {
            known.iter().any(|known| bytes[name.clone()].eq_ignore_ascii_case(known))
        };
        let mut by_name = tag
            .attributes
            .iter()
            .filter(|attribute| is(&attribute.name, &NAME_ATTRIBUTES))
            .find_map(|attribute| self.secret(&bytes[attribute.value.clone()]));
        let is_password = |attribute: &Attribute| {
            is(&attribute.name, &[b"type"])
                && bytes[attribute.value.clone()].eq_ignore_ascii_case(b"password")
        };
        if by_name.is_none() && tag.attributes.iter().any(is_password) {
            by_name = Some((Rule::PLAIN, "password".to_owned()));
        }
        for attribute in &tag.attributes {
            let name = &bytes[attribute.name.clone()];
            let local = name.rsplit(|byte| *byte == b':').next().unwrap_or(name);
            let own = || {
                // `type="password"` and namespaces describe the element.
                let described = name.starts_with(b"xmlns") || local.eq_ignore_ascii_case(b"type");
                if described { None } else { self.secret(local) }
            };
            let paired =
                by_name.as_ref().filter(|_| is(&attribute.name, &VALUE_ATTRIBUTES)).cloned();
            if let Some(secret) = paired.or_else(own) {
                self.put_secret(bytes, attribute.value.clone(), &secret, found, edits);
            } else if candidates.within(attribute.value.clone())
                && !is(&attribute.name, &NAME_ATTRIBUTES)
            {
                let value = unescape(&bytes[attribute.value.clone()]);
                if let Some(hidden) = self.inside(&value, found, depth + 1) {
                    edits.put(attribute.value.clone(), escape(&hidden, true));
                }
            }
        }
        // The type of an input does not apply to the text after it.
        by_name.filter(|_| !tag.local(bytes).eq_ignore_ascii_case(b"input"))
    }

    fn put_secret(
        &self,
        bytes: &[u8],
        range: Range<usize>,
        (rule, name): &Secret,
        found: &mut Found,
        edits: &mut Edits,
    ) {
        // Whitespace around a value is layout.
        let text = &bytes[range.clone()];
        let start = range.start + text.len() - text.trim_ascii_start().len();
        let range = start..start + text.trim_ascii().len();
        let value = unescape(&bytes[range.clone()]);
        if let Some(hidden) = self.hide(name, *rule, &value) {
            found.note(name);
            edits.put(range, escape(&hidden, true));
        }
    }

    fn put_text(
        &self,
        bytes: &[u8],
        range: Range<usize>,
        raw: bool,
        found: &mut Found,
        edits: &mut Edits,
        depth: usize,
    ) {
        let text = &bytes[range.clone()];
        if raw {
            let candidates = self.candidates(text);
            let hidden = if super::document::is_json(text, false) {
                self.json(text, &candidates, found, depth.max(1))
            } else {
                self.text(text, &candidates, SearchMode::Value, found, depth.max(1))
            };
            if let Some(hidden) = hidden {
                edits.put(range, hidden);
            }
        } else if let Some(hidden) = self.inside(&unescape(text), found, depth + 1) {
            edits.put(range, escape(&hidden, false));
        }
    }
}

struct Tag {
    name: Range<usize>,
    attributes: Vec<Attribute>,
    /// `</name>`
    is_end: bool,
    /// `<name/>`
    is_empty: bool,
    /// The position after `>`.
    end: usize,
}

impl Tag {
    /// The tag whose `<` is at `open`.
    fn at(bytes: &[u8], open: usize) -> Tag {
        let mut at = open + 1;
        let is_end = bytes.get(at) == Some(&b'/');
        if is_end {
            at += 1;
        }
        let is_of_name =
            |byte: u8| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'/' | b'=' | b'<');
        let run = |at: usize, takes: &dyn Fn(u8) -> bool| {
            at + bytes[at..].iter().take_while(|byte| takes(**byte)).count()
        };
        let name = at..run(at, &is_of_name);
        let mut tag = Tag {
            name: name.clone(),
            attributes: Vec::new(),
            is_end,
            is_empty: false,
            end: bytes.len(),
        };
        at = name.end;
        loop {
            at = run(at, &|byte| byte.is_ascii_whitespace() || byte == b'/');
            match bytes.get(at) {
                None => return tag,
                Some(b'<') => {
                    tag.end = at;
                    return tag;
                }
                Some(b'>') => {
                    tag.is_empty = bytes[at - 1] == b'/';
                    tag.end = at + 1;
                    return tag;
                }
                Some(_) => {}
            }
            let name = at..run(at, &is_of_name).max(at + 1);
            at = run(name.end, &|byte| byte.is_ascii_whitespace());
            if bytes.get(at) != Some(&b'=') || name.len() == 1 && bytes[name.start] == b'=' {
                continue;
            }
            at = run(at + 1, &|byte| byte.is_ascii_whitespace());
            let value = match bytes.get(at) {
                Some(quote @ (b'"' | b'\'')) => {
                    let end = memchr::memchr(*quote, &bytes[at + 1..]);
                    at + 1..end.map_or(bytes.len(), |end| at + 1 + end)
                }
                _ => at..run(at, &|byte| !byte.is_ascii_whitespace() && byte != b'>'),
            };
            at = bytes
                .len()
                .min(value.end + usize::from(matches!(bytes.get(value.end), Some(b'"' | b'\''))));
            tag.attributes.push(Attribute { name, value });
        }
    }

    /// The name without its namespace.
    fn local<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let name = &bytes[self.name.clone()];
        name.rsplit(|byte| *byte == b':').next().unwrap_or(name)
    }
}

/// XML text with its predefined entities and character references resolved.
fn unescape(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains('&') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.as_bytes().iter().take(12).position(|byte| *byte == b';');
        let entity = end.and_then(|end| Some((end, character(rest.get(1..end)?)?)));
        match entity {
            Some((end, character)) => {
                out.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    Cow::Owned(out + rest)
}

fn character(entity: &str) -> Option<char> {
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}

/// Escapes markup in a text as entities; in an attribute, quotes too.
fn escape(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\'' if attribute => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
