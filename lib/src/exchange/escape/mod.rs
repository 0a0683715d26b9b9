//! Writes text as a JSON string, byte for byte as serde_json does.
//!
//! Most bodies are JSON themselves, in which every fifth to tenth byte is a quote to escape.
//! Searching for the next one and copying the bytes between is then no faster than copying byte by
//! byte. For 64 KB of dense JSON, serde_json and `json-escape-simd`, the fastest crate, take 82 µs;
//! the vector code in `x86` takes 14 µs (`text-speed` in `tests/benches/texts` measures both). This
//! speed justifies the `unsafe` block here. The tests compare it with serde_json.

mod plain;
#[cfg(target_arch = "x86_64")]
mod x86;

use plain::{CODE, ESCAPES, push_each};

/// Appends the text as a JSON string, with its quotes.
pub(super) fn push_string(text: &str, out: &mut Vec<u8>) {
    // Capacity for some escapes; most texts are names and numbers.
    out.reserve(text.len() + text.len() / 8 + 2);
    out.push(b'"');
    if text.len() <= SHORT && is_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_escaped(text.as_bytes(), out);
    }
    out.push(b'"');
}

/// Number of input bytes between two checks of the output length.
const STRIDE: usize = 64 << 10;

/// Like [`push_string`], but returns false if more than `limit` bytes would be between the quotes.
/// Then `out` has only the beginning of the string.
pub(super) fn push_string_within(text: &str, limit: usize, out: &mut Vec<u8>) -> bool {
    // An escape has at most six bytes.
    if text.len() <= limit / 6 {
        push_string(text, out);
        return true;
    }
    out.reserve(text.len().min(limit) + text.len() / 8 + 2);
    out.push(b'"');
    let start = out.len();
    for piece in text.as_bytes().chunks(STRIDE) {
        push_escaped(piece, out);
        if out.len() - start > limit {
            return false;
        }
    }
    out.push(b'"');
    true
}

/// The number of bytes that the text takes between the quotes.
pub(super) fn escaped_len(text: &[u8]) -> usize {
    let more = |byte: &u8| match ESCAPES[usize::from(*byte)] {
        0 => 0,
        CODE => 5,
        _ => 1,
    };
    text.len() + text.iter().map(more).sum::<usize>()
}

/// Header names and values are rarely longer, and rarely contain anything to escape.
const SHORT: usize = 64;

/// True if no byte needs an escape. Tests eight bytes at a time in one word (Warren, Hacker's
/// Delight, 2nd edition, section 6-1): for bytes without the top bit, a byte is less than a limit
/// if subtracting the limit borrows. A byte equals another if their XOR is 0, which is less than 1.
/// A borrow into the next byte can only cause a false positive.
fn is_plain(text: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let odd = |word: u64| {
        below(word, 0x20)
            | below(word ^ (ONES * u64::from(b'"')), 1)
            | below(word ^ (ONES * u64::from(b'\\')), 1)
    };
    let (words, rest) = text.as_chunks::<8>();
    let any = words.iter().fold(0, |any, word| any | odd(u64::from_le_bytes(*word)));
    any & TOPS == 0 && rest.iter().all(|byte| ESCAPES[usize::from(*byte)] == 0)
}

#[cfg(target_arch = "x86_64")]
fn push_escaped(text: &[u8], out: &mut Vec<u8>) {
    if text.len() >= x86::WIDTH && x86::is_supported() {
        #[expect(
            unsafe_code,
            reason = "a sixth of the time for bodies, see the page of this module"
        )]
        // SAFETY: the features that `push_escaped` was compiled for have just been detected.
        unsafe {
            x86::push_escaped(text, out);
        }
    } else {
        push_each(text, out);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn push_escaped(text: &[u8], out: &mut Vec<u8>) {
    push_each(text, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str) {
        let expected = serde_json::to_string(text).unwrap();
        let mut out = b"before".to_vec();
        push_string(text, &mut out);
        assert_eq!(String::from_utf8_lossy(&out[6..]), expected);
        let mut out = Vec::new();
        push_each(text.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected[1..expected.len() - 1]);
        let length = expected.len() - 2;
        assert_eq!(escaped_len(text.as_bytes()), length);
        let mut out = Vec::new();
        assert!(push_string_within(text, length, &mut out));
        assert_eq!(String::from_utf8_lossy(&out), expected);
        assert!(length == 0 || !push_string_within(text, length - 1, &mut Vec::new()));
    }

    #[test]
    fn each_byte_at_each_place_of_a_vector() {
        let all: String = (0..256).filter_map(char::from_u32).chain("漢😀".chars()).collect();
        for ahead in 0..40 {
            check(&format!("{}{all}{all}", "x".repeat(ahead)));
        }
        for byte in (0..128).map(char::from) {
            for place in 0..20 {
                check(&format!("{}{byte}{}", "y".repeat(place), "z".repeat(20)));
            }
        }
    }

    #[test]
    fn no_escape_is_overlooked() {
        for byte in 0..=255 {
            for place in 0..24 {
                let mut text = [b'x'; 24];
                text[place] = byte;
                assert!(ESCAPES[usize::from(byte)] == 0 || !is_plain(&text), "{byte} at {place}");
            }
            assert!(ESCAPES[usize::from(byte)] != 0 || is_plain(&[byte; 24]), "{byte}");
        }
    }

    #[test]
    fn texts_longer_than_a_block() {
        for text in ["\"", "\\", "\n", "\u{1}", "x", "x\"", "\"\n", "\u{7f}ü"] {
            for length in [1, 15, 16, 17, 511, 512, 513, 5_000] {
                check(&text.repeat(length));
            }
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "[\\x00-\\x7f\"\\\\\n ü漢]{0,200}") {
            check(&text);
        }
    }
}
