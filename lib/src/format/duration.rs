//! `duration`: RFC 3339 appendix A.

use rand::RngCore;

use super::choose::{below, push_digits};

pub(super) fn detect(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else { return false };
    if let Some(weeks) = text.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|byte| byte.is_ascii_digit());
    }
    match text.split_once('T') {
        Some((date, time)) => (date.is_empty() || units(date, b"YMD")) && units(time, b"HMS"),
        None => units(text, b"YMD"),
    }
}

/// One or more numbers with units; each unit directly follows the previous one in `order`.
fn units(text: &str, order: &[u8]) -> bool {
    let mut next = None;
    let mut digits = 0;
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            digits += 1;
            continue;
        }
        let Some(place) = order.iter().position(|unit| *unit == byte) else { return false };
        if digits == 0 || next.is_some_and(|next| next != place) {
            return false;
        }
        (next, digits) = (Some(place + 1), 0);
    }
    next.is_some() && digits == 0
}

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    let amount = below(rng, 59) + 1;
    let (prefix, unit) =
        [("P", 'D'), ("P", 'W'), ("PT", 'H'), ("PT", 'M'), ("PT", 'S')][below(rng, 5) as usize];
    out.push_str(prefix);
    push_digits(out, amount, 1);
    out.push(unit);
}
