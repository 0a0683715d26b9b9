//! `binary` and `password`: every text has these formats.

use rand::RngCore;

use super::choose::below;

pub(super) fn detect(_: &str) -> bool {
    true
}

fn write(rng: &mut dyn RngCore, out: &mut String, alphabet: &[u8], length: u64) {
    for _ in 0..length {
        out.push(char::from(alphabet[below(rng, alphabet.len() as u64) as usize]));
    }
}

/// Printable, so that JSON needs no escapes.
pub(super) fn write_binary(rng: &mut dyn RngCore, out: &mut String) {
    write(rng, out, b"0123456789abcdef", 32);
}

pub(super) fn write_password(rng: &mut dyn RngCore, out: &mut String) {
    let length = 12 + below(rng, 5);
    write(rng, out, b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#%+-_", length);
}
