//! `date-time` and `date-time-local`: RFC 3339 timestamps with and without an offset.

use rand::RngCore;

use super::{date, time};

/// The date and time around the `T`; the space that RFC 3339 also mentions is invalid for
/// `date-time`.
fn split(text: &str) -> Option<(&str, &str)> {
    match text.as_bytes().get(10)? {
        b'T' | b't' => Some((text.get(..10)?, text.get(11..)?)),
        _ => None,
    }
}

pub(super) fn detect(text: &str) -> bool {
    split(text).is_some_and(|(day, clock)| date::detect(day) && time::detect(clock))
}

pub(super) fn infer(text: &str) -> bool {
    text.len() >= 20
        && text.as_bytes()[10] == b'T'
        && split(text).is_some_and(|(day, clock)| date::infer(day) && time::infer(clock))
}

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    date::write(rng, out);
    out.push('T');
    time::write(rng, out);
}

pub(super) fn detect_local(text: &str) -> bool {
    split(text).is_some_and(|(day, clock)| date::detect(day) && time::detect_local(clock))
}

pub(super) fn write_local(rng: &mut dyn RngCore, out: &mut String) {
    date::write(rng, out);
    out.push('T');
    time::write_local(rng, out);
}
