//! The mergeable summaries: all that bounds the state is built from these.
//!
//! Each is a commutative monoid under [`Merge::merge`], and folding is a homomorphism: the summary of two inputs
//! together is the merge of their summaries. Sums of floats, reservoirs and "first seen" are not of that
//! kind and must not come in here.

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
pub(crate) use number::Range;
pub(crate) use values::Values;

use super::Limits;

/// A commutative monoid, its zero being [`Default`].
///
/// The limits are those under which both sides were folded; the result is what folding both inputs under them gives.
pub(crate) trait Merge: Default {
    /// Adds `other` to `self`.
    fn merge(&mut self, other: Self, limits: &Limits);

    /// Makes of `self` what folding the same input under `limits` gives, whose caps are not greater than those it was folded under.
    fn coarsen(&mut self, limits: &Limits);

    /// Forgets what is only meaningful for a key of its own, as the value is about to join a rest.
    fn demote(&mut self) {}
}

/// Adds counts; a count that would overflow stays at the greatest, in any order.
pub(crate) fn add(total: &mut u64, more: u64) {
    *total = total.saturating_add(more);
}

/// Merges what may be absent.
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

/// Coarsens what may be absent.
pub(crate) fn coarsen_option<T: Merge>(value: &mut Option<Box<T>>, limits: &Limits) {
    if let Some(value) = value {
        value.coarsen(limits);
    }
}

/// A hash of a place below another; of two paths to it with the same texts it is the same.
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

/// True for a count of zero: such fields are left out of a partial.
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// True for a zero: such fields are left out of a partial.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
