//! Compares identifiers up to renaming. A server gives a new order a new number. The new number is
//! not a difference if it replaces the recorded one everywhere.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::replay::carry::{IdName, Strength, strength};

/// Maximum number of renamings.
const MAX_RENAMES: usize = 200_000;
/// Minimum length of a generated value.
const MIN_GENERATED: usize = 16;

/// The new identifiers by the recorded ones.
#[derive(Debug, Default)]
pub(super) struct Renames {
    new: HashMap<String, String>,
    /// The recorded identifiers by the new ones, so that two identifiers do not become one.
    old: HashMap<String, String>,
    /// The number of renamed identifiers.
    pub(super) count: u64,
}

/// The key of an identifier: a UUID is its own key; a number also needs the thing that it
/// identifies.
fn key(value: &str, id: Option<&IdName>) -> Option<String> {
    match strength(value) {
        Strength::Strong => Some(value.to_owned()),
        Strength::Weak => id.map(|id| format!("{}\0{value}", id.entity)),
        Strength::Never => None,
    }
}

impl Renames {
    /// Adds a value that was sent in place of a recorded one.
    pub(super) fn carried(&mut self, old: &str, new: &str) {
        if old != new && strength(old) == Strength::Strong {
            self.insert(old.to_owned(), new);
        }
    }

    /// True if `new` stands for the recorded identifier. `is_sent` is true if the request contained
    /// the recorded one, which then cannot be renamed.
    pub(super) fn is_renamed(
        &mut self,
        old: &str,
        new: &str,
        id: Option<&IdName>,
        is_sent: &dyn Fn(&str) -> bool,
    ) -> bool {
        let is_id = id.is_some_and(|id| id.class == "id") && has_digit(old) && has_digit(new);
        if !(is_id || is_generated(old) && is_generated(new)) {
            return false;
        }
        let Some(own) = key(old, id) else { return false };
        if let Some(known) = self.new.get(&own) {
            return known == new;
        }
        if is_digits(old) != is_digits(new) || is_sent(old) {
            return false;
        }
        let Some(other) = key(new, id) else { return false };
        if self.old.get(&other).is_some_and(|known| *known != own) {
            return false;
        }
        self.count += 1;
        self.old.insert(other, own.clone());
        self.insert(own, new);
        true
    }

    fn insert(&mut self, old: String, new: &str) {
        if self.new.len() >= MAX_RENAMES {
            self.new.clear();
            self.old.clear();
        }
        self.new.insert(old, new.to_owned());
    }

    /// True if two texts differ only in known identifiers: `/orders/17` and `/orders/42`.
    pub(super) fn same_text(&self, old: &str, new: &str) -> bool {
        let (mut olds, mut news) = (words(old), words(new));
        let mut before = Cow::Borrowed("");
        loop {
            match (olds.next(), news.next()) {
                (None, None) => return true,
                (Some(old), Some(new)) => {
                    if old != new && !self.knows(old, new, &before) {
                        return false;
                    }
                    if old.starts_with(|c: char| c.is_ascii_alphabetic()) {
                        before = crate::replay::carry::singular(old).into_owned().into();
                    }
                }
                _ => return false,
            }
        }
    }

    fn knows(&self, old: &str, new: &str, entity: &str) -> bool {
        let is = |key: &str| self.new.get(key).is_some_and(|known| known == new);
        is(old) || is(&format!("{entity}\0{old}"))
    }
}

/// Words, alternating with the text between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~');
        let first = rest.chars().next()?;
        let end = rest.find(|c: char| part(c) != part(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// True for UUIDs and other generated values.
fn is_generated(text: &str) -> bool {
    text.len() >= MIN_GENERATED
        && has_digit(text)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && strength(text) == Strength::Strong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::carry::id_name;

    #[test]
    fn identifiers_are_renamed_consistently() {
        let mut renames = Renames::default();
        let not_sent = |_: &str| false;
        let id = |around| id_name("id", around);
        assert!(renames.is_renamed("17", "42", id("orders").as_ref(), &not_sent));
        assert!(renames.is_renamed("17", "42", id("orders").as_ref(), &not_sent));
        assert!(!renames.is_renamed("17", "43", id("orders").as_ref(), &not_sent));
        assert!(
            !renames.is_renamed("18", "42", id("orders").as_ref(), &not_sent),
            "two become one"
        );
        assert!(renames.is_renamed("17", "9", id("users").as_ref(), &not_sent), "another kind");
        assert!(!renames.is_renamed("5", "6", id("users").as_ref(), &|value| value == "5"));
        assert!(!renames.is_renamed("17", "18", id_name("price", "orders").as_ref(), &not_sent));
        assert!(!renames.is_renamed("basic", "pro", id("plans").as_ref(), &not_sent));
        let uuids =
            ("0b8e1f5c-6a43-4d5e-9a0f-2c7d1e90b001", "7d444840-9dc0-11d1-b245-5ffdce74fad2");
        assert!(renames.is_renamed(uuids.0, uuids.1, None, &not_sent));
        assert!(renames.same_text("/orders/17?x=1", "/orders/42?x=1"));
        assert!(renames.same_text(&format!("a {}", uuids.0), &format!("a {}", uuids.1)));
        assert!(!renames.same_text("/orders/18", "/orders/42"));
        assert!(!renames.same_text("/carts/17", "/carts/42"));
    }
}
