//! `decimal`: a number in a string, so that readers do not round it.

use rand::RngCore;

use super::choose::{below, push_digits};

pub(super) fn detect(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    push_digits(out, below(rng, 1000), 1);
    out.push('.');
    push_digits(out, below(rng, 100), 2);
}
