//! Judges how distinctive a value is: a UUID in two places is the same thing, but two equal small
//! numbers usually are not.

use crate::exchange::has_pseudonym;

/// Longer values are not followed.
const MAX_LENGTH: usize = 4096;
/// A text of digits is distinctive from this length; shorter ones are often amounts and pages.
const LONG_NUMBER: usize = 9;
/// A text of letters and digits is distinctive from this length.
const LONG_MIXED: usize = 6;
/// A text of letters only is distinctive from this length, if it is not a phrase.
const LONG_LETTERS: usize = 20;

/// How distinctive a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Strength {
    /// An equal value elsewhere means the same thing.
    Strong,
    /// An equal value counts only if the names also agree.
    Weak,
    /// Never followed.
    Never,
}

/// Determines how distinctive a value is.
pub(in super::super) fn strength(value: &str) -> Strength {
    let length = value.len();
    if length == 0 || length > MAX_LENGTH || matches!(value, "true" | "false" | "null") {
        return Strength::Never;
    }
    if has_pseudonym(value) {
        return Strength::Strong;
    }
    let (mut digits, mut lower, mut upper) = (0, 0, 0);
    for byte in value.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'z' => lower += 1,
            b'A'..=b'Z' => upper += 1,
            b' ' | b'\t' | b'\r' | b'\n' => return Strength::Never,
            _ => (),
        }
    }
    let letters = lower + upper;
    if digits == length {
        return if length >= LONG_NUMBER { Strength::Strong } else { Strength::Weak };
    }
    if letters == 0 && value.contains('.') {
        // A fraction, or a version.
        return Strength::Never;
    }
    if is_date(value) || value.contains("://") {
        return Strength::Weak;
    }
    let mixed = digits > 0 && letters > 0 && length >= LONG_MIXED;
    let random = lower > 0 && upper > 0 && length >= LONG_LETTERS && letters == length;
    if mixed || random { Strength::Strong } else { Strength::Weak }
}

/// True for a text that begins with a date such as `2026-11-30`.
fn is_date(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_distinctive_values_are_strong() {
        for strong in [
            "0b8e1f5c-6a43-4d5e-9a0f-2c7d1e90b001",
            "hmt~aaaaaaaaaaaaaaaaaaaaaa",
            "ord_17",
            "4711471147",
            "QmFzZTY0VGV4dFdpdGhvdXREaWdpdHM",
        ] {
            assert_eq!(strength(strong), Strength::Strong, "{strong}");
        }
        for weak in ["1", "17", "active", "en-US", "2026-11-30T10:00:00Z", "a1", "electronics"] {
            assert_eq!(strength(weak), Strength::Weak, "{weak}");
        }
        for never in ["", "true", "null", "1.50", "Ada Lovelace", "Item 17"] {
            assert_eq!(strength(never), Strength::Never, "{never}");
        }
    }
}
