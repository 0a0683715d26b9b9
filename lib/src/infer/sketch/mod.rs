//! The mergeable summaries that bound the state.
//!
//! Each is a commutative monoid under [`Merge::merge`], and folding is a homomorphism: the summary
//! of two inputs together is the merge of their summaries. Sums of floats, reservoirs and "first
//! seen" do not have this property and must not be used here.

mod capped;
mod caps;
mod hll;
mod key;
mod number;
mod values;

pub(crate) use capped::CappedMap;
pub(crate) use caps::Caps;
pub(crate) use hll::Hll;
pub(crate) use key::{Ends, Key};
pub(crate) use number::NumberRange;
pub(crate) use values::Values;

use super::Limits;

/// A commutative monoid whose zero is [`Default`].
///
/// Both sides were folded with the same limits; the result is that of folding both inputs with
/// them.
pub(crate) trait Merge: Default {
    /// Adds `other` to `self`.
    fn merge(&mut self, other: Self, limits: &Limits);

    /// Converts `self` to the result of folding the same input with `limits`, whose caps are not
    /// greater than before.
    fn coarsen(&mut self, limits: &Limits);

    /// Drops details that only make sense for a single key, before the value joins a rest.
    fn demote(&mut self) {}
}

/// Adds counts, saturating at the maximum in any order.
pub(crate) fn add(total: &mut u64, more: u64) {
    *total = total.saturating_add(more);
}

/// Merges optional values.
pub(crate) fn merge_option<T: Merge>(
    into: &mut Option<Box<T>>,
    other: Option<Box<T>>,
    limits: &Limits,
) {
    match (into.as_mut(), other) {
        (_, None) => {}
        (Some(mine), Some(theirs)) => mine.merge(*theirs, limits),
        (None, theirs) => *into = theirs,
    }
}

/// Coarsens an optional value.
pub(crate) fn coarsen_option<T: Merge>(value: &mut Option<Box<T>>, limits: &Limits) {
    if let Some(value) = value {
        value.coarsen(limits);
    }
}

/// A hash of a place below another, determined by the texts of the path to it.
pub(crate) fn below(at: u64, text: &str) -> u64 {
    let ends = Ends::of(text);
    if ends.are_whole() {
        return ends.hash(at);
    }
    twox_hash::XxHash3_64::oneshot_with_seed(at, text.as_bytes())
}

/// Merges maps key by key.
pub(crate) fn merge_map<K: Ord, V: Merge>(
    into: &mut std::collections::BTreeMap<K, Box<V>>,
    other: std::collections::BTreeMap<K, Box<V>>,
    limits: &Limits,
) {
    for (key, value) in other {
        match into.get_mut(&key) {
            Some(mine) => mine.merge(*value, limits),
            None => {
                into.insert(key, value);
            }
        }
    }
}

/// True for a count of zero, which is left out of a partial.
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// True for a default value, which is left out of a partial.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
