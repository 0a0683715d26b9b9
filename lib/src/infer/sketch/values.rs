//! Distinct values with their counts, exact up to a cap; beyond it only "many".
//!
//! "More than `cap` distinct values" is itself a function of the multiset, and absorbs: so forgetting the values then
//! keeps the law, frees the memory, and makes every later fold free.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::is_zero;
use super::key::{Ends, Key};

/// The distinct values of something, or the fact that there are many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Values {
    /// Empty once there are many.
    #[serde(default, skip_serializing_if = "Counts::is_empty")]
    counts: Counts,
    /// 1 where there were more distinct values than the cap, or one too long to keep.
    #[serde(default, skip_serializing_if = "is_zero")]
    many: u64,
}

/// Values with their counts, sorted by value.
///
/// A few dozen at most, and looked up for each string that is folded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    value: Key,
    count: u64,
}

impl Counts {
    /// How many distinct values there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Values with their counts, sorted by value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.entries.iter().map(|entry| (entry.value.as_str(), entry.count))
    }

    /// The values, sorted.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.value.as_str())
    }

    /// The counts, in the order of the values.
    pub(crate) fn values(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.count)
    }

    fn find(&self, value: &str, ends: Ends) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.value.cmp(value, ends))
    }

    fn merge(&mut self, other: Self) {
        for theirs in other.entries {
            let value = theirs.value.as_str();
            match self.find(value, Ends::of(value)) {
                Ok(at) => {
                    let mine = &mut self.entries[at].count;
                    *mine = mine.saturating_add(theirs.count);
                }
                Err(at) => self.entries.insert(at, theirs),
            }
        }
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let counts = std::collections::BTreeMap::<Box<str>, u64>::deserialize(deserializer)?;
        let entry = |(value, count): (Box<str>, u64)| Entry { value: value.into(), count };
        Ok(Counts { entries: counts.into_iter().map(entry).collect() })
    }
}

impl Values {
    /// Folds one value. Values longer than `longest` bytes are not kept: they count as many at once.
    pub(crate) fn fold(&mut self, value: &str, cap: usize, longest: usize) {
        if self.many != 0 {
            return;
        }
        let ends = Ends::of(value);
        match self.counts.find(value, ends) {
            Ok(at) => {
                let count = &mut self.counts.entries[at].count;
                *count = count.saturating_add(1);
            }
            Err(_) if self.counts.len() >= cap || value.len() > longest => self.overflow(),
            Err(at) => {
                let entry = Entry { value: Key::new(value, ends), count: 1 };
                self.counts.entries.insert(at, entry);
            }
        }
    }

    fn overflow(&mut self) {
        self.many = 1;
        self.counts = Counts::default();
    }

    pub(crate) fn merge(&mut self, other: Self, cap: usize) {
        if other.many != 0 {
            self.overflow();
        }
        if self.many != 0 {
            return;
        }
        self.counts.merge(other.counts);
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
    pub(crate) fn exact(&self) -> Option<&Counts> {
        (self.many == 0).then_some(&self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_as_texts_are() {
        let mut values = Values::default();
        let texts = ["b", "a", "a\0", "", "abcdefgh", "abcdefghi", "abcdefg", "é", "日本語日本語"];
        for text in texts.iter().chain(&texts[..3]) {
            values.fold(text, 32, 64);
        }
        let counts = values.exact().unwrap();
        let mut sorted = texts;
        sorted.sort_unstable();
        assert!(counts.keys().eq(sorted));
        assert_eq!(counts.iter().find(|(value, _)| *value == "a\0"), Some(("a\0", 2)));
        let json = serde_json::to_string(&values).unwrap();
        assert_eq!(serde_json::from_str::<Values>(&json).unwrap(), values);
        values.fold(&"x".repeat(65), 32, 64);
        assert!(values.exact().is_none());
    }
}
