//! Decides which names mark a secret.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::table::{FACTS, MARKS, Match, NAMES};
use super::words::Words;

/// How the values of a secret name are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Integers are secrets too.
    pub(super) integers: bool,
    /// The name is `tokens`, where a number is a count.
    pub(super) counts: bool,
}

impl Rule {
    /// For a name or a location that the user gave.
    pub(super) const USER: Rule = Rule { integers: true, counts: false };
    /// For a value that is secret regardless of its name.
    pub(super) const PLAIN: Rule = Rule { integers: false, counts: false };
}

/// The kind of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameKind {
    Query,
    Other,
}

/// True for a name that marks a secret by default, without the user's options.
pub fn is_secret_name(name: &str) -> bool {
    rule_of(name.as_bytes(), NameKind::Other).is_some()
}

/// The rule of the table for a name.
pub(super) fn rule_of(name: &[u8], kind: NameKind) -> Option<Rule> {
    let words = Words::of(name);
    if let Some(rule) = rule_of_words(&words, kind) {
        return Some(rule);
    }
    // `user[pass]` in a form is `pass` within `user`; `login:pin` in XML is `pin` in a namespace.
    let inner = match name.strip_suffix(b"]") {
        Some(inner) => inner.iter().rposition(|byte| *byte == b'[').map(|at| &inner[at + 1..]),
        None => name.iter().rposition(|byte| *byte == b':').map(|at| &name[at + 1..]),
    };
    inner.filter(|inner| !inner.is_empty()).and_then(|inner| rule_of_words(&Words::of(inner), kind))
}

fn rule_of_words(words: &Words, kind: NameKind) -> Option<Rule> {
    let last = words.last(1)?;
    let table = &*TABLE;
    let of = |word: &[u8], takes: fn(Match) -> bool| {
        table.get(word).filter(|(place, _)| takes(*place)).map(|(_, integers)| *integers)
    };
    let at_end = |place| matches!(place, Match::Last | Match::Either);
    let mut counts = false;
    let pair = words.last(2);
    let mut integers = of(last, at_end).or_else(|| of(pair?, at_end));
    if integers.is_none()
        && let Some(singular) = last.strip_suffix(b"s")
    {
        let plural = |place| place == Match::Last;
        counts = singular == b"token";
        integers = of(singular, plural).or_else(|| of(pair?.strip_suffix(b"s")?, plural));
    }
    // `X-Session` is `session` in a header.
    let is_only = words.count() == 1 || words.count() == 2 && words.get(0) == Some(b"x");
    if integers.is_none() && is_only {
        integers = of(last, |place| place == Match::Only).or_else(|| {
            of(last, |place| place == Match::OnlyQuery).filter(|_| kind == NameKind::Query)
        });
    }
    // `X-SAMLResponse` is `SAMLResponse` in a header.
    let all = words.all();
    let bare = if words.get(0) == Some(b"x") { &all[1..] } else { all };
    let always = |name| of(name, |place| place == Match::Always);
    let integers = integers.or_else(|| always(all)).or_else(|| always(bare))?;
    (!is_fact(words, last)).then_some(Rule { integers, counts })
}

/// True for names of a fact about a secret, or of another kind of token.
fn is_fact(words: &Words, last: &[u8]) -> bool {
    let is = |word: Option<&[u8]>, known: &[&str]| {
        word.is_some_and(|word| known.iter().any(|known| known.as_bytes() == word))
    };
    // `X-Max-Tokens` is `max_tokens` in a header.
    let first = usize::from(words.get(0) == Some(b"x"));
    if words.count() < first + 2 {
        return false;
    }
    if is(words.get(first), FACTS) {
        return true;
    }
    if !matches!(last, b"token" | b"tokens") {
        return false;
    }
    let is_limit = (0..words.count() - 1).any(|index| {
        words.get(index) == Some(b"ratelimit")
            || words.get(index) == Some(b"rate") && words.get(index + 1) == Some(b"limit")
    });
    is_limit || is(words.second_last(), MARKS)
}

/// The table, by its concatenated words.
type Table = HashMap<Vec<u8>, (Match, bool), BuildHasherDefault<WordHasher>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rows = NAMES.iter().map(|row| {
        let together = row.words.bytes().filter(u8::is_ascii_lowercase).collect();
        (together, (row.place, row.integers))
    });
    rows.collect()
});

/// FNV-1a: names are short, and the table is a constant that input cannot influence.
struct WordHasher(u64);

impl Default for WordHasher {
    fn default() -> Self {
        WordHasher(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

/// Why a redactor cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedactError {
    /// Too many or too long patterns.
    #[error("the names in --redact and --keep are too many or too long; give fewer")]
    Patterns,
    /// An invalid JSON pointer.
    #[error("{0:?} is not a JSON pointer; write /KEY/KEY, with * for every key or index")]
    SecretPointer(String),
    /// An invalid regular expression.
    #[error("--redact-value {0:?} is not a valid regular expression: {1}")]
    Value(String, String),
}

/// The table with the names that the user added and removed, ignoring case.
pub(super) struct NameMatcher {
    add: Option<Regex>,
    keep: Option<Regex>,
}

impl NameMatcher {
    pub(super) fn new(add: &[String], keep: &[String]) -> Result<Self, RedactError> {
        Ok(NameMatcher { add: whole(add)?, keep: whole(keep)? })
    }

    /// The rule for a name; `None` if it does not mark a secret.
    pub(super) fn rule(&self, name: &[u8], kind: NameKind) -> Option<Rule> {
        let added = || self.add.as_ref().filter(|add| add.is_match(name)).map(|_| Rule::USER);
        rule_of(name, kind).or_else(added).filter(|_| !self.is_kept(name))
    }

    pub(super) fn is_kept(&self, name: &[u8]) -> bool {
        self.keep.as_ref().is_some_and(|keep| keep.is_match(name))
    }

    /// True if the user added names.
    pub(super) fn are_added(&self) -> bool {
        self.add.is_some()
    }
}

fn whole(patterns: &[String]) -> Result<Option<Regex>, RedactError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let parts: Vec<String> = patterns.iter().map(|pattern| to_regex(pattern)).collect();
    RegexBuilder::new(&format!("^(?:{})$", parts.join("|")))
        .unicode(false)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build()
        .map(Some)
        .map_err(|_| RedactError::Patterns)
}

fn to_regex(pattern: &str) -> String {
    let mut regex = String::new();
    for c in pattern.chars() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex
}

/// A JSON pointer (RFC 6901) in which `*` matches every key or index.
pub(super) struct SecretPointer {
    parts: Vec<String>,
}

impl SecretPointer {
    pub(super) fn parse(text: &str) -> Result<Self, RedactError> {
        let parts = match text.strip_prefix('/') {
            Some(rest) => {
                rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
            }
            None if text.is_empty() => Vec::new(),
            None => return Err(RedactError::SecretPointer(text.to_owned())),
        };
        Ok(SecretPointer { parts })
    }

    pub(super) fn matches(&self, path: &[String]) -> bool {
        self.parts.len() == path.len()
            && self.parts.iter().zip(path).all(|(part, step)| part == "*" || part == step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "password",
            "pwd",
            "pass",
            "passphrase",
            "passPhrase",
            "PassPhrase",
            "private_key",
            "privateKey",
            "jwt",
            "csrf",
            "otp",
            "Ocp-Apim-Subscription-Key",
            "X-Functions-Key",
            "DPoP",
            "sig",
            "X-Amz-Signature",
            "code_verifier",
            "SAMLResponse",
            "SAMLRequest",
            "X-Auth",
            "X-Session",
            "x-auth-token",
            "access_token",
            "accessToken",
            "ACCESS_TOKEN",
            "accesstoken",
            "refreshToken",
            "apikey",
            "apiKey",
            "APIKey",
            "X-API-Key",
            "api-keys",
            "clientSecret",
            "client_secrets",
            "user[password]",
            "user[pass]",
            "wsse:Password",
            "login:pin",
            "sessionId",
            "PHPSESSID",
            "JSESSIONID",
            "session",
            "sid",
            "pin",
            "auth",
            "tokens",
            "credentials",
            "X-Amz-Credential",
            "x-hub-signature-256",
            "password2",
            "newPassword",
            "next-auth.session-token",
            "page_access_token",
            "cvv",
            "cvc",
            "ssn",
            "xsrf",
            "password_confirmation",
            "Authorization",
            "Proxy-Authorization",
            "PRIVATE-TOKEN",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        assert!(rule_of(b"key", NameKind::Query).is_some());
    }

    #[test]
    fn names_of_other_things() {
        for name in [
            "max_tokens",
            "maxTokens",
            "token_type",
            "session_count",
            "sessions",
            "nextPageToken",
            "has_password",
            "password_changed_at",
            "secretary",
            "obsession",
            "tokenizer",
            "is_token",
            "X-Max-Tokens",
            "x-is-secret",
            "x-has-password",
            "X-RateLimit-Remaining-Tokens",
            "x-ratelimit-reset-tokens",
            "expires_in",
            "cursor_token",
            "syncToken",
            "continuation_token",
            "tokens_used",
            "author",
            "authority",
            "pages",
            "compass",
            "key",
            "keys",
            "design",
            "public_key",
            "idempotency-key",
            "sort_key",
            "pinned",
            "shipping",
            "spin_pin",
            "passenger",
            "pass_count",
            "signal",
            "sigma",
            "code",
            "state",
            "assertion",
            "session_type",
            "eos_token",
            "Sec-WebSocket-Key",
            "inside",
            "",
            "2",
            "-",
            "NextContinuationToken",
            "x-auth-method",
            "authenticated",
            "opt",
            "side",
            "tokenId",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
        // A count where the value is a number.
        assert_eq!(
            rule_of(b"total_tokens", NameKind::Other),
            Some(Rule { integers: false, counts: true })
        );
        assert_eq!(rule_of(b"otp", NameKind::Other), Some(Rule { integers: true, counts: false }));
    }
}
