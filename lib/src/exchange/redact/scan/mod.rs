//! Searches a text for many short words at once, ignoring case.
//!
//! The text is processed in windows that fit the L1 cache. In a copy of the window, letters are in
//! lower case and every other byte is `_`, and each pair of adjacent bytes is hashed to one byte. A
//! filter tests three of these hashes at a time, which cover four bytes of the text. It works like
//! Teddy in Hyperscan (Qiu and others, "Hyperscan: A Fast Multi-pattern Regex Matcher for Modern
//! CPUs", 2019), which compares the letters themselves. The nibbles of a single letter carry little
//! information about each other; with hashed pairs the filter passes fewer positions. Each position
//! that passes is compared with the whole word. `redact-speed` in `tests/benches/redact` measures
//! it, and the tests compare it with a search for one word after the other.

mod filter;
#[cfg(target_arch = "x86_64")]
mod x86;

use filter::{BLOCK, Filter, PAIRS, STEM, map, map_and_hash, pairs};

/// Size of a window in bytes.
const WINDOW: usize = 2 << 10;
/// Size of a window for short texts, such as header values.
const SMALL: usize = 128;
/// Bytes after the window that the filter may read.
const SLACK: usize = BLOCK + PAIRS + 2;
/// Overlap of windows in bytes, and maximum length of a word.
pub(super) const OVERLAP: usize = 24;
/// Slots of the hash table of stems. With more than ten for each word, most other positions find an
/// empty slot.
const SLOTS: usize = 2048;
const EMPTY: u8 = u8::MAX;

/// Frequency of letters in English, in thousandths, from `a` on (Lewand, "Cryptological
/// Mathematics", 2000).
const LETTERS: [u32; 26] = [
    82, 15, 28, 43, 127, 22, 20, 61, 70, 2, 8, 40, 24, 67, 75, 19, 1, 60, 63, 91, 28, 10, 24, 2,
    20, 1,
];
/// The same for all other bytes together, in JSON next to letters.
const OTHER: u32 = 60;

/// A word to search for.
struct ScannedWord {
    /// Letters in lower case, `_` for any other byte.
    mapped: Box<[u8]>,
    /// Position of the four bytes that the filter tests.
    stem_at: usize,
    stem: u32,
    /// The caller's label.
    label: bool,
}

/// A search for a set of words.
pub(super) struct Scanner {
    words: Vec<ScannedWord>,
    /// Indices of words by the hash of their stem.
    slots: Box<[u8; SLOTS]>,
    filter: Filter,
    #[cfg(target_arch = "x86_64")]
    has_avx2: bool,
}

impl Scanner {
    /// A search for at most 254 words of 4 to [`OVERLAP`] bytes, each with the label that
    /// [`Self::scan`] passes on.
    pub(super) fn new(words: &[(String, bool)]) -> Scanner {
        let words: Vec<ScannedWord> =
            words.iter().map(|(word, label)| ScannedWord::new(word, *label)).collect();
        debug_assert!(words.len() < usize::from(EMPTY));
        let mut slots = Box::new([EMPTY; SLOTS]);
        for (index, word) in words.iter().enumerate() {
            let mut slot = slot_of(word.stem);
            while slots[slot] != EMPTY {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = index as u8;
        }
        Scanner {
            filter: Filter::new(words.iter().map(|word| pairs(word.stem))),
            words,
            slots,
            #[cfg(target_arch = "x86_64")]
            has_avx2: is_x86_feature_detected!("avx2"),
        }
    }

    /// Calls `found` for each word in the text, with the position of its first byte and its label.
    /// The text counts as if surrounded by non-letters. If the word begins with such a byte, the
    /// position is the one after it. A word may be reported twice.
    pub(super) fn scan(&self, text: &[u8], found: impl FnMut(usize, bool)) {
        if text.len() <= SMALL - SLACK {
            self.scan_by::<SMALL, { SMALL / BLOCK }>(text, found);
        } else {
            self.scan_by::<WINDOW, { WINDOW / BLOCK }>(text, found);
        }
    }

    fn scan_by<const N: usize, const BLOCKS: usize>(
        &self,
        text: &[u8],
        mut found: impl FnMut(usize, bool),
    ) {
        let mut window = [b'_'; N];
        let mut hashed = [0; N];
        let mut masks = [0; BLOCKS];
        let mut start = 0;
        loop {
            let end = text.len().min(start + N - SLACK);
            // One byte before the searched part.
            window[0] = start.checked_sub(1).map_or(b'_', |before| map(text[before]));
            let length = end - start;
            // The end of the text ends a word.
            let is_last = end == text.len();
            let whole = 1 + length + usize::from(is_last);
            window[1 + length..(1 + length + SLACK).min(N)].fill(b'_');
            let blocks = whole.div_ceil(BLOCK);
            self.filter(
                &text[start..end],
                &mut window[..blocks * BLOCK + PAIRS + 1],
                &mut hashed[..blocks * BLOCK + PAIRS],
                &mut masks[..blocks],
            );
            for (block, mask) in masks[..blocks].iter().enumerate() {
                let mut mask: u32 = *mask;
                while mask != 0 {
                    let at = block * BLOCK + mask.trailing_zeros() as usize;
                    mask &= mask - 1;
                    self.compare(&window[..whole], at, |word| {
                        // The window has one byte before the text.
                        let begin = start + word.0;
                        let place = if window[word.0] == b'_' { begin } else { begin - 1 };
                        found(place, word.1);
                    });
                }
            }
            if is_last {
                return;
            }
            start = end - OVERLAP;
        }
    }

    /// Fills `window` from its second byte on, `hashed`, and a mask for each block with a bit for
    /// each position at which the stem of a word may begin.
    fn filter(&self, text: &[u8], window: &mut [u8], hashed: &mut [u8], masks: &mut [u32]) {
        #[cfg(target_arch = "x86_64")]
        if self.has_avx2 {
            #[expect(unsafe_code, reason = "the processor was asked whether it has AVX2")]
            // SAFETY: `has_avx2` is true only if the processor has the features that the function
            // needs.
            unsafe {
                x86::filter(&self.filter, text, window, hashed, masks);
            }
            return;
        }
        map_and_hash(text, window, hashed);
        self.filter.masks(hashed, masks);
    }

    /// Reports the words whose stem begins at `at`: their start in the window, and their label.
    fn compare(&self, window: &[u8], at: usize, mut found: impl FnMut((usize, bool))) {
        let Some(stem) = window.get(at..).and_then(|rest| rest.first_chunk::<STEM>()) else {
            return;
        };
        let stem = u32::from_le_bytes(*stem);
        let mut slot = slot_of(stem);
        while let Some(word) = self.words.get(usize::from(self.slots[slot])) {
            if word.stem == stem
                && let Some(begin) = at.checked_sub(word.stem_at)
                && window[begin..].starts_with(&word.mapped)
            {
                found((begin, word.label));
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

impl ScannedWord {
    fn new(word: &str, label: bool) -> ScannedWord {
        let mapped: Box<[u8]> = word.bytes().map(map).collect();
        // The four bytes that are rarest together.
        let frequency = |bytes: &[u8]| -> u32 {
            let each = bytes.iter().map(|byte| match byte {
                b'_' => OTHER,
                letter => LETTERS[usize::from(letter - b'a')],
            });
            each.product()
        };
        let stems = mapped.windows(STEM).enumerate();
        let best = stems.min_by_key(|(_, stem)| frequency(stem));
        let (stem_at, stem) = best.unwrap_or((0, b"____"));
        let stem = u32::from_le_bytes(*stem.first_chunk().unwrap_or(b"____"));
        ScannedWord { mapped, stem_at, stem, label }
    }
}

fn slot_of(stem: u32) -> usize {
    (stem.wrapping_mul(0x9e37_79b1) >> 21) as usize
}

#[cfg(test)]
mod tests;
