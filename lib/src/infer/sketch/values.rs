//! Distinct values with their counts, exact up to a cap; beyond it only "many".
//!
//! "More than `cap` distinct values" is itself a function of the multiset, and absorbing. So
//! dropping the values then keeps the law, frees the memory, and makes every later fold free.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::is_zero;
use super::key::{Ends, Key};

/// The distinct values, or the fact that there are many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Values {
    /// Empty once there are many.
    #[serde(default, skip_serializing_if = "ValueCounts::is_empty")]
    counts: ValueCounts,
    /// 1 if there were more distinct values than the cap, or one too long to keep.
    #[serde(default, skip_serializing_if = "is_zero")]
    many: u64,
}

/// Values with their counts, sorted by value.
///
/// There are a few dozen at most, and they are looked up for each folded string. So they have a
/// small hash table, because the branches of a binary search over texts in random order are mostly
/// mispredicted.
#[derive(Clone, Debug)]
pub(crate) struct ValueCounts {
    entries: Vec<Entry>,
    /// A hash table with linear probing. A slot holds the index of an entry plus one, or 0 if it is
    /// empty.
    table: [u8; SLOTS],
}

const SLOTS: usize = 64;

/// With more entries than this the table is not used.
const MOST: usize = SLOTS / 2;

impl Default for ValueCounts {
    fn default() -> Self {
        ValueCounts { entries: Vec::new(), table: [0; SLOTS] }
    }
}

impl PartialEq for ValueCounts {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    value: Key,
    count: u64,
}

impl ValueCounts {
    /// The number of distinct values.
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

    /// The count of a value.
    fn get(&mut self, value: &str, ends: Ends) -> Option<&mut u64> {
        if self.entries.len() > MOST {
            let at = self.search(value, ends).ok()?;
            return Some(&mut self.entries[at].count);
        }
        let mut slot = ends.hash(0) as usize % SLOTS;
        loop {
            let at = usize::from(self.table[slot]).checked_sub(1)?;
            if self.entries[at].value.is(value, ends) {
                return Some(&mut self.entries[at].count);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    fn search(&self, value: &str, ends: Ends) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.value.cmp(value, ends))
    }

    fn insert(&mut self, value: &str, ends: Ends) {
        if let Err(at) = self.search(value, ends) {
            self.entries.insert(at, Entry { value: Key::new(value, ends), count: 1 });
            self.fill_table();
        }
    }

    fn fill_table(&mut self) {
        self.table = [0; SLOTS];
        if self.entries.len() > MOST {
            return;
        }
        for (entry, number) in self.entries.iter().zip(1..) {
            let mut slot = entry.value.ends().hash(0) as usize % SLOTS;
            while self.table[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            self.table[slot] = number;
        }
    }

    fn merge(&mut self, other: Self) {
        for theirs in other.entries {
            let value = theirs.value.as_str();
            match self.search(value, Ends::of(value)) {
                Ok(at) => {
                    let mine = &mut self.entries[at].count;
                    *mine = mine.saturating_add(theirs.count);
                }
                Err(at) => self.entries.insert(at, theirs),
            }
        }
        self.fill_table();
    }
}

impl Serialize for ValueCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for ValueCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let counts = std::collections::BTreeMap::<Box<str>, u64>::deserialize(deserializer)?;
        let entry = |(value, count): (Box<str>, u64)| Entry { value: value.into(), count };
        let mut counts = ValueCounts {
            entries: counts.into_iter().map(entry).collect(),
            ..ValueCounts::default()
        };
        counts.fill_table();
        Ok(counts)
    }
}

impl Values {
    /// Folds one value. A value longer than `longest` bytes is not kept and counts as many.
    pub(crate) fn fold(&mut self, value: &str, cap: usize, longest: usize) {
        if self.many != 0 {
            return;
        }
        let ends = Ends::of(value);
        let is_full = self.counts.len() >= cap || value.len() > longest;
        match self.counts.get(value, ends) {
            Some(count) => *count = count.saturating_add(1),
            None if is_full => self.overflow(),
            None => self.counts.insert(value, ends),
        }
    }

    fn overflow(&mut self) {
        self.many = 1;
        self.counts = ValueCounts::default();
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

    /// Keeps at most `cap` distinct values.
    pub(crate) fn coarsen(&mut self, cap: usize) {
        if self.counts.len() > cap {
            self.overflow();
        }
    }

    /// The values with their counts; `None` if there were too many to keep.
    pub(crate) fn exact(&self) -> Option<&ValueCounts> {
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

    #[test]
    fn found_again_however_many_there_are() {
        let mut values = Values::default();
        let texts: Vec<String> = (0..100).map(|number| format!("value {number}")).collect();
        for text in texts.iter().chain(&texts) {
            values.fold(text, 100, 64);
        }
        let counts = values.exact().unwrap();
        assert!(counts.len() == 100 && counts.values().all(|count| count == 2));
    }
}
