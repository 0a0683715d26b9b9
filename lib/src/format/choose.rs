//! Random choices.
//!
//! These functions replace `rand`'s distributions, because the result for a seed must not change
//! when `rand` does.

use rand::RngCore;

/// A number below `end`; 0 if `end` is 0. The bias of the multiplication, at most `end / 2^64`, is
/// negligible.
pub fn below(rng: &mut (impl RngCore + ?Sized), end: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(end)) >> 64) as u64
}

/// A number from `low` to `high`, inclusive; `low` if the range is empty.
pub fn range(rng: &mut (impl RngCore + ?Sized), low: i64, high: i64) -> i64 {
    if high <= low {
        return low;
    }
    let span = high.wrapping_sub(low) as u64;
    let step = if span == u64::MAX { rng.next_u64() } else { below(rng, span + 1) };
    low.wrapping_add(step as i64)
}

/// One of `items`, which must not be empty.
pub fn pick<'a, T: ?Sized>(rng: &mut (impl RngCore + ?Sized), items: &[&'a T]) -> &'a T {
    items[below(rng, items.len() as u64) as usize]
}

/// Appends `number` in decimal with at least `width` digits.
pub fn push_digits(out: &mut String, number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let (mut at, mut rest) = (digits.len(), number);
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    at = at.min(digits.len() - width.min(digits.len()));
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// The value of `text`, if it is ASCII digits only.
pub(super) fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0_u32, |value, byte| match byte {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u32::from(byte - b'0')),
        _ => None,
    })
}
