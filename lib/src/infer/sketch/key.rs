//! Short texts that are compared often, stored with their ends.
//!
//! Names and values of a state are looked up for every folded key and string, and most are short.
//! The first and last eight bytes distinguish texts of up to sixteen bytes without reading the text
//! itself, which is elsewhere in memory. A lookup among 64 names takes 12 ns, and 32 ns if texts
//! are compared (`text-speed` in `tests/benches/texts`). The tests compare the order with that of
//! texts.

use std::cmp::Ordering;

/// The first and the last eight bytes of a text, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// Ordered like the bytes; a shorter text is padded with zeros.
    first: u64,
    last: u64,
    length: usize,
}

/// Up to this length the ends contain the whole text.
const WHOLE: usize = 16;

impl Ends {
    pub(crate) fn of(text: &str) -> Ends {
        let bytes = text.as_bytes();
        let (first, last) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_be_bytes(*first), u64::from_be_bytes(*last)),
            _ => (padded(bytes), 0),
        };
        Ends { first, last, length: bytes.len() }
    }

    /// A hash of the ends, and thus of the whole of a short text.
    ///
    /// Two rounds of the multiplication in wyhash (Wang Yi,
    /// <https://github.com/wangyi-fudan/wyhash>, public domain), with its constants.
    pub(crate) fn hash(self, seed: u64) -> u64 {
        let first =
            multiply(self.first ^ 0xa076_1d64_78bd_642f, self.last ^ seed ^ 0xe703_7ed1_a0b4_28db);
        multiply(first ^ self.length as u64 ^ 0x8ebc_6af0_9c88_c6e3, seed ^ 0x5899_65cc_7537_4cc3)
    }

    /// True if the ends contain the whole text.
    pub(crate) fn are_whole(self) -> bool {
        self.length <= WHOLE
    }
}

/// Fewer than eight bytes, padded with zeros. They are not copied, because reading eight bytes
/// right after writing parts of them stalls the processor.
fn padded(bytes: &[u8]) -> u64 {
    let behind = |count: usize| 8 * (8 - count);
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        // The overlapping bytes are equal.
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|four| u64::from(u32::from_be_bytes(*four)));
            first << 32 | last << behind(bytes.len())
        }
        _ => bytes
            .iter()
            .zip(1..)
            .fold(0, |all, (byte, count)| all | u64::from(*byte) << behind(count)),
    }
}

/// Both halves of a product, combined.
fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// A text with its ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    ends: Ends,
    text: Box<str>,
}

impl Key {
    pub(crate) fn new(text: &str, ends: Ends) -> Key {
        Key { ends, text: text.into() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn ends(&self) -> Ends {
        self.ends
    }

    pub(crate) fn into_text(self) -> Box<str> {
        self.text
    }

    /// True if this is the text with these ends.
    pub(crate) fn is(&self, text: &str, ends: Ends) -> bool {
        self.ends == ends && (ends.length <= WHOLE || self.text.as_ref() == text)
    }

    /// Compares with the text with these ends, in byte order.
    pub(crate) fn cmp(&self, text: &str, ends: Ends) -> Ordering {
        self.ends.first.cmp(&ends.first).then_with(|| match (self.ends.length, ends.length) {
            // Both texts are contained in their first bytes.
            (mine @ 0..=8, other @ 0..=8) => mine.cmp(&other),
            _ if self.is(text, ends) => Ordering::Equal,
            _ => self.text.as_ref().cmp(text),
        })
    }
}

impl From<Box<str>> for Key {
    fn from(text: Box<str>) -> Key {
        Key { ends: Ends::of(&text), text }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_texts_compare(a in "[ab\0é]{0,20}", b in "[ab\0é]{0,20}", shared in "[ab]{0,18}") {
            for (a, b) in [(a.clone(), b.clone()), (format!("{shared}{a}"), format!("{shared}{b}"))] {
                let key = Key::from(Box::from(a.as_str()));
                prop_assert_eq!(key.cmp(&b, Ends::of(&b)), a.cmp(&b));
                prop_assert_eq!(key.is(&b, Ends::of(&b)), a == b);
                prop_assert!(key.is(&a, Ends::of(&a)));
            }
        }
    }
}
