//! Escapes sixteen bytes at a time.
//!
//! For each half of them, the bit mask of the bytes to escape selects a shuffle that inserts the
//! backslashes. Lemire and Muła describe the technique ("Transcoding billions of Unicode characters
//! per second with SIMD instructions", 2022).

use std::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_blendv_epi8, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_cvtsi128_si64,
    _mm_extract_epi64, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
    _mm_set1_epi8, _mm_setzero_si128, _mm_shuffle_epi8, _mm_unpackhi_epi64, _mm_unpacklo_epi64,
};

use super::plain::{CODE, ESCAPES, push_each};

/// Number of bytes in a vector.
pub(super) const WIDTH: usize = 16;

/// Number of input bytes whose escaped form is collected on the stack before it is appended.
const BLOCK: usize = 16 * WIDTH;

/// For each mask of bytes to escape, the source of each output byte: 0 to 7 are input bytes, 8 is
/// the backslash, and the rest is unused.
static SHUFFLES: [[u8; 16]; 256] = {
    let mut shuffles = [[0x80; 16]; 256];
    let mut set = 0;
    while set < 256 {
        let (mut from, mut to) = (0, 0);
        while from < 8 {
            if set >> from & 1 == 1 {
                shuffles[set][to] = 8;
                to += 1;
            }
            shuffles[set][to] = from as u8;
            to += 1;
            from += 1;
        }
        set += 1;
    }
    shuffles
};

/// The first sixteen entries of [`ESCAPES`], 0 for those that need a code.
static SHORT: [u8; 16] = {
    let mut short = [0; 16];
    let mut control = 0;
    while control < 16 {
        if ESCAPES[control] != CODE {
            short[control] = ESCAPES[control];
        }
        control += 1;
    }
    short
};

/// True if the processor has the features that [`push_escaped`] needs.
pub(super) fn is_supported() -> bool {
    // SSE4.1 implies SSSE3.
    is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("popcnt")
}

/// Appends the text with its escapes.
#[target_feature(enable = "sse4.1,popcnt")]
pub(super) fn push_escaped(text: &[u8], out: &mut Vec<u8>) {
    let quote = _mm_set1_epi8(b'"' as i8);
    let backslash = _mm_set1_epi8(b'\\' as i8);
    let short = vector(&SHORT);
    let (mut found, mut block) = (0, [0; 2 * BLOCK]);
    let (chunks, rest) = text.as_chunks::<WIDTH>();
    for chunk in chunks {
        let mut bytes = vector(chunk);
        let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        let mut escaped = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), control);
        escaped = _mm_or_si128(escaped, _mm_cmpeq_epi8(bytes, backslash));
        let escaped = _mm_movemask_epi8(escaped);
        // The shuffles and copies below need space for the worst case.
        if found > 2 * (BLOCK - WIDTH) {
            out.extend_from_slice(&block[..found]);
            found = 0;
        }
        if _mm_movemask_epi8(control) != 0 {
            let letters = _mm_shuffle_epi8(short, bytes);
            let none = _mm_cmpeq_epi8(letters, _mm_setzero_si128());
            let above = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x0f));
            let coded = _mm_and_si128(control, _mm_or_si128(none, above));
            if _mm_movemask_epi8(coded) != 0 {
                out.extend_from_slice(&block[..found]);
                found = 0;
                push_each(chunk, out);
                continue;
            }
            bytes = _mm_blendv_epi8(bytes, letters, control);
        }
        let halves = [_mm_unpacklo_epi64(bytes, backslash), _mm_unpackhi_epi64(bytes, backslash)];
        for (half, set) in halves.into_iter().zip(escaped.to_le_bytes()) {
            let spread = _mm_shuffle_epi8(half, vector(&SHUFFLES[usize::from(set)]));
            store(spread, &mut block[found..found + WIDTH]);
            found += 8 + set.count_ones() as usize;
        }
    }
    out.extend_from_slice(&block[..found]);
    push_each(rest, out);
}

#[target_feature(enable = "sse4.1")]
fn vector(bytes: &[u8; 16]) -> __m128i {
    let bytes = u128::from_le_bytes(*bytes);
    _mm_set_epi64x((bytes >> 64) as i64, bytes as i64)
}

#[target_feature(enable = "sse4.1")]
fn store(vector: __m128i, to: &mut [u8]) {
    to[..8].copy_from_slice(&_mm_cvtsi128_si64(vector).to_le_bytes());
    to[8..].copy_from_slice(&_mm_extract_epi64::<1>(vector).to_le_bytes());
}
