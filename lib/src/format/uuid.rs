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
    for at in 0..32 {
        if matches!(at, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        let digit = (bits >> (124 - 4 * at)) & 0xf;
        out.push(char::from(b"0123456789abcdef"[digit as usize]));
    }
}
