//! The inputs of a partial, so that nothing is counted twice: sources, each with the ranges that
//! were read.
//!
//! If work is repeated, or done by two workers, their ranges overlap. A source is identified by its
//! content or by its position in an immutable log, not by a path:
//!
//! * `sha256:HEX`, a file, by the hash of its first [`NAMED_BY`] bytes (all bytes of a smaller
//!   file), with ranges of bytes. A copy has the same name, and so has a log that has grown since.
//!   The shards of a split file have different names.
//! * A partition of a topic is `kafka:CLUSTER/TOPIC/PARTITION`, with ranges of offsets.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How many bytes of a file determine its name.
pub const NAMED_BY: u64 = 64 << 10;

/// Disjoint sorted ranges with gaps between them, so equal sets are equal lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>")]
struct Ranges(Vec<(u64, u64)>);

impl From<Vec<(u64, u64)>> for Ranges {
    fn from(mut list: Vec<(u64, u64)>) -> Self {
        list.retain(|(start, end)| start < end);
        list.sort_unstable();
        let mut ranges: Vec<(u64, u64)> = Vec::with_capacity(list.len());
        for (start, end) in list {
            match ranges.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => ranges.push((start, end)),
            }
        }
        Ranges(ranges)
    }
}

impl Ranges {
    fn unite(&mut self, other: &Ranges) {
        let all = self.0.iter().chain(&other.0).copied().collect::<Vec<_>>();
        *self = all.into();
    }

    /// The first common range.
    fn common(&self, other: &Ranges) -> Option<Range<u64>> {
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            let common = a.0.max(b.0)..a.1.min(b.1);
            if !common.is_empty() {
                return Some(common);
            }
            if a.1 < b.1 {
                ours.next()
            } else {
                theirs.next()
            };
        }
        None
    }
}

/// The inputs of a partial; see the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Provenance(BTreeMap<String, Ranges>);

/// A range that two sets of inputs have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The source's name.
    pub source: String,
    /// The first common range.
    pub range: Range<u64>,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}-{}", self.source, self.range.start, self.range.end)
    }
}

impl Provenance {
    /// A whole file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(file: impl Read, length: u64) -> io::Result<Provenance> {
        let mut head = Vec::new();
        file.take(NAMED_BY).read_to_end(&mut head)?;
        Ok(Provenance::of(&head, 0..length.max(head.len() as u64)))
    }

    /// A part of a file, with the name of the file up to the end of that part.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_part(file: impl Read, part: Range<u64>) -> io::Result<Provenance> {
        let mut head = Vec::new();
        file.take(NAMED_BY.min(part.end)).read_to_end(&mut head)?;
        Ok(Provenance::of(&head, part))
    }

    fn of(head: &[u8], part: Range<u64>) -> Provenance {
        let ranges = Ranges::from(vec![(part.start, part.end)]);
        let mut inputs = Provenance::default();
        if !ranges.0.is_empty() {
            inputs.0.insert(name(head), ranges);
        }
        inputs
    }

    /// Offsets of a partition of a topic in the cluster with this id.
    pub fn of_partition(
        cluster: &str,
        topic: &str,
        partition: i32,
        part: Range<u64>,
    ) -> Provenance {
        let ranges = Ranges::from(vec![(part.start, part.end)]);
        let mut inputs = Provenance::default();
        if !ranges.0.is_empty() {
            inputs.0.insert(partition_name(cluster, topic, partition), ranges);
        }
        inputs
    }

    /// The partition of a topic, if it is the only input.
    pub fn only_partition(&self, cluster: &str, topic: &str) -> Option<i32> {
        let mut sources = self.0.keys();
        let partition = sources.next()?.strip_prefix(&partition_prefix(cluster, topic))?;
        if sources.next().is_some() { None } else { partition.parse().ok() }
    }

    /// The end offsets of a topic's partitions in these inputs.
    pub fn ends_of(&self, cluster: &str, topic: &str) -> BTreeMap<i32, u64> {
        let prefix = partition_prefix(cluster, topic);
        let ends = self.0.iter().filter_map(|(source, ranges)| {
            let partition = source.strip_prefix(&prefix)?.parse().ok()?;
            Some((partition, ranges.0.last()?.1))
        });
        ends.collect()
    }

    /// The offsets of a topic's partitions in these inputs.
    pub fn partitions_of(&self, cluster: &str, topic: &str) -> Vec<(i32, Range<u64>)> {
        let prefix = partition_prefix(cluster, topic);
        let all = self.0.iter().filter_map(|(source, ranges)| {
            Some((source.strip_prefix(&prefix)?.parse().ok()?, ranges))
        });
        all.flat_map(|(partition, ranges)| ranges.0.iter().map(move |(a, b)| (partition, *a..*b)))
            .collect()
    }

    /// The total length of the ranges, in bytes of files and messages of topics.
    pub fn length(&self) -> u64 {
        self.0.values().flat_map(|ranges| &ranges.0).map(|(start, end)| end - start).sum()
    }

    /// The end of a file that was always read from its start in these inputs: reading a grown log
    /// continues there.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_up_to(&self, file: impl Read) -> io::Result<u64> {
        let mut head = Vec::new();
        file.take(NAMED_BY).read_to_end(&mut head)?;
        // A file shorter than the named part was named by all of its bytes.
        let ends = self.0.iter().filter_map(|(source, ranges)| {
            let (_, end) = *ranges.0.last()?;
            let prefix = usize::try_from(end.min(NAMED_BY)).ok()?;
            (head.len() >= prefix && name(&head[..prefix]) == *source).then_some(end)
        });
        Ok(ends.max().unwrap_or(0))
    }

    /// True if the inputs are unknown.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first overlap of both sets by name and position, if any.
    pub fn overlap(&self, other: &Provenance) -> Option<Overlap> {
        self.0.iter().find_map(|(source, ranges)| {
            let range = ranges.common(other.0.get(source)?)?;
            Some(Overlap { source: source.clone(), range })
        })
    }

    /// Adds the ranges of the other set; adjacent ranges are joined.
    pub fn unite(&mut self, other: &Provenance) {
        for (source, ranges) in &other.0 {
            self.0.entry(source.clone()).or_default().unite(ranges);
        }
        self.0.retain(|_, ranges| !ranges.0.is_empty());
    }

    /// The sources with their ranges.
    pub fn iter(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = Range<u64>>)> {
        self.0
            .iter()
            .map(|(source, ranges)| (source.as_str(), ranges.0.iter().map(|(a, b)| *a..*b)))
    }
}

fn partition_prefix(cluster: &str, topic: &str) -> String {
    format!("kafka:{cluster}/{topic}/")
}

fn partition_name(cluster: &str, topic: &str, partition: i32) -> String {
    format!("{}{partition}", partition_prefix(cluster, topic))
}

fn name(head: &[u8]) -> String {
    let mut name = "sha256:".to_owned();
    for byte in Sha256::digest(head) {
        name.push_str(&format!("{byte:02x}"));
    }
    name
}

/// The inputs of several partials or files. No two may overlap, unless this is allowed.
#[derive(Debug, Default)]
pub struct Ledger {
    parts: Vec<(String, Provenance)>,
    all: Provenance,
    allow_overlap: bool,
}

/// Two of them have common inputs.
#[derive(Debug, thiserror::Error)]
#[error(
    "{second} and {first} were both built from {overlap}, which would be counted twice; leave one out, or use --allow-overlap"
)]
pub struct Twice {
    /// The name of the first one.
    pub first: String,
    /// The name of the added one.
    pub second: String,
    /// Their common inputs.
    pub overlap: Overlap,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(allow_overlap: bool) -> Self {
        Ledger { allow_overlap, ..Ledger::default() }
    }

    /// Adds the inputs of a partial or file.
    ///
    /// # Errors
    /// A part of the inputs is already present.
    pub fn add(&mut self, name: &str, inputs: Provenance) -> Result<(), Twice> {
        if !self.allow_overlap && self.all.overlap(&inputs).is_some() {
            let found = self.parts.iter().find_map(|(first, known)| {
                let overlap = known.overlap(&inputs)?;
                Some(Twice { first: first.clone(), second: name.to_owned(), overlap })
            });
            return found.map_or(Ok(()), Err);
        }
        self.all.unite(&inputs);
        self.parts.push((name.to_owned(), inputs));
        Ok(())
    }

    /// The names of partials without known inputs, if other partials have known inputs.
    pub fn silent(&self) -> impl Iterator<Item = &str> {
        let some = !self.all.is_empty();
        let silent = self.parts.iter().filter(move |(_, inputs)| some && inputs.is_empty());
        silent.map(|(name, _)| name.as_str())
    }

    /// All inputs so far.
    pub fn inputs(&self) -> &Provenance {
        &self.all
    }

    /// All inputs together.
    pub fn into_inputs(self) -> Provenance {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn inputs() -> impl Strategy<Value = Provenance> {
        let ranges = prop::collection::vec((0..20_u64, 0..6_u64), 0..5)
            .prop_map(|list| list.into_iter().map(|(start, n)| (start, start + n)).collect());
        prop::collection::btree_map("[ab]", ranges, 0..3).prop_map(
            |all: BTreeMap<String, Vec<(u64, u64)>>| {
                let mut inputs = Provenance::default();
                for (source, ranges) in all {
                    inputs.unite(&Provenance([(source, ranges.into())].into()));
                }
                inputs
            },
        )
    }

    /// The same as a plain set.
    fn points(inputs: &Provenance) -> BTreeSet<(String, u64)> {
        let all = inputs.iter().flat_map(|(source, ranges)| {
            ranges.flat_map(move |range| range.map(move |at| (source.to_owned(), at)))
        });
        all.collect()
    }

    fn united(a: &Provenance, b: &Provenance) -> Provenance {
        let mut all = a.clone();
        all.unite(b);
        all
    }

    proptest! {
        #[test]
        fn sets_of_points(a in inputs(), b in inputs(), c in inputs()) {
            let (x, y) = (points(&a), points(&b));
            prop_assert_eq!(points(&united(&a, &b)), x.union(&y).cloned().collect());
            prop_assert_eq!(a.overlap(&b).is_some(), !x.is_disjoint(&y));
            if let Some(Overlap { source, range }) = a.overlap(&b) {
                let first = x.intersection(&y).next().cloned();
                prop_assert_eq!(first, Some((source, range.start)));
            }
            // Equal sets are equal, however they were united, so the text is canonical.
            prop_assert_eq!(united(&a, &b), united(&b, &a));
            prop_assert_eq!(united(&united(&a, &b), &c), united(&a, &united(&b, &c)));
            prop_assert_eq!(united(&a, &a), a.clone());
            prop_assert_eq!(x == y, a == b);
            for (_, ranges) in a.iter() {
                let ranges: Vec<_> = ranges.collect();
                prop_assert!(ranges.is_sorted_by(|p, q| p.end < q.start), "{:?}", ranges);
            }
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Provenance>(&text).unwrap(), a);
        }
    }

    #[test]
    fn partitions_are_named_by_their_cluster() {
        let of = |partition, part| Provenance::of_partition("c", "t", partition, part);
        let mut known = of(0, 0..10);
        known.unite(&of(12, 5..7));
        known.unite(&of(0, 10..20));
        known.unite(&Provenance::of_partition("d", "t", 1, 0..9));
        known.unite(&Provenance::of_file(&b"a"[..], 1).unwrap());
        assert_eq!(known.ends_of("c", "t"), BTreeMap::from([(0, 20), (12, 7)]));
        assert_eq!(known.partitions_of("c", "t"), [(0, 0..20), (12, 5..7)]);
        assert_eq!(known.length(), 20 + 2 + 9 + 1);
        assert_eq!(
            known.overlap(&of(0, 19..30)).map(|o| o.to_string()),
            Some("kafka:c/t/0 19-20".to_owned())
        );
        assert!(of(0, 3..3).is_empty());
        assert_eq!(
            (known.only_partition("c", "t"), of(12, 0..1).only_partition("c", "t")),
            (None, Some(12))
        );
        assert_eq!(of(12, 0..1).only_partition("d", "t"), None);
    }

    #[test]
    fn files_are_named_by_how_they_begin() {
        let of = |text: &[u8]| Provenance::of_file(text, text.len() as u64).unwrap();
        assert!(of(b"").is_empty());
        assert_eq!(of(b"a\n").overlap(&of(b"a\n")).map(|o| o.range), Some(0..2));
        assert_eq!(of(b"a\n").overlap(&of(b"a\nb\n")), None);
        let log = vec![b'x'; 100_000];
        let mut known = Provenance::default();
        for part in [0..10, 10..30, 30..70_000, 70_000..80_000] {
            assert_eq!(known.read_up_to(&log[..]).unwrap(), part.start);
            known.unite(&Provenance::of_part(&log[..], part).unwrap());
        }
        assert_eq!(known.read_up_to(&log[..]).unwrap(), 80_000);
        assert_eq!(known.read_up_to(&b"y"[..]).unwrap(), 0);
        assert_eq!(of(&log[..70_000]).overlap(&of(&log)).map(|o| o.range), Some(0..70_000));
    }
}
