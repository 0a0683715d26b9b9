//! The AVX2 filter, 32 bytes at a time.

use std::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set_epi64x, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi16,
};

use super::filter::{BLOCK, Filter, PAIRS, map_and_hash};

/// As [`super::Scanner::filter`].
#[target_feature(enable = "avx2")]
pub(super) fn filter(
    filter: &Filter,
    text: &[u8],
    window: &mut [u8],
    hashed: &mut [u8],
    masks: &mut [u32],
) {
    map_and_hash(text, window, hashed);
    let tables = [0, 1, 2].map(|at| {
        [&filter.low[at], &filter.high[at]].map(|halves| [twice(&halves[0]), twice(&halves[1])])
    });
    let half = _mm256_set1_epi8(0x0f);
    for (block, mask) in masks.iter_mut().enumerate() {
        let mut sets = [_mm256_set1_epi8(-1); 2];
        for at in 0..PAIRS {
            let Some(bytes) = hashed[block * BLOCK + at..].first_chunk() else { break };
            let bytes = vector(bytes);
            let low = _mm256_and_si256(bytes, half);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half);
            for (index, sets) in sets.iter_mut().enumerate() {
                let by_low = _mm256_shuffle_epi8(tables[at][0][index], low);
                let by_high = _mm256_shuffle_epi8(tables[at][1][index], high);
                *sets = _mm256_and_si256(*sets, _mm256_and_si256(by_low, by_high));
            }
        }
        let any = _mm256_or_si256(sets[0], sets[1]);
        let none = _mm256_cmpeq_epi8(any, _mm256_setzero_si256());
        *mask = !(_mm256_movemask_epi8(none).cast_unsigned());
    }
}

#[target_feature(enable = "avx2")]
fn vector(bytes: &[u8; BLOCK]) -> __m256i {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| i64::from_le_bytes(words[at]);
    _mm256_set_epi64x(word(3), word(2), word(1), word(0))
}

/// A table of 16 bytes for both halves of a vector.
#[target_feature(enable = "avx2")]
fn twice(table: &[u8; 16]) -> __m256i {
    let (words, _) = table.as_chunks::<8>();
    let word = |at: usize| i64::from_le_bytes(words[at]);
    _mm256_set_epi64x(word(1), word(0), word(1), word(0))
}
