//! Secrets in JSON: their bytes are replaced in place, all others are copied.

use std::borrow::Cow;

use super::{Found, Redactor, note};

impl Redactor {
    /// JSON, whole or cut short, with the secret values replaced; `None` where there are none.
    pub(super) fn json(&self, bytes: &[u8], found: &mut Found) -> Option<Vec<u8>> {
        let mut walk = Walk::new(self, bytes, found);
        walk.value(0, None);
        walk.finish()
    }
}

/// A walk over JSON text that is known to be right, but may end anywhere. It keeps a stack of its own, so
/// that no depth of nesting can exhaust the thread's.
pub(super) struct Walk<'w> {
    redactor: &'w Redactor,
    bytes: &'w [u8],
    found: &'w mut Found,
    out: Vec<u8>,
    /// Up to here the input has been copied or replaced.
    copied: usize,
    stack: Vec<Level>,
    /// Keys and indices down to the current value; kept only where there are pointers to compare.
    path: Vec<String>,
}

struct Level {
    is_object: bool,
    /// The name that makes everything below secret.
    secret: Option<String>,
    /// The same for the value that follows.
    next: Option<String>,
    index: usize,
}

impl<'w> Walk<'w> {
    pub(super) fn new(redactor: &'w Redactor, bytes: &'w [u8], found: &'w mut Found) -> Self {
        let (out, stack, path) = (Vec::new(), Vec::new(), Vec::new());
        Walk { redactor, bytes, found, out, copied: 0, stack, path }
    }

    /// The text with its replacements; `None` where there was none.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        if self.copied == 0 {
            return None;
        }
        self.out.extend_from_slice(&self.bytes[self.copied..]);
        Some(self.out)
    }

    /// Goes over the value at `start`, which is secret where it has a name here; gives the place behind it.
    pub(super) fn value(&mut self, start: usize, secret: Option<String>) -> usize {
        let mut place = start;
        let mut is_key = false;
        let mut root = secret.or_else(|| self.pointed_at());
        while let Some(byte) = self.bytes.get(place).copied() {
            let begin = place;
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => {
                    place += 1;
                    continue;
                }
                b'{' | b'[' => {
                    let secret = self.take_secret(&mut root);
                    self.open(byte == b'{', secret);
                    is_key = byte == b'{';
                    place += 1;
                    continue;
                }
                b'}' | b']' => {
                    self.stack.pop();
                    self.path.truncate(self.stack.len().saturating_sub(1));
                    is_key = false;
                    place += 1;
                }
                b',' => {
                    is_key = self.next_item();
                    place += 1;
                    continue;
                }
                b':' => {
                    is_key = false;
                    place += 1;
                    continue;
                }
                b'"' => {
                    place = string_end(self.bytes, place);
                    if is_key {
                        self.key(begin, place);
                        continue;
                    }
                    let secret = self.take_secret(&mut root);
                    if let Some(name) = secret {
                        self.hide_string(begin, place, &name);
                    }
                }
                _ => {
                    place = scalar_end(self.bytes, place);
                    let secret = self.take_secret(&mut root);
                    // What is true, false or null tells no secret, and a changed type would tell nothing either.
                    if let Some(name) = secret.filter(|_| byte == b'-' || byte.is_ascii_digit()) {
                        let text = String::from_utf8_lossy(&self.bytes[begin..place]).into_owned();
                        let hidden = self.redactor.pseudonym(&text);
                        self.put(begin, place, &format!("\"{hidden}\""), &name);
                    }
                }
            }
            if self.stack.is_empty() {
                return place;
            }
        }
        place
    }

    /// The name that makes the value at hand secret.
    fn take_secret(&mut self, root: &mut Option<String>) -> Option<String> {
        match self.stack.last_mut() {
            Some(level) => level.next.take(),
            None => root.take(),
        }
    }

    /// Makes ready for another value, wherever the last one broke off.
    pub(super) fn forget(&mut self) {
        self.stack.clear();
        self.path.clear();
    }

    fn open(&mut self, is_object: bool, secret: Option<String>) {
        let next = if is_object { None } else { secret.clone() };
        self.stack.push(Level { is_object, secret, next, index: 0 });
        if !is_object {
            self.step(|| "0".to_owned());
            self.point();
        }
    }

    /// To the next member; true where that begins with a key.
    fn next_item(&mut self) -> bool {
        let Some(level) = self.stack.last_mut() else { return false };
        if level.is_object {
            return true;
        }
        level.index += 1;
        level.next = level.secret.clone();
        let index = level.index;
        self.step(|| index.to_string());
        self.point();
        false
    }

    fn key(&mut self, begin: usize, end: usize) {
        let key = decode(&self.bytes[begin..end]);
        let names = &self.redactor.names;
        if let Some(level) = self.stack.last_mut() {
            level.next = if names.is_kept(key.as_bytes()) {
                None
            } else if names.is_secret(key.as_bytes()) {
                Some(key.clone().into_owned())
            } else {
                level.secret.clone()
            };
        }
        self.step(|| key.into_owned());
        self.point();
    }

    fn step(&mut self, part: impl FnOnce() -> String) {
        if !self.redactor.pointers.is_empty() {
            self.path.truncate(self.stack.len().saturating_sub(1));
            self.path.push(part());
        }
    }

    fn point(&mut self) {
        if let Some(pointer) = self.pointed_at()
            && let Some(level) = self.stack.last_mut()
        {
            level.next = Some(pointer);
        }
    }

    fn pointed_at(&self) -> Option<String> {
        let pointers = &self.redactor.pointers;
        pointers
            .iter()
            .find(|pointer| pointer.matches(&self.path))
            .map(|pointer| pointer.text.clone())
    }

    fn hide_string(&mut self, begin: usize, end: usize, name: &str) {
        let value = decode(&self.bytes[begin..end]);
        let hidden = self.redactor.hide(name, &value);
        if hidden == value {
            return;
        }
        let mut quoted = serde_json::Value::String(hidden).to_string();
        if !is_closed(&self.bytes[begin..end]) {
            quoted.pop();
        }
        self.put(begin, end, &quoted, name);
    }

    fn put(&mut self, begin: usize, end: usize, text: &str, name: &str) {
        self.out.extend_from_slice(&self.bytes[self.copied..begin]);
        self.out.extend_from_slice(text.as_bytes());
        self.copied = end;
        note(name, self.found);
    }
}

/// The place behind the string that begins at `start`, or the end of the text.
fn string_end(bytes: &[u8], start: usize) -> usize {
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

/// True where a string's text has its closing quote.
fn is_closed(string: &[u8]) -> bool {
    string.len() > 1
        && string.ends_with(b"\"")
        && string[..string.len() - 1].iter().rev().take_while(|byte| **byte == b'\\').count() % 2
            == 0
}

/// What a string says; its bytes as they are where its escapes are wrong or cut off.
fn decode(string: &[u8]) -> Cow<'_, str> {
    let inner = &string[1..string.len() - usize::from(is_closed(string))];
    if memchr::memchr(b'\\', inner).is_some()
        && let Ok(text) = serde_json::from_slice::<String>(string)
    {
        return Cow::Owned(text);
    }
    String::from_utf8_lossy(inner)
}
