//! Recognises secrets by their shape: tokens, keys, and passwords in URLs.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD_NO_PAD};
use base64::engine::{DecodePaddingMode, general_purpose::URL_SAFE_NO_PAD};

use super::pseudonym::is_pseudonym;
use super::table::{Alphabet, KEYS};

/// Minimum length of a token after `Bearer`.
const BEARER: usize = 16;
/// Maximum distance from an `@` in which the user-info of a URL is searched.
const USER_INFO: usize = 512;

/// Maximum length of a command in which a flag is searched.
const COMMAND: usize = 512;

/// A secret in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SecretShape {
    /// The bytes to replace.
    pub(super) secret: Range<usize>,
    /// The kind, for messages.
    pub(super) kind: &'static str,
}

/// The secret whose shape begins at `at`.
pub(super) fn shape_at(text: &[u8], at: usize) -> Option<SecretShape> {
    let rest = &text[at..];
    let shape = |secret: Range<usize>, kind| Some(SecretShape { secret, kind });
    match rest.first()? {
        b'@' => {
            let secret = url_password(text, at)?;
            return shape(secret, "password in a URL");
        }
        b'-' => {
            if let Some(length) = private_key(rest) {
                return shape(at..at + length, "private key");
            }
            return shape(curl_password(text, at)?, "password of curl");
        }
        _ => {}
    }
    let before = at.checked_sub(1).map(|before| text[before]);
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        // A two-letter escape before it (`\n`) is not part of a word.
        let escaped =
            at >= 2 && text[at - 2] == b'\\' && matches!(text[at - 1], b'n' | b'r' | b't');
        if !escaped {
            return None;
        }
    }
    if let Some(length) = jwt(rest) {
        return shape(at..at + length, "jwt");
    }
    if let Some(secret) = credential(rest) {
        return shape(at + secret.start..at + secret.end, "authorization");
    }
    let (length, kind) = key_of_provider(rest)?;
    shape(at..at + length, kind)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn run(bytes: &[u8], takes: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| takes(**byte)).count()
}

/// The length of a JSON Web Token in compact form: three parts in RFC 7515, five in RFC 7516, and
/// the first is an object.
fn jwt(text: &[u8]) -> Option<usize> {
    if !text.starts_with(b"eyJ") && !text.starts_with(b"eyA") {
        return None;
    }
    let header = run(text, is_base64url);
    // `{"alg":"none"}` is the shortest header in use.
    if header < 12 || text.get(header) != Some(&b'.') {
        return None;
    }
    let start = URL_SAFE_NO_PAD.decode(&text[..header / 4 * 4]).ok()?;
    if start.first() != Some(&b'{') || !start.contains(&b'"') {
        return None;
    }
    // The ends of the parts. The key of a JWE and the signature of an unsecured JWS are empty.
    let mut ends = [header; 5];
    let mut parts = 1;
    while parts < 5 && text.get(ends[parts - 1]) == Some(&b'.') {
        let start = ends[parts - 1] + 1;
        ends[parts] = start + run(&text[start..], is_base64url);
        parts += 1;
    }
    match parts {
        5 => Some(ends[4]),
        3 | 4 => (ends[1] > ends[0] + 2).then_some(ends[2]),
        _ => None,
    }
}

/// The secret after `Bearer` or `Basic`.
fn credential(text: &[u8]) -> Option<Range<usize>> {
    let is = |scheme: &[u8]| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let (length, bearer) = match (is(b"bearer"), is(b"basic")) {
        (true, _) => (6, true),
        (_, true) => (5, false),
        _ => return None,
    };
    let blanks = match &text[length..] {
        [b'%', b'2', b'0', ..] => 3,
        [b'+', ..] => 1,
        rest => run(rest, |byte| matches!(byte, b' ' | b'\t')),
    };
    let start = length + blanks;
    // The characters of token68 in RFC 9110.
    let is_token = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    let token = &text[start..start + run(&text[start..], is_token)];
    let token = token.trim_ascii_end();
    if blanks == 0 || std::str::from_utf8(token).is_ok_and(is_pseudonym) {
        return None;
    }
    let secret = if bearer {
        let token = token.strip_suffix(b".").unwrap_or(token);
        token.len() >= BEARER && token.iter().any(u8::is_ascii_digit)
    } else {
        token.len() >= 4 && is_user_and_password(token)
    };
    secret.then(|| start..start + token.len())
}

/// True for base64 of a text with a colon (RFC 7617).
fn is_user_and_password(code: &[u8]) -> bool {
    let padding = code.iter().rev().take_while(|byte| **byte == b'=').count();
    let code = &code[..code.len() - padding];
    STANDARD_NO_PAD
        .decode(code)
        .or_else(|_| LENIENT.decode(code))
        .is_ok_and(|pair| pair.contains(&b':') && std::str::from_utf8(&pair).is_ok())
}

/// Base64 whose trailing bits may be non-zero.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The length of a private key in PEM (RFC 7468), or of its beginning if the rest is missing.
fn private_key(text: &[u8]) -> Option<usize> {
    let label = text.strip_prefix(b"-----BEGIN ")?;
    let label_length =
        run(label, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    let label = &label[..label_length];
    if !label.ends_with(b"PRIVATE KEY") && label != b"PGP PRIVATE KEY BLOCK" {
        return None;
    }
    let head = b"-----BEGIN ".len() + label.len();
    if !text[head..].starts_with(b"-----") {
        return None;
    }
    // The end line must be near. Without one, the key is truncated, or its escapes differ.
    let end = memchr::memmem::find(&text[head + 5..], b"-----END ").map(|at| head + 5 + at);
    let Some(end) = end else {
        let body = run(&text[head + 5..], |byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n' | b'\\' | b' ')
        });
        return Some(head + 5 + body);
    };
    let close =
        memchr::memmem::find(&text[end + 9..], b"-----").map_or(text.len(), |at| end + 14 + at);
    Some(close)
}

/// The password in `scheme://user:password@host`; `at` is the position of the `@`.
fn url_password(text: &[u8], at: usize) -> Option<Range<usize>> {
    let least = at.saturating_sub(USER_INFO);
    let is_in = |byte: u8| {
        !matches!(byte, b'/' | b'"' | b'\'' | b'<' | b'>' | b'?' | b'#' | b'\\' | b'`')
            && byte.is_ascii_graphic()
    };
    let length = text[least..at].iter().rev().take_while(|byte| is_in(**byte)).count();
    let start = at - length;
    if start < 3 || !text[..start].ends_with(b"//") || text[start - 3] != b':' {
        // `//user:password@host` has no scheme of its own.
        if start != 2 || !text.starts_with(b"//") {
            return None;
        }
    }
    let colon = text[start..at].iter().position(|byte| *byte == b':')?;
    let secret = start + colon + 1..at;
    let is_new = !std::str::from_utf8(&text[secret.clone()]).is_ok_and(is_pseudonym);
    (!secret.is_empty() && is_new).then_some(secret)
}

/// The end of the shell command that begins at `start`.
fn command_end(text: &[u8], start: usize) -> usize {
    let most = text.len().min(start + COMMAND);
    let ends = |at: &usize| match text[*at] {
        // A backslash continues the line.
        b'\n' => {
            let line = &text[..*at];
            !line.strip_suffix(b"\r").unwrap_or(line).ends_with(b"\\")
        }
        b'|' => true,
        b'&' => text.get(at + 1) == Some(&b'&'),
        b';' => text.get(at + 1).is_none_or(u8::is_ascii_whitespace),
        _ => false,
    };
    (start..most).find(ends).unwrap_or(most)
}

/// The position of the flag `-u user:password` of the `curl` command at `start`.
pub(super) fn curl_user(text: &[u8], start: usize) -> Option<usize> {
    let end = command_end(text, start);
    memchr::memchr_iter(b'-', &text[start..end])
        .map(|at| start + at)
        .find(|at| curl_password(text, *at).is_some())
}

/// The password in `-u user:password` or `--user user:password`; `at` is the position of the flag.
fn curl_password(text: &[u8], at: usize) -> Option<Range<usize>> {
    let before = at.checked_sub(1).map(|before| text[before]);
    if !before.is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'')) {
        return None;
    }
    let rest = &text[at..];
    let flag = [&b"--user"[..], b"--proxy-user", b"-u", b"-U"]
        .into_iter()
        .find(|flag| rest.starts_with(flag))?;
    let least = at.saturating_sub(COMMAND);
    let curl = memchr::memmem::rfind(&text[least..at], b"curl ")?;
    if command_end(text, least + curl) < at {
        return None;
    }
    let mut start = at + flag.len();
    let signs = run(&text[start..], |byte| matches!(byte, b' ' | b'=' | b'"' | b'\'' | b'\\'));
    if flag.starts_with(b"--") && signs == 0 {
        return None;
    }
    start += signs;
    let is_in =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'<' | b'>');
    let end = start + run(&text[start..], is_in);
    let colon = start + text[start..end].iter().position(|byte| *byte == b':')?;
    let secret = colon + 1..end;
    // `$PASSWORD` is a variable of the shell.
    let is_variable = matches!(text.get(secret.start), Some(b'$' | b'%' | b'{'));
    let is_new = !std::str::from_utf8(&text[secret.clone()]).is_ok_and(is_pseudonym);
    (colon > start && !secret.is_empty() && !is_variable && is_new).then_some(secret)
}

fn key_of_provider(text: &[u8]) -> Option<(usize, &'static str)> {
    let first = text.first()?;
    KEYS.iter().filter(|row| row.prefix.as_bytes().first() == Some(first)).find_map(|row| {
        let rest = text.strip_prefix(row.prefix.as_bytes())?;
        let takes = |byte: u8| match row.alphabet {
            Alphabet::Alphanumeric => byte.is_ascii_alphanumeric(),
            Alphabet::Base64Url => is_base64url(byte),
            Alphabet::Dotted => is_base64url(byte) || byte == b'.',
            Alphabet::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Alphabet::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        };
        let length = run(rest, takes);
        // A dot or dash at the end belongs to the surrounding sentence.
        let length =
            length - rest[..length].iter().rev().take_while(|b| matches!(b, b'.' | b'-')).count();
        let ends =
            rest.get(length).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        let fits = (row.least..=row.most).contains(&length);
        (fits && ends && is_random(&rest[..length]))
            .then_some((row.prefix.len() + length, row.provider))
    })
}

/// True for text with digits or letters of both cases, as in random characters but not in words of
/// CSS and code.
fn is_random(text: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| text.iter().any(is);
    has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

/// The length of an authentication scheme and the whitespace after it, if the value has one.
pub(super) fn scheme(name: &str, value: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    let start = value.find([' ', '\t']).filter(|at| *at > 0)?;
    let scheme = &value[..start];
    let known = if name.contains("authorization") {
        scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    } else {
        ["bearer", "basic", "token", "dpop"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
    };
    let secret = value[start..].find(|c: char| !matches!(c, ' ' | '\t'))?;
    known.then_some(start + secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str =
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    /// The text with `#` for each secret.
    fn shown(text: &str) -> String {
        let mut out = String::new();
        let mut at = 0;
        while at < text.len() {
            // The secret may precede the `@` that marks it.
            let found = (at..text.len()).find_map(|place| {
                shape_at(text.as_bytes(), place).filter(|s| s.secret.start >= at)
            });
            let Some(shape) = found else { break };
            out.push_str(&text[at..shape.secret.start]);
            out.push('#');
            at = shape.secret.end;
        }
        out + &text[at..]
    }

    #[test]
    fn shapes_of_secrets() {
        for (text, expected) in [
            (JWT.to_owned(), "#"),
            (format!("/verify/{JWT}/x"), "/verify/#/x"),
            (format!("see {JWT}."), "see #."),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.".to_owned(), "#"),
            ("Bearer abcdefghij0123456789".to_owned(), "Bearer #"),
            ("BEARER%20abcdefghij0123456789&".to_owned(), "BEARER%20#&"),
            ("x Basic dXNlcjpwYXNz, y".to_owned(), "x Basic #, y"),
            ("Basic dXNlcjpwYXNzd29yZA==".to_owned(), "Basic #"),
            ("https://u:p4ss@h.test/x".to_owned(), "https://u:#@h.test/x"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n".to_owned(),
                "#\n",
            ),
            ("a -----BEGIN PRIVATE KEY-----\nMII".to_owned(), "a #"),
            (format!("ghp_{}", "aB3".repeat(12)), "#"),
            (format!("[AKIA{}]", "Z2".repeat(8)), "[#]"),
            (format!("SK{}", "0a".repeat(16)), "#"),
            (format!("sk-proj-{}", "aB3_".repeat(12)), "#"),
            (format!("xoxb-123456789012-{}", "aB3".repeat(8)), "#"),
            ("curl -u jo:p4ss -H 'A: b' https://h".to_owned(), "curl -u jo:# -H 'A: b' https://h"),
            (
                "curl \\\n  --user \"jo:p4ss\" \\\n h".to_owned(),
                "curl \\\n  --user \"jo:#\" \\\n h",
            ),
            ("curl -ujo:p4ss h".to_owned(), "curl -ujo:# h"),
            // The keys of some providers have no digits.
            (format!("hf_{}", "aBcDe".repeat(7)), "#"),
            (format!("gloas-{}", "aB3_".repeat(16)), "#"),
            (format!("xoxc-123456789012-{}", "aB3".repeat(8)), "#"),
            (format!("SG.{}.{}", "aB3_".repeat(5), "x".repeat(43)), "#"),
        ] {
            assert_eq!(shown(&text), expected, "{text}");
        }
    }

    #[test]
    fn shapes_of_other_things() {
        for text in [
            "eyJpZCI6MTIzNDU2Nzg5MH0",
            "Bearer token",
            "Bearer realm=\"https://auth.example.com/v2\"",
            "Basic information about everything",
            "Basic dXNlcg==",
            "jo@example.com",
            "https://h.test/a@b",
            "https://user@h.test/",
            "mailto:jo@example.com",
            "-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----",
            "sort -u file:name",
            "curl https://h/x\ndocker run -u 1000:1000 image",
            "curl h | sort -u a:b",
            "curl -u jo h:80",
            "curl h && docker run -u 1000:1000 image",
            "curl -u \"$USER:$PASSWORD\" h",
            "sk-loading-spinner-container-large",
            "task-1234567890abcdefghijklmnop",
            "ghp_short1",
            "AKIAX",
            "SKU-0123456789",
            "Bearer hmt~aaaaaaaaaaaaaaaaaaaaaa",
            "https://u:hmt~aaaaaaaaaaaaaaaaaaaaaa@h/",
            "ASIA",
        ] {
            assert_eq!(shown(text), text);
        }
    }
}
