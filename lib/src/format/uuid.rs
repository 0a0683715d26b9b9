//! `uuid`: RFC 9562, five groups of hexadecimal digits, any version.

use rand::RngCore;

pub(super) fn detect(text: &str) -> bool {
    let text = text.as_bytes();
    text.len() == 36
        && text[8] == b'-'
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Version 4.
pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    let bits = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    /// The position of each byte's digits in the text.
    const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    for (byte, at) in bits.to_be_bytes().into_iter().zip(PLACES) {
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 0xf)];
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}
