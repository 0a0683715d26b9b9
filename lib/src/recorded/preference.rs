//! Chooses among recordings of the same request: those with equal negotiation headers come first.

use std::collections::HashMap;

use crate::exchange::{Pairs, Request};

use super::redacted::{PseudonymCheck, text_matches, values};
use super::rule::Ignored;

/// The headers of conditional requests (RFC 9110, 13.1).
const CONDITIONAL: [&str; 5] =
    ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"];

/// The headers of a recorded request that select among several answers. Headers that were not sent
/// are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Preference {
    range: Option<Box<str>>,
    conditional: Vec<(&'static str, Box<str>)>,
    authorization: Option<Box<str>>,
    /// The headers that the answer's `Vary` names, with their values in the request.
    vary: Vec<(Box<str>, Option<Box<str>>)>,
    accept: Option<Box<str>>,
}

impl Preference {
    /// The preference of a recorded request; `vary` are the values of `Vary` in its answer.
    pub(super) fn of<'h>(
        request: &Request<'_>,
        vary: impl Iterator<Item = &'h str>,
        ignored: &Ignored,
    ) -> Preference {
        let headers = &request.headers;
        let value = |name: &str| {
            let counts = !ignored.headers.iter().any(|ignored| ignored == name);
            counts.then(|| joined(headers, name)).flatten()
        };
        let mut named: Vec<String> = vary
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_ascii_lowercase())
            .filter(|name| !name.is_empty() && name != "*" && !ignored.headers.contains(name))
            .collect();
        named.sort_unstable();
        named.dedup();
        let conditional = CONDITIONAL.into_iter();
        Preference {
            range: value("range"),
            conditional: conditional.filter_map(|name| Some((name, value(name)?))).collect(),
            authorization: value("authorization"),
            vary: named.into_iter().map(|name| (name.as_str().into(), value(&name))).collect(),
            accept: value("accept"),
        }
    }

    /// A higher value fits better; the first differing header group decides. A pseudonym equals its
    /// secret.
    pub(super) fn fit(
        &self,
        requested: &Request<'_>,
        ignored: &Ignored,
        check: PseudonymCheck<'_>,
    ) -> u8 {
        let headers = &requested.headers;
        let same = |name: &str, recorded: Option<&str>| {
            if ignored.headers.iter().any(|ignored| ignored == name) {
                return true;
            }
            match (recorded, joined(headers, name)) {
                (None, None) => true,
                (Some(recorded), Some(requested)) => text_matches(recorded, &requested, check),
                _ => false,
            }
        };
        let conditional = CONDITIONAL.iter().all(|name| {
            let recorded = self.conditional.iter().find(|(own, _)| own == name);
            same(name, recorded.map(|(_, value)| value.as_ref()))
        });
        let groups = [
            same("range", self.range.as_deref()),
            conditional,
            same("authorization", self.authorization.as_deref()),
            self.vary.iter().all(|(name, value)| same(name, value.as_deref())),
            same("accept", self.accept.as_deref()),
        ];
        groups.iter().fold(0, |fit, equal| fit << 1 | u8::from(*equal))
    }
}

/// The value of a header; several values are joined as RFC 9110, 5.3 permits.
fn joined(headers: &Pairs<'_>, name: &str) -> Option<Box<str>> {
    let mut values = values(headers, name);
    let first = values.next()?;
    match values.next() {
        None => Some(first.into()),
        Some(second) => {
            let all: Vec<&str> = [first, second].into_iter().chain(values).collect();
            Some(all.join(", ").into())
        }
    }
}

/// Numbered preferences, because many requests share a few.
#[derive(Debug, Default)]
pub(super) struct PreferenceTable {
    all: Vec<Preference>,
    numbers: HashMap<Preference, u32>,
}

impl PreferenceTable {
    pub(super) fn number(&mut self, preference: Preference) -> u32 {
        if let Some(number) = self.numbers.get(&preference) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(preference.clone());
        self.numbers.insert(preference, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> Option<&Preference> {
        self.all.get(number as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> Request<'static> {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Request { headers: headers.collect(), ..Request::default() }
    }

    #[test]
    fn range_counts_more_than_accept() {
        let none = Ignored::default();
        let vary = || ["Accept-Language, *", "X-Tenant"].into_iter();
        let of = |headers: &[_]| Preference::of(&request(headers), vary(), &none);
        let fit = |recorded: &Preference, requested: &[_]| {
            recorded.fit(&request(requested), &none, &|_, _| true)
        };
        let ranged = of(&[("range", "bytes=0-1"), ("accept", "a/b")]);
        let plain = of(&[("accept", "a/b"), ("x-tenant", "1")]);
        let requested = [("range", "bytes=0-1"), ("accept", "c/d")];
        assert!(fit(&ranged, &requested) > fit(&plain, &requested));
        let requested = [("accept", "a/b"), ("x-tenant", "2")];
        assert!(fit(&plain, &requested) > fit(&ranged, &requested));
        assert_eq!(fit(&plain, &[("accept", "a/b"), ("x-tenant", "1")]), 0b11111);
        let ignored = Ignored { headers: vec!["x-tenant".into()], ..Ignored::default() };
        let plain = Preference::of(&request(&[("accept", "a/b")]), vary(), &ignored);
        assert_eq!(
            plain.fit(&request(&[("accept", "a/b"), ("x-tenant", "2")]), &ignored, &|_, _| true),
            31
        );
    }
}
