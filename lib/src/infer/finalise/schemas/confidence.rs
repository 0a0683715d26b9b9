//! How often something must be observed before "never missing" is taken as `required`, and "never
//! null" as not `nullable`.
//!
//! A property that all of three objects have may still be optional. The API itself shows how likely
//! that is: the share π of optional properties among frequently observed ones, and the mean rate q
//! at which these are missing. By Bayes' theorem, a property in all of n objects is optional with
//! probability π(1-q)ⁿ / (π(1-q)ⁿ + 1-π); it is called required once that is below a quarter. The
//! same applies to null. In an API that never omits anything, one object is enough. If nothing was
//! observed often, there is nothing to learn from, and the observations are taken as they are.

use super::graph::{BodySide, Graph, Slot};
use crate::infer::sketch::add;

/// Minimum number of observations of a property that provides evidence about the API.
const OFTEN: u64 = 24;

/// Minimum number of such properties.
const ENOUGH: u64 = 12;

/// The odds at which something counts as certain.
const ODDS: u128 = 3;

/// Maximum number of required observations.
const MOST: u64 = 16;

/// One in fixed-point representation.
const ONE: u128 = 1 << 32;

/// The required numbers of observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) required: u64,
    pub(crate) not_null: u64,
}

impl Needed {
    /// The requirement for the kinds of one side.
    pub(crate) fn of(graph: &Graph<'_>, side: BodySide) -> Needed {
        let (mut missing, mut null) = (Rates::default(), Rates::default());
        for (_, kind) in graph.kinds().filter(|(_, kind)| kind.side == side) {
            for (present, slot) in kind.properties.values() {
                missing.add(kind.n.saturating_sub(*present), kind.n);
                let slot = graph.slot(*slot);
                null.add(slot.scalars.nulls, slot.scalars.nulls.saturating_add(values(slot)));
            }
        }
        Needed { required: missing.needed(), not_null: null.needed() }
    }
}

/// The number of values other than null.
pub(crate) fn values(slot: &Slot) -> u64 {
    let scalars = &slot.scalars;
    let text = scalars.text.as_ref().map_or(0, |text| text.n);
    [scalars.bools, scalars.ints, scalars.floats, text, slot.arrays, slot.objects]
        .iter()
        .fold(0, |all, n| all.saturating_add(*n))
}

/// Frequently observed properties, and how many of them are sometimes missing.
#[derive(Default)]
struct Rates {
    all: u64,
    lacking: u64,
    /// For the latter: observations, and those with the property missing.
    n: u64,
    lacks: u64,
}

impl Rates {
    fn add(&mut self, lacks: u64, n: u64) {
        if n < OFTEN {
            return;
        }
        self.all += 1;
        if lacks > 0 {
            self.lacking += 1;
            add(&mut self.n, n);
            add(&mut self.lacks, lacks);
        }
    }

    /// The lowest n with ODDS·π(1-q)ⁿ < 1-π.
    fn needed(&self) -> u64 {
        if self.all < ENOUGH || self.n == 0 {
            return 1;
        }
        let keeps = u128::from(self.n - self.lacks.min(self.n)) * ONE / u128::from(self.n);
        let mut odds = ODDS * u128::from(self.lacking) * ONE;
        let against = u128::from(self.all - self.lacking) * ONE;
        let mut n = 0;
        while n < MOST && odds >= against {
            odds = odds / ONE * keeps + odds % ONE * keeps / ONE;
            n += 1;
        }
        n.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(optional: u64, always: u64, lacks: u64) -> u64 {
        let mut rates = Rates::default();
        (0..optional).for_each(|_| rates.add(lacks, 100));
        (0..always).for_each(|_| rates.add(0, 100));
        rates.needed()
    }

    #[test]
    fn where_nothing_is_ever_missing_one_object_tells() {
        assert_eq!(needed(0, 50, 0), 1);
        assert_eq!(needed(2, 50, 40), 1);
    }

    #[test]
    fn the_more_is_missing_and_the_seldomer_the_more_is_needed() {
        // Half of them are optional: 3·0.6ⁿ < 1 from n = 3 on, 3·0.85ⁿ < 1 from n = 7 on.
        assert_eq!(needed(50, 50, 40), 3);
        assert_eq!(needed(50, 50, 15), 7);
        assert_eq!(needed(80, 20, 15), 16);
        assert_eq!(needed(50, 0, 15), MOST);
    }

    #[test]
    fn few_properties_tell_nothing() {
        assert_eq!(needed(8, 0, 40), 1);
    }
}
