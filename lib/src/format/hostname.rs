//! `hostname` and `idn-hostname`: RFC 1123 names, and RFC 5890 names by their characters.

use rand::RngCore;

use super::choose::{below, pick, push_digits};

pub(super) fn detect(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.split('.').all(|label| {
            let bytes = label.as_bytes();
            (1..=63).contains(&bytes.len())
                && bytes[0] != b'-'
                && bytes[bytes.len() - 1] != b'-'
                && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        })
}

/// Letters and digits of any script. The contextual rules of RFC 5892 are not checked.
pub(super) fn detect_idn(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']).all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().count() <= 63
                && label.chars().all(|c| {
                    c == '-'
                        || c.is_alphanumeric()
                        || (!c.is_ascii() && !c.is_whitespace() && !c.is_control())
                })
        })
}

/// A name under a domain that RFC 2606 reserves.
pub(super) fn write(rng: &mut dyn RngCore, out: &mut String) {
    out.push_str(pick(
        rng,
        &["api", "app", "cdn", "data", "db", "img", "mail", "node", "shop", "static", "web", "www"],
    ));
    if below(rng, 2) == 0 {
        out.push('-');
        push_digits(out, below(rng, 100), 1);
    }
    out.push_str(pick(rng, &[".example.com", ".example.org", ".example.net"]));
}
