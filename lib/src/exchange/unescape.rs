//! Unescapes JSON string literals.
//!
//! A body is JSON within JSON: an escaped quote every few bytes. serde_json copies such a string
//! piece by piece into a buffer that grows for every line, and then copies it again. Here it is
//! copied once, eight bytes at a time, into a buffer of the right size. Anything unusual is passed
//! to serde_json, which also provides the error messages. For 64 KiB of JSON this takes 80 µs, and
//! serde_json 228 µs (`text-speed` in `tests/benches/texts`). The tests compare both.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Bytes processed together.
const WORD: usize = 8;

/// True if the text may contain an escape from `\ud800` to `\udfff`.
pub(super) fn may_have_surrogates(source: &[u8]) -> bool {
    static NUMBERED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br"\u"));
    NUMBERED.find_iter(source).any(|at| source.get(at + 2).is_none_or(|digit| digit | 0x20 == b'd'))
}

/// Decodes the escapes; `None` if one is invalid or a lone surrogate.
pub(super) fn plain(source: &[u8]) -> Option<String> {
    // An escape is never shorter than its character. The extra space is for the last word.
    let mut text = vec![0; source.len() + WORD];
    let (mut from, mut to) = (0, 0);
    while from < source.len() {
        let run = match source[from..].first_chunk::<WORD>() {
            Some(word) => {
                text[to..to + WORD].copy_from_slice(word);
                before_backslash(u64::from_le_bytes(*word))
            }
            None => {
                text[to] = source[from];
                usize::from(source[from] != b'\\')
            }
        };
        from += run;
        to += run;
        let Some(b'\\') = source.get(from) else { continue };
        text[to] = match *source.get(from + 1)? {
            same @ (b'"' | b'\\' | b'/') => same,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 0x08,
            b'f' => 0x0c,
            b'u' => {
                let (character, length) = by_number(&source[from..], br"\u")?;
                to += character.encode_utf8(&mut text[to..]).len();
                from += length;
                continue;
            }
            _ => return None,
        };
        to += 1;
        from += 2;
    }
    text.truncate(to);
    String::from_utf8(text).ok()
}

/// The number of bytes before the first backslash of a word, in memory order.
///
/// A byte of `word ^ pattern` is zero for a backslash; the first zero byte is found exactly by
/// Mycroft's `(x - 0x01…) & !x & 0x80…`, because borrows only affect later bytes.
pub(crate) fn before_backslash(word: u64) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; WORD]);
    let x = word ^ (ONES * b'\\' as u64);
    let zeros = x.wrapping_sub(ONES) & !x & (ONES << 7);
    zeros.trailing_zeros() as usize / 8
}

/// The character of `XXXX` after a mark (`\u`), or of a surrogate pair of two of them, and the
/// length of the whole escape.
pub(crate) fn by_number(source: &[u8], mark: &[u8]) -> Option<(char, usize)> {
    let size = mark.len() + 4;
    let unit = |at: usize| -> Option<u32> {
        let digits = source.get(at..at + size)?.strip_prefix(mark)?;
        digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
    };
    match unit(0)? {
        high @ 0xd800..=0xdbff => {
            let low = unit(size).filter(|low| (0xdc00..=0xdfff).contains(low))?;
            Some((char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 2 * size))
        }
        single => Some((char::from_u32(single)?, size)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::surrogates::without_lone_surrogates;
    use super::super::text::of_raw;
    use serde_json::value::RawValue;

    fn both(literal: &str) -> Option<(Option<String>, Option<String>)> {
        let raw: &RawValue = serde_json::from_str(literal).ok()?;
        // Lone surrogates are replaced here, but rejected there.
        let mended = without_lone_surrogates(literal).unwrap_or_else(|| literal.to_owned());
        Some((of_raw(raw).map(|text| text.to_string()), serde_json::from_str(&mended).ok()))
    }

    #[test]
    fn half_of_a_pair_is_replaced() {
        let (ours, _) = both(r#""a\\ud83d \ud83d\u0041\"""#).unwrap();
        assert_eq!(ours.as_deref(), Some("a\\ud83d \u{fffd}A\""));
    }

    #[test]
    fn as_the_parser_reads_them() {
        for literal in [
            r#""""#,
            r#""plain""#,
            r#""{\"a\":\"b\\\\c\"}""#,
            r#""\b\f\n\r\t\/\"\\""#,
            r#""\u00e9\u0000\ud83d\ude00 and \uD83D\uDE00 behind it""#,
            r#""12345678\n""#,
            r#""é\n日本語のテキスト""#,
            "null",
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800\u0041""#,
            r#""\ud83d\n""#,
            "12",
            "true",
            "[]",
        ] {
            let (ours, theirs) = both(literal).unwrap();
            assert_eq!(ours, theirs, "{literal}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "(?s).{0,40}", extra in "[\\\\\"a\n\u{7f}é]{0,40}") {
            let literal = serde_json::to_string(&format!("{extra}{text}")).unwrap();
            let (ours, theirs) = both(&literal).unwrap();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn any_literal_is_read_as_the_parser_reads_it(inner in "(\\\\[\"\\\\/bfnrtux]|\\\\u[0-9a-fD]{4}|[a-z]{0,9}){0,12}") {
            if let Some((ours, theirs)) = both(&format!("\"{inner}\"")) {
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
