//! Values in text form: query and path parameters, headers, form fields.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::infer::Limits;
use crate::infer::sketch::{Merge, Values, add, is_zero, merge_map};

use super::json::{Least, Text};

/// The observations of one parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ObservedParameter {
    /// Values of query parameters that contain a list delimiter; they are not in `text`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) delimited: BTreeMap<Delimiter, Box<Delimited>>,
    /// The maximum number of values in one message.
    pub(crate) most: u64,
    /// Messages that have it.
    pub(crate) present: u64,
    /// The same for requests answered below 400, because only they show what is valid.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) present_ok: u64,
    /// Refuted types of [`Lexical`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) refuted: u64,
    pub(crate) text: Text,
}

/// The types that a text can be read as, as bits.
pub(crate) struct Lexical;

impl Lexical {
    /// `true` or `false`.
    pub(crate) const BOOL: u64 = 1;
    /// An integer as JSON writes it, of at most 18 digits.
    pub(crate) const INT: u64 = 2;
    /// A number as JSON writes it.
    pub(crate) const NUMBER: u64 = 4;
    /// A word as in lists: no whitespace, and hardly any punctuation. Only for query parameters.
    pub(crate) const WORD: u64 = 8;
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
        if open & Self::WORD != 0 && !is_word(text) {
            refuted |= Self::WORD;
        }
        refuted
    }
}

/// The narrowest type of [`Lexical`] that a text can be read as; 0 for a string.
pub(crate) fn lexical_type(text: &str) -> u64 {
    match text {
        "true" | "false" => Lexical::BOOL,
        _ if is_int(text) => Lexical::INT,
        _ if is_number(text) => Lexical::NUMBER,
        _ => 0,
    }
}

fn is_int(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // With a leading zero, it is a zip code or an account number: text.
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

/// Short, and without characters of sentences, structures or markup.
fn is_word(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.chars().all(|c| c.is_alphanumeric() || "-_.:/@+*$".contains(c))
}

/// The delimiter between the items of a list in one text, in order of precedence: a value is a list
/// by the first one that it contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Delimiter {
    Comma,
    Pipe,
    Space,
}

impl Delimiter {
    fn of(text: &str) -> Option<Delimiter> {
        memchr::memchr3(b',', b'|', b' ', text.as_bytes())?;
        [Delimiter::Comma, Delimiter::Pipe]
            .into_iter()
            .find(|one| text.contains(one.sign()))
            .or(Some(Delimiter::Space))
    }

    pub(crate) fn sign(self) -> char {
        match self {
            Delimiter::Comma => ',',
            Delimiter::Pipe => '|',
            Delimiter::Space => ' ',
        }
    }
}

/// Values with a delimiter, as a whole and in parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delimited {
    /// The minimum number of parts.
    pub(crate) fewest: Least,
    /// The maximum number of parts.
    pub(crate) most: u64,
    /// The parts.
    pub(crate) parts: Text,
    /// Lexical types that a part refuted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) refuted: u64,
    /// Values that are not numbers with grouped digits.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) ungrouped: u64,
    pub(crate) whole: Text,
}

impl Delimited {
    fn fold(&mut self, value: &str, delimiter: Delimiter, limits: &Limits) {
        let (mut n, mut grouped) = (0, true);
        for part in value.split(delimiter.sign()) {
            n += 1;
            self.refuted |= Lexical::refute(part, (Lexical::ALL | Lexical::WORD) & !self.refuted);
            grouped &= (n == 1 || part.len() == 3) && part.bytes().all(|b| b.is_ascii_digit());
            self.parts.fold(part, limits);
        }
        add(&mut self.ungrouped, u64::from(!grouped));
        self.fewest.0 = self.fewest.0.min(n);
        self.most = self.most.max(n);
        self.whole.fold(value, limits);
    }
}

impl Merge for Delimited {
    fn coarsen(&mut self, limits: &Limits) {
        self.parts.coarsen(limits);
        self.whole.coarsen(limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.fewest.0 = self.fewest.0.min(other.fewest.0);
        self.most = self.most.max(other.most);
        self.parts.merge(other.parts, limits);
        self.refuted |= other.refuted;
        add(&mut self.ungrouped, other.ungrouped);
        self.whole.merge(other.whole, limits);
    }
}

impl ObservedParameter {
    /// Folds all values of a query parameter in one message. Values that may be lists are kept
    /// apart.
    pub(crate) fn fold_query<'v>(
        &mut self,
        values: impl Iterator<Item = &'v str>,
        ok: bool,
        limits: &Limits,
    ) {
        let mut most = 0;
        for value in values {
            most += 1;
            if let Some(delimiter) = Delimiter::of(value) {
                self.delimited.entry(delimiter).or_default().fold(value, delimiter, limits);
            } else {
                let open = (Lexical::ALL | Lexical::WORD) & !self.refuted;
                self.refuted |= Lexical::refute(value, open);
                self.text.fold(value, limits);
            }
        }
        self.count(most, ok);
    }

    /// All values as texts.
    pub(crate) fn whole(&self, limits: &Limits) -> Cow<'_, Text> {
        if self.delimited.is_empty() {
            return Cow::Borrowed(&self.text);
        }
        let mut all = self.text.clone();
        for delimited in self.delimited.values() {
            all.merge(delimited.whole.clone(), limits);
        }
        Cow::Owned(all)
    }

    fn count(&mut self, most: u64, ok: bool) {
        self.most = self.most.max(most);
        add(&mut self.present, 1);
        if ok {
            add(&mut self.present_ok, 1);
        }
    }

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
            self.text.fold(value, limits);
        }
        self.count(most, ok);
    }

    /// True if every value can be read as the type.
    pub(crate) fn is(&self, lexical: u64) -> bool {
        self.text.n > 0 && self.delimited.is_empty() && self.refuted & lexical == 0
    }
}

impl Merge for ObservedParameter {
    fn coarsen(&mut self, limits: &Limits) {
        self.delimited.values_mut().for_each(|delimited| delimited.coarsen(limits));
        self.text.coarsen(limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        merge_map(&mut self.delimited, other.delimited, limits);
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
