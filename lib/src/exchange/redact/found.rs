//! The replaced secrets: locations for the record, and counts for the summary.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Maximum number of string locations that a record lists. Pseudonyms are recognisable without the
/// list.
const LISTED: usize = 256;
/// Maximum number of names that are counted for the summary.
const COUNTED: usize = 4096;
/// Maximum number of names that the summary shows.
const SHOWN: usize = 12;

/// The secrets found in an exchange.
#[derive(Default)]
pub(super) struct Found {
    /// The current part: `request.body`, for instance.
    pub(super) part: &'static str,
    /// The location in the part: `#/pointer`, `.name`, or empty.
    detail: String,
    places: BTreeSet<String>,
    /// Locations that the record listed already.
    before: BTreeSet<String>,
    counts: BTreeMap<(&'static str, String), u64>,
}

impl Found {
    pub(super) fn new(before: &[Cow<'_, str>]) -> Found {
        let before = before.iter().map(|place| place.clone().into_owned()).collect();
        Found { before, ..Found::default() }
    }

    /// Sets the location in the part.
    pub(super) fn at(&mut self, detail: &str) {
        self.detail.clear();
        self.detail.push_str(detail);
    }

    /// Notes a secret at the current location. `name` is the name that marks the secret, or the
    /// kind of the secret.
    pub(super) fn note(&mut self, name: &str) {
        self.count(name);
        if self.places.len() < LISTED {
            self.places.insert(format!("{}{}", self.part, self.detail));
        }
    }

    /// The same for a number. Replaced numbers are not recognisable, so they are always listed.
    pub(super) fn note_number(&mut self, name: &str) {
        self.count(name);
        self.places.insert(format!("{}{}", self.part, self.detail));
    }

    fn count(&mut self, name: &str) {
        *self.counts.entry((self.part, name.to_ascii_lowercase())).or_default() += 1;
    }

    /// True if the record already lists this location as replaced.
    pub(super) fn is_known(&self) -> bool {
        !self.before.is_empty() && self.before.contains(&format!("{}{}", self.part, self.detail))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub(super) fn into_places(mut self) -> BTreeSet<String> {
        self.places.append(&mut self.before);
        self.places
    }
}

/// Counts of replaced secrets, by part and name. Displayed as `request.header authorization 25,
/// response.body token 3`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaced(BTreeMap<(&'static str, String), u64>);

impl Replaced {
    pub(super) fn add(&mut self, found: &Found) {
        for (name, count) in &found.counts {
            if let Some(sum) = self.0.get_mut(name) {
                *sum += count;
            } else if self.0.len() < COUNTED {
                self.0.insert(name.clone(), *count);
            }
        }
    }

    /// True if nothing was replaced.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all: Vec<_> = self.0.iter().collect();
        // The most frequent first; equals keep the order of the message.
        all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (index, ((part, name), count)) in all.iter().take(SHOWN).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // Names come from the traffic and must not control the terminal.
            let name: String = name.chars().take(64).collect();
            write!(f, "{comma}{part} {} {count}", name.escape_debug())?;
        }
        if all.len() > SHOWN {
            let rest: u64 = all[SHOWN..].iter().map(|(_, count)| **count).sum();
            write!(f, ", and {rest} under {} other names", all.len() - SHOWN)?;
        }
        Ok(())
    }
}
