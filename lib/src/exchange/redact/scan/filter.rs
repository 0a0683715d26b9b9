//! The filter of pairs of letters, byte by byte.

use std::ops::Range;

/// Positions that the filter tests at a time.
pub(super) const BLOCK: usize = 32;
/// Bytes of a word that the filter tests.
pub(super) const STEM: usize = 4;
/// Pairs in a stem.
pub(super) const PAIRS: usize = STEM - 1;
/// Sets of words that the filter distinguishes, one for each bit.
const BUCKETS: usize = 16;
/// Which words a hashed pair may belong to, at each of three positions.
pub(super) struct Filter {
    /// By the whole byte.
    by_byte: [[u16; 256]; PAIRS],
    /// By the low nibble, for the first eight sets and the others.
    pub(super) low: [[[u8; 16]; 2]; PAIRS],
    /// By the high nibble.
    pub(super) high: [[[u8; 16]; 2]; PAIRS],
}

/// The hashed pairs of a stem.
pub(super) fn pairs(stem: u32) -> [u8; PAIRS] {
    let stem = stem.to_le_bytes();
    std::array::from_fn(|at| hash(stem[at], stem[at + 1]))
}

impl Filter {
    /// Assigns each stem, given by its hashed pairs, to the set that then passes the fewest other
    /// bytes.
    pub(super) fn new(stems: impl Iterator<Item = [u8; PAIRS]>) -> Filter {
        let mut filter = Filter {
            by_byte: [[0; 256]; PAIRS],
            low: [[[0; 16]; 2]; PAIRS],
            high: [[[0; 16]; 2]; PAIRS],
        };
        // For each set, the nibbles that it passes, as bits.
        let mut sets = [[[0_u16; 2]; PAIRS]; BUCKETS];
        let passes = |set: &[[u16; 2]; PAIRS]| -> u32 {
            set.iter().flatten().map(|halves| halves.count_ones()).product()
        };
        let mut pairs: Vec<[u8; PAIRS]> = stems.collect();
        pairs.sort_unstable();
        pairs.dedup();
        for pair in pairs {
            let with = |set: &[[u16; 2]; PAIRS]| -> [[u16; 2]; PAIRS] {
                std::array::from_fn(|at| {
                    [set[at][0] | 1 << (pair[at] & 15), set[at][1] | 1 << (pair[at] >> 4)]
                })
            };
            let cost = |set: &[[u16; 2]; PAIRS]| passes(&with(set)) - passes(set);
            let bucket = (0..BUCKETS).min_by_key(|bucket| cost(&sets[*bucket])).unwrap_or(0);
            sets[bucket] = with(&sets[bucket]);
            for (at, byte) in pair.into_iter().enumerate() {
                filter.by_byte[at][usize::from(byte)] |= 1 << bucket;
                let bit = 1 << (bucket % 8);
                filter.low[at][bucket / 8][usize::from(byte & 15)] |= bit;
                filter.high[at][bucket / 8][usize::from(byte >> 4)] |= bit;
            }
        }
        filter
    }

    /// Sets a bit in `masks` for each position at which a stem may begin.
    pub(super) fn masks(&self, hashed: &[u8], masks: &mut [u32]) {
        for (block, mask) in masks.iter_mut().enumerate() {
            let at: Range<usize> = block * BLOCK..(block + 1) * BLOCK + PAIRS - 1;
            let triples = hashed[at].windows(PAIRS).enumerate();
            *mask = triples.fold(0, |mask, (bit, bytes)| {
                let sets = self.by_byte[0][usize::from(bytes[0])]
                    & self.by_byte[1][usize::from(bytes[1])]
                    & self.by_byte[2][usize::from(bytes[2])];
                mask | u32::from(sets != 0) << bit
            });
        }
    }
}

/// Letters in lower case, `_` for any other byte.
#[inline(always)]
pub(super) fn map(byte: u8) -> u8 {
    let lower = byte | 0x20;
    if lower.wrapping_sub(b'a') < 26 { lower } else { b'_' }
}

#[inline(always)]
pub(super) fn hash(first: u8, second: u8) -> u8 {
    first.rotate_left(4) ^ second
}

/// Copies the text into the window after its first byte, and hashes each pair of adjacent bytes.
#[inline(always)]
pub(super) fn map_and_hash(text: &[u8], window: &mut [u8], hashed: &mut [u8]) {
    for (to, from) in window[1..].iter_mut().zip(text) {
        *to = map(*from);
    }
    let seconds = &window[1..];
    for ((to, first), second) in hashed.iter_mut().zip(&*window).zip(seconds) {
        *to = hash(*first, *second);
    }
}
