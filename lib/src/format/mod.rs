//! One small file per string format, with `detect` and `generate`, and one table.
//!
//! Builder, validator and faker all read [`FORMATS`], so a format that is inferred from traffic is
//! also checked and generated. Numeric formats (`int32`, …) are ranges in [`integer_range`]. This
//! module does not depend on schemas.

use rand::RngCore;

mod base64;
mod date;
mod date_time;
mod decimal;
mod duration;
mod email;
mod free;
mod hostname;
mod http_date;
mod iban;
mod integer;
mod ip;
mod json_pointer;
mod jwt;
mod phone;
mod regex;
mod time;
mod uri;
mod uri_template;
mod uuid;

mod choose;
pub use choose::{below, pick, push_digits, range};
pub use integer::integer_range;

/// A string format.
#[derive(Debug)]
pub struct StringFormat {
    /// The name in `format:`.
    pub name: &'static str,
    /// True if the whole text has the format, for validation.
    pub detect: fn(&str) -> bool,
    /// Appends a random text for which [`detect`](Self::detect) and [`infer`](Self::infer) are
    /// true.
    pub write: fn(&mut dyn RngCore, &mut String),
    /// True if a text is evidence for the format. It implies `detect`, and is stricter if `detect`
    /// accepts what other validators refuse (leap seconds) or ordinary texts (`sha256:ab12` is a
    /// URI). `None` if the builder does not infer the format.
    pub infer: Option<fn(&str) -> bool>,
}

impl StringFormat {
    /// True if the builder may infer the format (others are only checked and generated).
    pub fn inferred(&self) -> bool {
        self.infer.is_some()
    }

    /// A random text with the format.
    pub fn generate(&self, rng: &mut dyn RngCore) -> String {
        let mut out = String::new();
        (self.write)(rng, &mut out);
        out
    }
}

const fn inferred(
    name: &'static str,
    detect: fn(&str) -> bool,
    infer: fn(&str) -> bool,
    write: fn(&mut dyn RngCore, &mut String),
) -> StringFormat {
    StringFormat { name, detect, write, infer: Some(infer) }
}

const fn declared(
    name: &'static str,
    detect: fn(&str) -> bool,
    write: fn(&mut dyn RngCore, &mut String),
) -> StringFormat {
    StringFormat { name, detect, write, infer: None }
}

/// All formats. If several match, the first inferred one is written into a spec.
///
/// The index of an inferred format is its bit in [`detect_mask`] and in stored partials: new ones
/// must be added after the other inferred ones, and none may move.
pub const FORMATS: &[StringFormat] = &[
    inferred("date-time", date_time::detect, date_time::infer, date_time::write),
    inferred("date", date::detect, date::infer, date::write),
    inferred("time", time::detect, time::infer, time::write),
    inferred("uuid", uuid::detect, uuid::detect, uuid::write),
    inferred("email", email::detect, email::infer, email::write),
    inferred("uri", uri::detect, uri::infer, uri::write),
    inferred("ipv4", ip::detect_v4, ip::detect_v4, ip::write_v4),
    inferred("ipv6", ip::detect_v6, ip::detect_v6, ip::write_v6),
    // From here on: never inferred, in any order.
    declared("binary", free::detect, free::write_binary),
    declared("byte", base64::detect, base64::write),
    declared("base64url", base64::detect_url, base64::write_url),
    declared("date-time-local", date_time::detect_local, date_time::write_local),
    declared("decimal", decimal::detect, decimal::write),
    declared("duration", duration::detect, duration::write),
    declared("hostname", hostname::detect, hostname::write),
    declared("http-date", http_date::detect, http_date::write),
    declared("iban", iban::detect, iban::write),
    declared("idn-email", email::detect_idn, email::write),
    declared("idn-hostname", hostname::detect_idn, hostname::write),
    declared("iri", uri::detect_iri, uri::write),
    declared("iri-reference", uri::detect_iri_reference, uri::write_reference),
    declared("json-pointer", json_pointer::detect, json_pointer::write),
    declared("jwt", jwt::detect, jwt::write),
    declared("password", free::detect, free::write_password),
    declared("phone", phone::detect, phone::write),
    declared("regex", regex::detect, regex::write),
    declared("relative-json-pointer", json_pointer::detect_relative, json_pointer::write_relative),
    declared("time-local", time::detect_local, time::write_local),
    declared("uri-reference", uri::detect_reference, uri::write_reference),
    declared("uri-template", uri_template::detect, uri_template::write),
    declared("url", uri::detect_reference, uri::write),
];

const INFERRED: u64 = {
    let (mut mask, mut i) = (0, 0);
    while i < FORMATS.len() {
        if FORMATS[i].infer.is_some() {
            mask |= 1 << i;
        }
        i += 1;
    }
    mask
};

/// The format with a name.
pub fn by_name(name: &str) -> Option<&'static StringFormat> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The bits of the formats that the builder may infer; bit `i` is `FORMATS[i]`.
pub const fn inferred_mask() -> u64 {
    INFERRED
}

/// The bits of `candidates` whose format `text` is evidence for; bits of formats that are not
/// inferred are cleared.
pub fn detect_mask(text: &str, candidates: u64) -> u64 {
    let mut found = 0;
    let mut open = candidates & INFERRED;
    while open != 0 {
        let index = open.trailing_zeros() as usize;
        open &= open - 1;
        if FORMATS[index].infer.is_some_and(|infer| infer(text)) {
            found |= 1 << index;
        }
    }
    found
}

/// The first format of a mask, which is written into a spec.
pub fn first(mask: u64) -> Option<&'static StringFormat> {
    FORMATS.get(mask.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests;
