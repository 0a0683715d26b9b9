//! `byte` and `base64url`: RFC 4648 sections 4 and 5.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::RngCore;

use super::choose::below;

/// Complete quadruples, padded. Both alphabets, because APIs that declare `byte` use either.
pub(super) fn detect(text: &str) -> bool {
    text.len().is_multiple_of(4) && alphabet(text.trim_end_matches('=')) && padding(text) <= 2
}

pub(super) fn detect_url(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    padding(text) <= 2 && body.len() % 4 != 1 && alphabet(body) && !body.contains(['+', '/'])
}

fn padding(text: &str) -> usize {
    text.bytes().rev().take_while(|byte| *byte == b'=').count()
}

fn alphabet(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
}

fn bytes(rng: &mut dyn RngCore, buffer: &mut [u8; 24]) -> usize {
    rng.fill_bytes(buffer);
    12 + below(rng, 13) as usize
}

pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    let mut buffer = [0; 24];
    let length = bytes(rng, &mut buffer);
    STANDARD.encode_string(&buffer[..length], out);
}

pub(super) fn write_url(rng: &mut dyn RngCore, out: &mut String) {
    let mut buffer = [0; 24];
    let length = bytes(rng, &mut buffer);
    URL_SAFE_NO_PAD.encode_string(&buffer[..length], out);
}
