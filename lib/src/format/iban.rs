//! `iban`: ISO 13616 account numbers with the check digits of ISO 7064.

use rand::RngCore;

use super::choose::{below, push_digits};

pub(super) fn detect(text: &str) -> bool {
    let mut compact = text.bytes().filter(|byte| *byte != b' ');
    let length = compact.clone().count();
    let head: Vec<u8> = compact.by_ref().take(4).collect();
    (15..=34).contains(&length)
        && head[..2].iter().all(u8::is_ascii_uppercase)
        && head[2..].iter().all(u8::is_ascii_digit)
        && remainder(compact.chain(head)) == Some(1)
}

/// The number modulo 97, with letters as 10 to 35.
fn remainder(text: impl Iterator<Item = u8>) -> Option<u64> {
    let mut rest = 0;
    for byte in text {
        rest = match byte {
            b'0'..=b'9' => rest * 10 + u64::from(byte - b'0'),
            b'A'..=b'Z' => rest * 100 + u64::from(byte - b'A') + 10,
            _ => return None,
        } % 97;
    }
    Some(rest)
}

/// A German number: 18 digits for bank and account.
pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    let mut account = String::with_capacity(18);
    push_digits(&mut account, below(rng, 1_000_000_000_000_000_000), 18);
    let rest = remainder(account.bytes().chain(*b"DE00")).unwrap_or(0);
    out.push_str("DE");
    push_digits(out, 98 - rest, 2);
    out.push_str(&account);
}
