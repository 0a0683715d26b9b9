//! Redacts JSON: secret values are replaced in place, all other bytes are copied.

use std::borrow::Cow;
use std::mem::take;
use std::ops::Range;

use super::edits::Edits;
use super::names::{NameKind, Rule};
use super::traces::Candidates;
use super::words::Words;
use super::{Found, Redactor};

/// Keys whose value may be the name of a secret that a sibling key holds.
const NAME_KEYS: [&[u8]; 6] = [b"name", b"key", b"header", b"field", b"param", b"parameter"];
/// Schemes of credentials. The registry of IANA has more.
const SCHEMES: [&str; 8] =
    ["Bearer", "Basic", "Token", "DPoP", "Digest", "Negotiate", "ApiKey", "AWS4-HMAC-SHA256"];
/// Private members of JSON Web Keys (RFC 7518, 6).
const PRIVATE: [&[u8]; 7] = [b"k", b"d", b"p", b"q", b"dp", b"dq", b"qi"];
/// Keys of that sibling.
const VALUE_KEYS: [&[u8]; 3] = [b"value", b"val", b"content"];

impl Redactor {
    /// Complete or truncated JSON with the secret values replaced; `None` if there are none.
    pub(super) fn json(
        &self,
        bytes: &[u8],
        candidates: &Candidates,
        found: &mut Found,
        depth: usize,
    ) -> Option<Vec<u8>> {
        let edits = Edits::default();
        let stack = Vec::new();
        let mut walk = JsonWalk { redactor: self, bytes, candidates, found, edits, stack, depth };
        walk.run();
        walk.edits.apply(bytes)
    }
}

/// A walk over valid JSON that may end anywhere. It has an explicit stack, so that deep nesting
/// cannot overflow the thread's stack.
struct JsonWalk<'w> {
    redactor: &'w Redactor,
    bytes: &'w [u8],
    candidates: &'w Candidates,
    found: &'w mut Found,
    edits: Edits,
    stack: Vec<Level>,
    /// The number of texts around this one.
    depth: usize,
}

/// Why a value is secret: the rule, and the key that matched. An empty key stands for the user's
/// pointer.
#[derive(Clone)]
struct Secret {
    rule: Rule,
    key: Range<usize>,
}

#[derive(Default)]
struct Level {
    is_object: bool,
    /// The current key, with its quotes.
    key: Range<usize>,
    index: usize,
    /// Why the next value is secret.
    next: Option<Secret>,
    /// The same for each string of this array, or of this object of cookies.
    each: Option<Secret>,
    /// The value of a key such as `name`, if it may name a secret.
    name: Option<Range<usize>>,
    /// The string or number of a key such as `value`, and that key.
    value: Option<(Range<usize>, Range<usize>)>,
    /// The values in this object are cookies.
    cookies: bool,
    /// The array holds headers as `[name, value]`, or is such a pair.
    headers: bool,
    /// The array holds names and values alternately, as `rawHeaders` of Node.js.
    raw_headers: bool,
    /// The path of a patch (RFC 6902), whose last segment may name a secret.
    path: Option<Range<usize>>,
    is_patch: bool,
    /// The object is a JSON Web Key.
    is_key: bool,
    /// The keys and values of its private members, if it is one.
    private: Vec<(Range<usize>, Range<usize>)>,
}

impl JsonWalk<'_> {
    fn run(&mut self) {
        let mut place = 0;
        let mut is_key = false;
        let mut root = self.pointed_at();
        while let Some(byte) = self.bytes.get(place).copied() {
            let begin = place;
            match byte {
                b'{' | b'[' => {
                    let secret = self.take(&mut root);
                    self.open(byte == b'{', secret);
                    is_key = byte == b'{';
                    place += 1;
                }
                b'}' | b']' => {
                    self.close();
                    is_key = false;
                    place += 1;
                }
                b',' => {
                    is_key = self.next_item();
                    place += 1;
                }
                b':' => {
                    is_key = false;
                    place += 1;
                }
                b'"' => {
                    place = string_end(self.bytes, place);
                    if is_key {
                        self.key(begin..place);
                    } else {
                        let secret = self.take(&mut root);
                        self.string(begin..place, secret);
                    }
                }
                byte if byte.is_ascii_whitespace() => place += 1,
                _ => {
                    place = scalar_end(self.bytes, place);
                    let secret = self.take(&mut root);
                    if byte == b'-' || byte.is_ascii_digit() {
                        self.number(begin..place, secret);
                    }
                }
            }
        }
        while !self.stack.is_empty() {
            self.close();
        }
    }

    /// Takes the reason why the current value is secret.
    fn take(&mut self, root: &mut Option<Secret>) -> Option<Secret> {
        match self.stack.last_mut() {
            Some(level) => level.next.take(),
            None => root.take(),
        }
    }

    fn open(&mut self, is_object: bool, secret: Option<Secret>) {
        // Nested arrays, and objects in arrays, have no name that would make their values secret.
        let in_array = self.stack.last().is_some_and(|level| !level.is_object);
        let key = self.stack.last().filter(|level| level.is_object).map(|level| level.key.clone());
        let named_cookies =
            key.is_some_and(|key| self.bytes[key].eq_ignore_ascii_case(b"\"cookies\""));
        let cookies =
            named_cookies || is_object && in_array && self.stack.last().is_some_and(|l| l.cookies);
        let of_cookies = Secret { rule: Rule::PLAIN, key: 0..0 };
        let each = if is_object {
            // `{"cookies": {"a": "1"}}`
            (named_cookies && self.stack.last().is_some()).then(|| Secret {
                key: self.stack.last().map_or(0..0, |level| level.key.clone()),
                ..of_cookies
            })
        } else {
            secret.filter(|_| !in_array || self.user_asked())
        };
        let next = if is_object { None } else { each.clone() };
        let (headers, raw_headers) = match self.stack.last() {
            Some(level) if level.is_object && !is_object && level.key.len() > 1 => {
                let key = decode(&self.bytes[level.key.clone()]);
                let words = Words::of(key.as_bytes());
                (words.last(1) == Some(b"headers"), words.last(2) == Some(b"rawheaders"))
            }
            Some(level) => (!is_object && level.headers, false),
            None => (false, false),
        };
        self.stack.push(Level {
            is_object,
            each,
            next,
            cookies,
            headers,
            raw_headers,
            ..Level::default()
        });
        if !is_object {
            self.point();
        }
    }

    fn user_asked(&self) -> bool {
        !self.redactor.pointers.is_empty()
    }

    /// At the end of an object or array, the name for its `value` is known.
    fn close(&mut self) {
        if let Some((value, key)) = self.stack.last_mut().and_then(|level| level.value.take()) {
            let level = self.stack.last_mut();
            let (name, cookies) = level.map_or((None, false), |level| {
                let path = level.path.take().filter(|_| level.is_patch);
                (level.name.take().or(path), level.cookies)
            });
            self.pair(name, value, key, cookies);
        }
        let private = self.stack.last_mut().map(|level| (level.is_key, take(&mut level.private)));
        for (key, value) in private.as_ref().map_or(&[][..], |(_, members)| members) {
            let is_secret = private.as_ref().is_some_and(|(is_key, _)| *is_key);
            if let Some(level) = self.stack.last_mut() {
                level.key = key.clone();
            }
            let secret = is_secret.then(|| Secret { rule: Rule::PLAIN, key: key.clone() });
            self.plain_string(value.clone(), secret);
        }
        self.stack.pop();
    }

    /// `{"name": …, "value": …}`
    fn pair(
        &mut self,
        name: Option<Range<usize>>,
        value: Range<usize>,
        key: Range<usize>,
        cookies: bool,
    ) {
        let text = name.clone().map(|name| decode(&self.bytes[name]));
        let names = &self.redactor.names;
        let rule = text.as_deref().and_then(|name| {
            // A pointer of a patch.
            let name = name.rsplit_once('/').map_or(name, |(_, last)| last);
            let of_cookie = cookies && !names.is_kept(name.as_bytes());
            names.rule(name.as_bytes(), NameKind::Other).or(of_cookie.then_some(Rule::PLAIN))
        });
        if let Some(level) = self.stack.last_mut() {
            level.key = key;
        }
        let secret = rule.and_then(|rule| Some(Secret { rule, key: name? }));
        if self.bytes[value.start] == b'"' {
            self.plain_string(value, secret);
        } else {
            self.number(value, secret);
        }
    }

    /// Moves to the next member; true if it begins with a key.
    fn next_item(&mut self) -> bool {
        let Some(level) = self.stack.last_mut() else { return false };
        if level.is_object {
            level.next = None;
            return true;
        }
        level.index += 1;
        level.next = level.each.clone();
        self.point();
        false
    }

    fn key(&mut self, key: Range<usize>) {
        let mut next = None;
        if self.candidates.within(key.clone()) {
            let text = decode(&self.bytes[key.clone()]);
            let rule = self.redactor.names.rule(text.as_bytes(), NameKind::Other);
            next = rule.map(|rule| Secret { rule, key: key.clone() });
        }
        let is_kept = || self.redactor.names.is_kept(decode(&self.bytes[key.clone()]).as_bytes());
        if let Some(level) = self.stack.last_mut() {
            if next.is_none() && level.each.is_some() && !is_kept() {
                next = level.each.clone().map(|each| Secret { key: key.clone(), ..each });
            }
            level.next = next;
            level.key = key;
        }
        self.point();
    }

    /// Marks the next value as secret if a pointer of the user matches.
    fn point(&mut self) {
        if let Some(secret) = self.pointed_at()
            && let Some(level) = self.stack.last_mut()
        {
            level.next = Some(secret);
        }
    }

    fn pointed_at(&self) -> Option<Secret> {
        if self.redactor.pointers.is_empty() || self.depth > 0 {
            return None;
        }
        let path: Vec<String> = self.path().collect();
        let is = self.redactor.pointers.iter().any(|pointer| pointer.matches(&path));
        is.then_some(Secret { rule: Rule::USER, key: 0..0 })
    }

    /// The keys and indices of the current value.
    fn path(&self) -> impl Iterator<Item = String> {
        self.stack.iter().map(|level| match level.is_object {
            true if level.key.is_empty() => String::new(),
            true => decode(&self.bytes[level.key.clone()]).into_owned(),
            false => level.index.to_string(),
        })
    }

    fn string(&mut self, value: Range<usize>, secret: Option<Secret>) {
        if secret.is_none()
            && let Some(level) = self.stack.last_mut()
            && level.is_object
            && level.key.len() > 2
        {
            let key = &self.bytes[level.key.start + 1..level.key.end - 1];
            let is_in = |keys: &[&[u8]]| keys.iter().any(|known| key.eq_ignore_ascii_case(known));
            if is_in(&NAME_KEYS) && level.name.is_none() {
                // Only names of secrets and of cookies matter.
                if level.cookies || self.candidates.within(value.clone()) {
                    level.name = Some(value.clone());
                }
            } else if is_in(&VALUE_KEYS) && level.value.is_none() {
                level.value = Some((value, level.key.clone()));
                return;
            } else if key == b"path" && self.candidates.within(value.clone()) {
                level.path = Some(value.clone());
            } else if PRIVATE.contains(&key) {
                level.private.push((level.key.clone(), value));
                return;
            }
            level.is_patch |= key == b"op";
            level.is_key |= key == b"kty";
        }
        let secret = secret.or_else(|| self.secret_of_header(&value));
        self.plain_string(value, secret);
    }

    /// Why the second string of `["Authorization", "Bearer …"]` is secret. Such a list may also be a
    /// list of words, so its place or its value must be that of a header.
    fn secret_of_header(&mut self, value: &Range<usize>) -> Option<Secret> {
        let level = self.stack.last_mut().filter(|level| !level.is_object)?;
        let is_raw = level.raw_headers;
        match if is_raw { level.index % 2 } else { level.index } {
            0 => {
                let may_be_secret = self.candidates.within(value.clone());
                level.name = may_be_secret.then(|| value.clone());
            }
            1 => {
                let key = level.name.take()?;
                let (in_headers, name) = (level.headers, decode(&self.bytes[key.clone()]));
                let of_pair = self.stack.iter().rev().nth(1).is_some_and(|level| level.headers);
                let has_scheme = || {
                    let value = decode(&self.bytes[value.clone()]);
                    let scheme = value.split_once(' ').map_or("", |(scheme, _)| scheme);
                    name.to_ascii_lowercase().ends_with("authorization")
                        && SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known))
                };
                if !(is_raw || in_headers && of_pair || has_scheme()) {
                    return None;
                }
                let rule = self.redactor.names.rule(name.as_bytes(), NameKind::Other)?;
                return Some(Secret { rule, key });
            }
            _ => {}
        }
        None
    }

    fn plain_string(&mut self, value: Range<usize>, secret: Option<Secret>) {
        let literal = &self.bytes[value.clone()];
        let Some(secret) = secret else {
            if self.candidates.within(value.clone()) && !self.is_kept() {
                let text = decode(literal).into_owned();
                self.set_place();
                if let Some(hidden) = self.redactor.inside(&text, self.found, self.depth + 1) {
                    self.put_string(value, &hidden);
                }
            }
            return;
        };
        let text = decode(literal);
        let name = self.name_of(&secret);
        if let Some(hidden) = self.redactor.hide(&name, secret.rule, &text) {
            self.set_place();
            self.found.note(&name);
            self.put_string(value, &hidden);
        }
    }

    /// True if the user keeps the values of the current key.
    fn is_kept(&self) -> bool {
        self.stack.last().is_some_and(|level| {
            level.is_object
                && !level.key.is_empty()
                && self.redactor.names.is_kept(decode(&self.bytes[level.key.clone()]).as_bytes())
        })
    }

    fn number(&mut self, value: Range<usize>, secret: Option<Secret>) {
        let Some(secret) = secret else {
            if let Some(level) = self.stack.last_mut()
                && level.is_object
                && level.value.is_none()
                && level.key.len() > 2
                && VALUE_KEYS.iter().any(|known| {
                    self.bytes[level.key.start + 1..level.key.end - 1].eq_ignore_ascii_case(known)
                })
            {
                level.value = Some((value, level.key.clone()));
            }
            return;
        };
        if !secret.rule.integers {
            return;
        }
        let text = String::from_utf8_lossy(&self.bytes[value.clone()]).into_owned();
        self.set_place();
        // A replaced number is not recognisable.
        if self.found.is_known() {
            return;
        }
        if let Some(hidden) = self.redactor.integer(&text) {
            let name = self.name_of(&secret);
            self.found.note_number(&name);
            self.edits.put(value, hidden);
        }
    }

    fn name_of(&self, secret: &Secret) -> String {
        match secret.key.is_empty() {
            true => self.path().last().unwrap_or_default(),
            false => decode(&self.bytes[secret.key.clone()]).into_owned(),
        }
    }

    /// Sets the location for notes. A nested text has the location of the outer one.
    fn set_place(&mut self) {
        if self.depth > 0 {
            return;
        }
        let mut pointer = String::from("#");
        for part in self.path() {
            pointer.push('/');
            pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
        }
        self.found.at(&pointer);
    }

    fn put_string(&mut self, value: Range<usize>, text: &str) {
        let mut quoted = serde_json::Value::from(text).to_string();
        if !is_closed(&self.bytes[value.clone()]) {
            quoted.pop();
        }
        self.edits.put(value, quoted);
    }
}

/// The position after the string that begins at `start`, or the end of the text.
pub(super) fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut place = start + 1;
    while let Some(ahead) = bytes.get(place..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if bytes[place + ahead] == b'"' {
            return place + ahead + 1;
        }
        place += ahead + 2;
    }
    bytes.len()
}

fn scalar_end(bytes: &[u8], start: usize) -> usize {
    let is_end = |byte: &u8| {
        matches!(byte, b',' | b']' | b'}' | b':' | b'"' | b'{' | b'[') || byte.is_ascii_whitespace()
    };
    bytes[start + 1..].iter().position(is_end).map_or(bytes.len(), |length| start + 1 + length)
}

/// True if a string has its closing quote.
pub(super) fn is_closed(string: &[u8]) -> bool {
    string.len() > 1
        && string.ends_with(b"\"")
        && string[..string.len() - 1].iter().rev().take_while(|byte| **byte == b'\\').count() % 2
            == 0
}

/// The decoded string; if its escapes are invalid or truncated, its raw bytes.
pub(super) fn decode(string: &[u8]) -> Cow<'_, str> {
    let inner = &string[1..string.len() - usize::from(is_closed(string))];
    if memchr::memchr(b'\\', inner).is_some()
        && let Ok(text) = serde_json::from_slice::<String>(string)
    {
        return Cow::Owned(text);
    }
    String::from_utf8_lossy(inner)
}
