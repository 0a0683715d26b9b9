//! `date`: RFC 3339 `full-date`.

use rand::RngCore;

use super::choose::{digits, push_digits, range};

pub(super) fn detect(text: &str) -> bool {
    year(text.as_bytes()).is_some()
}

/// Year 0000 is legal in RFC 3339, but several languages cannot represent it.
pub(super) fn infer(text: &str) -> bool {
    year(text.as_bytes()).is_some_and(|year| year > 0)
}

/// The year of a valid date.
pub(super) fn year(text: &[u8]) -> Option<u32> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(year)
}

/// A day from 2015 to 2026.
pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    let (year, month, day) = random(rng);
    push(out, year, month, day);
}

/// Any day up to the 28th, which every month has.
pub(super) fn random(rng: &mut dyn RngCore) -> (u64, u64, u64) {
    (range(rng, 2015, 2026) as u64, range(rng, 1, 12) as u64, range(rng, 1, 28) as u64)
}

pub(super) fn push(out: &mut String, year: u64, month: u64, day: u64) {
    push_digits(out, year, 4);
    out.push('-');
    push_digits(out, month, 2);
    out.push('-');
    push_digits(out, day, 2);
}
