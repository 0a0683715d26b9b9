//! Secrets in text that is no JSON as a whole but has it inside: streams of events, JSON Lines, scripts,
//! broken JSON.

use super::json::Walk;
use super::{Found, Redactor};

/// Names of keys are short; looking further for their quotes would only find other strings.
const NEAR: usize = 128;

impl Redactor {
    /// Text with the values behind secret keys, `"key": value`, replaced; `None` where there are none.
    pub(super) fn text(&self, bytes: &[u8], found: &mut Found) -> Option<Vec<u8>> {
        let mut walk = Walk::new(self, bytes, found);
        let mut next = 0;
        while let Some(trace) = self.names.next_trace(bytes, next) {
            next = trace + 1;
            let Some((key, colon)) = key_around(bytes, trace) else { continue };
            if !self.names.is_secret(key) {
                continue;
            }
            let value = colon + 1 + blanks(&bytes[colon + 1..]);
            let begins = |byte: &u8| matches!(byte, b'"' | b'{' | b'[' | b'-' | b'0'..=b'9');
            if bytes.get(value).is_some_and(begins) {
                next = walk.value(value, Some(String::from_utf8_lossy(key).into_owned()));
                walk.forget();
            }
        }
        walk.finish()
    }
}

/// The quoted key that has the byte at `inside`, and the place of the colon behind it.
fn key_around(bytes: &[u8], inside: usize) -> Option<(&[u8], usize)> {
    let least = inside.saturating_sub(NEAR);
    let open = least + memchr::memrchr(b'"', &bytes[least..inside])?;
    let most = bytes.len().min(inside + NEAR);
    let close = inside + memchr::memchr(b'"', &bytes[inside..most])?;
    let colon = close + 1 + blanks(&bytes[close + 1..]);
    (bytes.get(colon) == Some(&b':')).then(|| (&bytes[open + 1..close], colon))
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}
