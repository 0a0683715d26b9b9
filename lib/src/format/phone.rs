//! `phone`: a telephone number as people write it; ITU-T E.164 limits the number of digits.

use rand::RngCore;

use super::choose::{below, push_digits};

pub(super) fn detect(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (3..=15).contains(&digits)
        && text.bytes().enumerate().all(|(at, byte)| match byte {
            b'+' => at == 0,
            b'0'..=b'9' | b' ' | b'-' | b'.' | b'(' | b')' | b'/' => true,
            _ => false,
        })
}

/// A number from 555-0100 to 555-0199, which is reserved for fiction.
pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    out.push_str("+1");
    push_digits(out, 200 + below(rng, 800), 3);
    out.push_str("55501");
    push_digits(out, below(rng, 100), 2);
}
