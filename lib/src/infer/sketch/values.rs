//! Distinct values with their counts, exact up to a cap; beyond it only "many".
//!
//! "More than `cap` distinct values" is itself a function of the multiset, and absorbs: so forgetting the values then
//! keeps the law, frees the memory, and makes every later fold free.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_zero;

/// The distinct values of something, or the fact that there are many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Values {
    /// Empty once there are many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    counts: BTreeMap<Box<str>, u64>,
    /// 1 where there were more distinct values than the cap, or one too long to keep.
    #[serde(default, skip_serializing_if = "is_zero")]
    many: u64,
}

impl Values {
    /// Folds one value. Values longer than `longest` bytes are not kept: they count as many at once.
    pub(crate) fn fold(&mut self, value: &str, cap: usize, longest: usize) {
        if self.many != 0 {
            return;
        }
        if let Some(count) = self.counts.get_mut(value) {
            *count = count.saturating_add(1);
        } else if self.counts.len() >= cap || value.len() > longest {
            self.overflow();
        } else {
            self.counts.insert(value.into(), 1);
        }
    }

    fn overflow(&mut self) {
        self.many = 1;
        self.counts = BTreeMap::new();
    }

    pub(crate) fn merge(&mut self, other: Self, cap: usize) {
        if other.many != 0 {
            self.overflow();
        }
        if self.many != 0 {
            return;
        }
        for (value, count) in other.counts {
            let mine = self.counts.entry(value).or_insert(0);
            *mine = mine.saturating_add(count);
        }
        if self.counts.len() > cap {
            self.overflow();
        }
    }

    /// Keeps no more than `cap` distinct values.
    pub(crate) fn coarsen(&mut self, cap: usize) {
        if self.counts.len() > cap {
            self.overflow();
        }
    }

    /// The values with their counts, or `None` where there were too many to keep.
    pub(crate) fn exact(&self) -> Option<&BTreeMap<Box<str>, u64>> {
        (self.many == 0).then_some(&self.counts)
    }
}
