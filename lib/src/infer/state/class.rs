//! Lexical classes of path segments and of object keys: pure functions of the text.
//!
//! Texts of every class except [`Class::Word`] and [`Class::Version`] are rarely names that an
//! API's author chose, so their values are not kept apart in the trie. The classes are part of the
//! configuration of a partial.

use serde::{Deserialize, Serialize};

use crate::exchange::is_pseudonym;

/// The appearance of a segment or key, in the order used in a partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Class {
    Date,
    Datetime,
    Email,
    /// A run of at least 16 hex digits, or of 8 to 15 with both a digit and a letter.
    Hex,
    Int,
    Ip,
    /// A segment of OData, `Products(1)` or `Lines(order=1,line=2)`; not determined by the text
    /// alone, see [`Keyed`].
    Keyed,
    /// Mixed case with digits, or upper case with digits: machine-generated.
    Opaque,
    /// A short lower-case prefix, `_`, and a tail with a digit: `cus_4f9a`.
    Prefixed,
    Semver,
    /// Twilio's format: two capitals and 32 hex digits.
    Sid,
    Ulid,
    Uuid,
    /// `v1`, `v2.1`, `api`, `rest`.
    Version,
    /// Everything else.
    Word,
}

impl Class {
    /// True if the text looks like an identifier or value.
    pub(crate) fn is_id(self) -> bool {
        !matches!(self, Class::Word | Class::Version)
    }
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClassSet(u16);

impl ClassSet {
    /// Every class, for unknown values.
    pub(crate) const ALL: ClassSet = ClassSet(u16::MAX);

    /// One class.
    pub(crate) fn of(class: Class) -> ClassSet {
        ClassSet(1 << class as u16)
    }

    /// The union of both sets.
    pub(crate) fn and(self, other: ClassSet) -> ClassSet {
        ClassSet(self.0 | other.0)
    }
}

/// The class of a percent-decoded segment or key.
pub(crate) fn class_of(text: &str) -> Class {
    let bytes = text.as_bytes();
    // A pseudonym that a recorder wrote instead of a token.
    if is_pseudonym(text) {
        return Class::Opaque;
    }
    let TextShape { digits, lower, upper, hex, other } = TextShape::of(bytes);
    let len = bytes.len();
    let alnum = digits + lower + upper;
    if digits == 0 && (upper == 0 || lower == 0 || other > 0) && !text.contains(['@', ':']) {
        // The classes below contain digits, except addresses, the three words of Version, and Sid's
        // look-alikes.
        return match text {
            "api" | "rest" => Class::Version,
            _ if len >= 16 && hex == len && lower == 0 => Class::Hex,
            _ => Class::Word,
        };
    }
    if len > 0 && (digits == len || (bytes[0] == b'-' && len > 1 && digits == len - 1)) {
        return Class::Int;
    }
    if len == 36 && is_uuid(bytes) {
        return Class::Uuid;
    }
    if is_version(bytes) {
        return Class::Version;
    }
    if len == 34
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..].iter().all(u8::is_ascii_hexdigit)
    {
        return Class::Sid;
    }
    if hex == len && (len >= 16 || (len >= 8 && digits > 0 && lower + upper > 0)) {
        return Class::Hex;
    }
    if len == 26 && lower == 0 && alnum == len && digits > 0 {
        return Class::Ulid;
    }
    if is_date(bytes) {
        return if len == 10 { Class::Date } else { Class::Datetime };
    }
    if is_email(text) {
        return Class::Email;
    }
    if is_ip(text) {
        return Class::Ip;
    }
    if is_semver(bytes) {
        return Class::Semver;
    }
    if is_prefixed(text) {
        return Class::Prefixed;
    }
    if is_opaque(bytes, len, digits, lower, upper, other) {
        return Class::Opaque;
    }
    Class::Word
}

/// A segment that names a collection, with the key of one item in parentheses: OData 4.01, part 2
/// (URL Conventions), section 4.3.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keyed<'s> {
    collection: &'s str,
    /// The names of the parts of the key, empty for a key without a name, and their values as
    /// written.
    parts: Vec<(&'s str, &'s str)>,
}

impl<'s> Keyed<'s> {
    /// Splits a decoded segment; `None` if it is not such a segment.
    pub(crate) fn of(segment: &'s str) -> Option<Keyed<'s>> {
        let inner = segment.strip_suffix(')')?;
        let (collection, key) = inner.split_once('(')?;
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
        };
        // Titles may contain a year: `Titanic_(1997)`.
        if !is_name(collection) || collection.ends_with('_') || key.is_empty() {
            return None;
        }
        let all = split_key(key);
        let named = |part: &&'s str| {
            part.split_once('=').filter(|(name, _)| is_name(name.trim())).is_some()
        };
        let parts: Vec<_> = if all.iter().all(named) {
            let pairs = all.iter().filter_map(|part| part.split_once('='));
            pairs.map(|(name, value)| (name.trim(), value)).collect()
        } else if all.len() == 1 && is_literal(key) {
            vec![("", key)]
        } else {
            return None;
        };
        let sound = |(_, value): &(&str, &str)| !value.is_empty();
        (parts.len() <= MOST_PARTS && parts.iter().all(sound))
            .then_some(Keyed { collection, parts })
    }

    /// The segment with `{}` for each value.
    pub(crate) fn pattern(&self) -> String {
        let mut text = format!("{}(", self.collection);
        for (at, (name, _)) in self.parts.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            if !name.is_empty() {
                text.push_str(name);
                text.push('=');
            }
            text.push_str("{}");
        }
        text.push(')');
        text
    }

    /// The values, as written.
    pub(crate) fn values(&self) -> impl Iterator<Item = &'s str> {
        self.parts.iter().map(|(_, value)| *value)
    }
}

/// Keys rarely have more parts.
const MOST_PARTS: usize = 8;

/// The parts of a key between commas; commas in quotes belong to a value.
fn split_key(key: &str) -> Vec<&str> {
    let mut quoted = false;
    key.split(|c: char| {
        quoted ^= c == '\'';
        c == ',' && !quoted
    })
    .collect()
}

/// A number, a quoted text or an identifier, as the only part of a key. Words are excluded, because
/// titles have them in parentheses: `Alien_(film)`.
fn is_literal(key: &str) -> bool {
    let quoted = key.len() >= 2 && key.starts_with('\'') && key.ends_with('\'');
    quoted || key.parse::<f64>().is_ok_and(f64::is_finite) || class_of(key).is_id()
}

struct TextShape {
    digits: usize,
    lower: usize,
    upper: usize,
    hex: usize,
    other: usize,
}

impl TextShape {
    fn of(bytes: &[u8]) -> TextShape {
        /// The contribution of each byte, with sixteen bits for each count.
        const KINDS: [u64; 256] = {
            let mut kinds = [0; 256];
            let mut byte = 0;
            while byte < 256 {
                let kind = byte as u8;
                kinds[byte] = kind.is_ascii_digit() as u64
                    | (kind.is_ascii_lowercase() as u64) << 16
                    | (kind.is_ascii_uppercase() as u64) << 32
                    | (kind.is_ascii_hexdigit() as u64) << 48;
                byte += 1;
            }
            kinds
        };
        let mut shape = TextShape { digits: 0, lower: 0, upper: 0, hex: 0, other: 0 };
        for part in bytes.chunks(usize::from(u16::MAX)) {
            let sum: u64 = part.iter().map(|byte| KINDS[usize::from(*byte)]).sum();
            shape.digits += usize::from(sum as u16);
            shape.lower += usize::from((sum >> 16) as u16);
            shape.upper += usize::from((sum >> 32) as u16);
            shape.hex += usize::from((sum >> 48) as u16);
        }
        shape.other = bytes.len() - shape.digits - shape.lower - shape.upper;
        shape
    }
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    })
}

/// `v1`, `v1.2`, `V2`: as at the start of a path.
fn is_version(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(b'v' | b'V'))
        && bytes.len() <= 8
        && bytes[1..]
            .split(|b| *b == b'.')
            .all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
}

fn is_date(bytes: &[u8]) -> bool {
    bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(i, b)| match i {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        })
        && (bytes.len() == 10 || (matches!(bytes[10], b'T' | b't' | b' ') && bytes.len() >= 16))
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !domain.contains('@')
    })
}

fn is_ip(text: &str) -> bool {
    text.len() <= 45
        && (text.contains('.') || text.contains(':'))
        && text.parse::<std::net::IpAddr>().is_ok()
}

fn is_semver(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"v").unwrap_or(bytes);
    let mut parts = 0;
    for part in bytes.split(|b| *b == b'.') {
        if part.is_empty() || !part.iter().all(u8::is_ascii_digit) {
            return false;
        }
        parts += 1;
    }
    parts == 3
}

/// `[a-z]{2,8}_` and a tail of letters and digits with at least one digit; otherwise names such as
/// `team_memberships` would be identifiers.
fn is_prefixed(text: &str) -> bool {
    let Some((prefix, tail)) = text.split_once('_') else { return false };
    (2..=8).contains(&prefix.len())
        && prefix.bytes().all(|b| b.is_ascii_lowercase())
        && tail.len() >= 4
        && tail.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && tail.bytes().any(|b| b.is_ascii_digit())
        // `sms_2fa_codes` is a name: the tail of an identifier is a single run.
        && !tail.contains('_')
}

fn is_opaque(
    bytes: &[u8],
    len: usize,
    digits: usize,
    lower: usize,
    upper: usize,
    other: usize,
) -> bool {
    let dashes = bytes.iter().filter(|b| matches!(b, b'-' | b'_')).count();
    if dashes != other || digits == 0 {
        // Base62 of 20 letters or more may lack digits, but CamelCase names can be as long.
        return false;
    }
    // `repositoriesV2` is a name: its only digits are one or two at the end.
    let ending = bytes.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let mixed = len >= 12
        && lower > 0
        && upper > 0
        && digits + lower + upper >= len - 3
        && (digits > ending || ending > 2);
    // `ABC-12`, `P1A2B3C`, `AB12CD34`; a single letter with digits (`A4`) is too often a name.
    let capital = lower == 0 && upper > 0 && len >= 5 && (digits >= 2 || len >= 6);
    // Long lower-case runs with many digits: `4f9ak2l0x8qv`.
    let coded = len >= 12 && upper == 0 && other == 0 && digits >= 3 && runs(bytes) >= 5;
    mixed || capital || coded
}

/// The number of changes between letters and digits: a word followed by a number has one.
fn runs(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|w| w[0].is_ascii_digit() != w[1].is_ascii_digit()).count()
}

/// Segments that APIs use as names next to identifiers; they are kept before all other words.
const LEXICON: &[&str] = &[
    "me", "self", "current", "search", "new", "latest", "count", "batch", "bulk", "login",
    "logout", "health", "all", "default", "status", "stats", "summary", "metadata", "export",
    "import", "upload", "download", "verify", "validate", "preview", "public", "private", "active",
    "archive", "archived", "recent", "popular", "trending", "featured", "random", "ping",
    "version", "info", "config", "settings", "schema", "query", "filter", "find", "list", "create",
    "update", "delete", "edit", "enable", "disable", "start", "stop", "cancel", "refresh", "reset",
    "sync", "test",
];

/// 0 for the lexicon, 1 for other texts: the priority for [`super::super::sketch::CappedMap`].
pub(crate) fn segment_priority(segment: &str) -> u8 {
    u8::from(!LEXICON.contains(&segment))
}

/// The same priority for all keys.
pub(crate) fn no_priority(_: &str) -> u8 {
    1
}

/// True for names that APIs use next to identifiers.
pub(crate) fn in_lexicon(segment: &str) -> bool {
    segment_priority(segment) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_parentheses() {
        for (segment, pattern) in [
            ("Products(1)", Some("Products({})")),
            ("Users('ann')", Some("Users({})")),
            ("Users('a,b(c)')", Some("Users({})")),
            ("Lines(order=1,name='x, y=z')", Some("Lines(order={},name={})")),
            ("People(9d0b1f6c-5f5b-4c6e-9e0e-111111111111)", Some("People({})")),
            ("Alien_(film)", None),
            ("Titanic_(1997)", None),
            ("MostExpensive()", None),
            ("(1)", None),
            ("f(1", None),
            ("a(1)(2)", None),
        ] {
            assert_eq!(Keyed::of(segment).map(|k| k.pattern()).as_deref(), pattern, "{segment}");
        }
        let keyed = Keyed::of("Lines(order=1,name='x')").expect("a key");
        assert_eq!(keyed.values().collect::<Vec<_>>(), ["1", "'x'"]);
    }

    #[test]
    fn classes() {
        for (text, class) in [
            ("77", Class::Int),
            ("-5", Class::Int),
            ("pikachu", Class::Word),
            ("api", Class::Version),
            ("v2", Class::Version),
            ("v1.2", Class::Version),
            ("v1.2.3", Class::Version),
            ("1.2.3", Class::Semver),
            ("2024-01-15", Class::Date),
            ("2024-01-15T10:00:00Z", Class::Datetime),
            ("123e4567-e89b-12d3-a456-426614174000", Class::Uuid),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", Class::Ulid),
            ("cus_4f9aK2", Class::Prefixed),
            ("team_memberships", Class::Word),
            ("goal_relationships", Class::Word),
            ("AC0123456789abcdef0123456789abcdef", Class::Sid),
            ("0123456789abcdef01234567", Class::Hex),
            ("deadbeef1", Class::Hex),
            ("feedface", Class::Word),
            ("4uLU6hMCjMI75M1A2tKUQC", Class::Opaque),
            ("ABC-12", Class::Opaque),
            ("PT4KHLK", Class::Opaque),
            ("repositoriesV2", Class::Word),
            ("red-chair-12", Class::Word),
            ("oauth2", Class::Word),
            ("john@example.com", Class::Email),
            ("10.0.0.1", Class::Ip),
            ("getUserById", Class::Word),
            ("users", Class::Word),
            ("", Class::Word),
            ("-", Class::Word),
            ("café", Class::Word),
        ] {
            assert_eq!(class_of(text), class, "{text}");
        }
    }
}
