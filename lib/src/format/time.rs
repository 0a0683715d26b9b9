//! `time` and `time-local`: RFC 3339 `full-time` and `partial-time`.

use rand::RngCore;

use super::choose::{below, digits, push_digits};

/// A time of day.
struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    /// Length of the text up to the offset, in bytes.
    length: usize,
}

pub(super) fn detect(text: &str) -> bool {
    check(text.as_bytes()).is_some()
}

/// Many parsers do not support leap seconds, and some only accept capitals.
pub(super) fn infer(text: &str) -> bool {
    text.len() >= 9
        && check(text.as_bytes()).is_some_and(|second| second < 60)
        && !text.ends_with('z')
}

/// The seconds of a valid `full-time`.
pub(super) fn check(text: &[u8]) -> Option<u32> {
    let clock = partial(text)?;
    let zone = &text[clock.length..];
    // Minutes since midnight in UTC, for the leap second: it is at 23:59:60 UTC, whatever the local
    // time is.
    let offset = match zone {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = (hours * 60 + minutes) as i32;
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let utc = ((clock.hour * 60 + clock.minute) as i32 - offset).rem_euclid(24 * 60);
    (clock.second < 60 || utc == 24 * 60 - 1).then_some(clock.second)
}

pub(super) fn detect_local(text: &str) -> bool {
    partial(text.as_bytes()).is_some_and(|clock| clock.length == text.len())
}

fn partial(text: &[u8]) -> Option<Clock> {
    if text.len() < 8 || text[2] != b':' || text[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (digits(&text[..2])?, digits(&text[3..5])?, digits(&text[6..8])?);
    let mut length = 8;
    if text.get(length) == Some(&b'.') {
        let fraction = text[length + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if fraction == 0 {
            return None;
        }
        length += 1 + fraction;
    }
    (hour < 24 && minute < 60 && second <= 60).then_some(Clock { hour, minute, second, length })
}

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    write_local(rng, out);
    out.push('Z');
}

pub(super) fn write_local(rng: &mut dyn RngCore, out: &mut String) {
    push_digits(out, below(rng, 24), 2);
    out.push(':');
    push_digits(out, below(rng, 60), 2);
    out.push(':');
    push_digits(out, below(rng, 60), 2);
}
