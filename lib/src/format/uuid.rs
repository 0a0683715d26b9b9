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
    let mut text = [b'-'; 36];
    let mut at = 0;
    for byte in bits.to_be_bytes() {
        if matches!(at, 8 | 13 | 18 | 23) {
            at += 1;
        }
        for digit in [byte >> 4, byte & 0xf] {
            text[at] = b"0123456789abcdef"[usize::from(digit)];
            at += 1;
        }
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}
