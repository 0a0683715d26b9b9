//! `json-pointer` (RFC 6901) and `relative-json-pointer`.

use rand::RngCore;

use super::choose::{below, pick, push_digits};

pub(super) fn detect(text: &str) -> bool {
    if !text.is_empty() && !text.starts_with('/') {
        return false;
    }
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'~', bytes).all(|at| matches!(bytes.get(at + 1), Some(b'0' | b'1')))
}

pub(super) fn detect_relative(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (levels, rest) = text.split_at(digits);
    !levels.is_empty()
        && (levels == "0" || !levels.starts_with('0'))
        && (rest == "#" || detect(rest))
}

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    out.push('/');
    out.push_str(pick(rng, &["data", "items", "meta", "errors", "user", "links"]));
    if below(rng, 2) == 0 {
        out.push('/');
        push_digits(out, below(rng, 10), 1);
    }
}

pub(super) fn write_relative(rng: &mut dyn RngCore, out: &mut String) {
    push_digits(out, below(rng, 4), 1);
    write(rng, out);
}
