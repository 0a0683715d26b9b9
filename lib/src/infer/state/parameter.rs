//! Values that came as text: query and path parameters, headers, form fields.

use serde::{Deserialize, Serialize};

use crate::infer::Limits;
use crate::infer::sketch::{Merge, Values, add, is_zero};

use super::json::Text;

/// Everything folded of one parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    /// Values in which a comma stands between parts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) lists: u64,
    /// The greatest number of values in one message.
    pub(crate) most: u64,
    /// Messages in which it stood.
    pub(crate) present: u64,
    /// The same, of requests answered below 400: only they are evidence of validity.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) present_ok: u64,
    /// Lexical types refuted so far, of [`Lexical`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) refuted: u64,
    pub(crate) text: Text,
}

/// What a text can be read as, as bits.
pub(crate) struct Lexical;

impl Lexical {
    /// `true` or `false`.
    pub(crate) const BOOL: u64 = 1;
    /// An integer as JSON writes it, of at most 18 digits.
    pub(crate) const INT: u64 = 2;
    /// A number as JSON writes it.
    pub(crate) const NUMBER: u64 = 4;
    const ALL: u64 = 7;

    fn refute(text: &str, open: u64) -> u64 {
        let mut refuted = 0;
        if open & Self::BOOL != 0 && text != "true" && text != "false" {
            refuted |= Self::BOOL;
        }
        if open & Self::INT != 0 && !is_int(text) {
            refuted |= Self::INT;
        }
        if open & Self::NUMBER != 0 && !is_number(text) {
            refuted |= Self::NUMBER;
        }
        refuted
    }
}

fn is_int(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // A leading zero is a zip code or an account number: text.
    !digits.is_empty()
        && digits.len() <= 18
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

fn is_number(text: &str) -> bool {
    match memchr::memchr(b'.', text.as_bytes()) {
        None => is_int(text),
        Some(point) => {
            let (whole, fraction) = (&text[..point], &text[point + 1..]);
            (is_int(whole) || whole == "-0")
                && !fraction.is_empty()
                && fraction.len() <= 18
                && fraction.bytes().all(|b| b.is_ascii_digit())
        }
    }
}

impl Parameter {
    /// Folds all values of the parameter in one message.
    pub(crate) fn fold<'v>(
        &mut self,
        values: impl Iterator<Item = &'v str>,
        ok: bool,
        limits: &Limits,
    ) {
        let mut most = 0;
        for value in values {
            most += 1;
            self.refuted |= Lexical::refute(value, Lexical::ALL & !self.refuted);
            if memchr::memchr(b',', value.as_bytes()).is_some() {
                add(&mut self.lists, 1);
            }
            self.text.fold(value, limits);
        }
        self.most = self.most.max(most);
        add(&mut self.present, 1);
        if ok {
            add(&mut self.present_ok, 1);
        }
    }

    /// True where every value reads as the type.
    pub(crate) fn is(&self, lexical: u64) -> bool {
        self.text.n > 0 && self.refuted & lexical == 0
    }
}

impl Merge for Parameter {
    fn coarsen(&mut self, limits: &Limits) {
        self.text.coarsen(limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        add(&mut self.lists, other.lists);
        self.most = self.most.max(other.most);
        add(&mut self.present, other.present);
        add(&mut self.present_ok, other.present_ok);
        self.refuted |= other.refuted;
        self.text.merge(other.text, limits);
    }

    fn demote(&mut self) {
        self.present = 0;
        self.present_ok = 0;
    }
}

/// The values of a path segment of one class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Segments {
    #[serde(default, skip_serializing_if = "is_zero")]
    refuted: u64,
    text: Text,
}

impl Segments {
    pub(crate) fn fold(&mut self, value: &str, limits: &Limits) {
        self.refuted |= Lexical::refute(value, Lexical::ALL & !self.refuted);
        self.text.fold(value, limits);
    }

    pub(crate) fn is(&self, lexical: u64) -> bool {
        self.text.n > 0 && self.refuted & lexical == 0
    }

    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    pub(crate) fn values(&self) -> &Values {
        &self.text.values
    }
}

impl Merge for Segments {
    fn coarsen(&mut self, limits: &Limits) {
        self.text.coarsen(limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.refuted |= other.refuted;
        self.text.merge(other.text, limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lexical_types() {
        assert!(is_int("0") && is_int("-12") && !is_int("012") && !is_int("") && !is_int("1e3"));
        assert!(is_number("1.50") && is_number("-0.5") && !is_number("1.") && !is_number(".5"));
    }
}
