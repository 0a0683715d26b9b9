//! The path trie, which groups exchanges by path before templates are decided.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::class::{Class, ClassSet, Keyed, class_of, no_priority, segment_priority};
use super::operation::ObservedOperation;
use super::parameter::Segments;
use crate::exchange::Method;
use crate::infer::Limits;
use crate::infer::sketch::{CappedMap, Caps, Merge, add, is_default, is_zero, merge_map};

/// A place in the trie: all exchanges whose path goes through it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrieNode {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) kids: BTreeMap<Class, CappedMap<TrieNode>>,
    /// For a key of several parts (`Lines(order=1,line=2)`), the values of all parts except the
    /// first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) more: Vec<Segments>,
    /// Exchanges that go through here or end here.
    pub(crate) n: u64,
    /// Boxed, because a tree node reserves space for eleven values, even if it holds only one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "methods")]
    pub(crate) operations: BTreeMap<Method, Box<ObservedOperation>>,
    /// Paths that ended here without a slash.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) plain: u64,
    /// The segments of this place without their suffix; not kept if the key determines them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) segments: Segments,
    /// Paths that ended here with a slash.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) slashed: u64,
}

/// Suffixes for a representation: `.json` in `12.json`.
const EXTENSIONS: &[&str] = &[
    ".json", ".xml", ".csv", ".html", ".htm", ".txt", ".pdf", ".png", ".jpg", ".jpeg", ".gif",
    ".svg", ".webp", ".zip", ".gz", ".yaml", ".yml", ".md", ".ics", ".atom", ".rss", ".js", ".css",
    ".mp3", ".mp4", ".xlsx",
];

/// A segment without the suffix of a representation.
pub(crate) fn without_extension(segment: &str) -> &str {
    EXTENSIONS.iter().find_map(|extension| segment.strip_suffix(extension)).unwrap_or(segment)
}

/// Splits a segment into an identifier and a suffix `.json` or `:verb`. Names keep their suffix.
pub(crate) fn split_suffix(segment: &str) -> (&str, &str) {
    let Some(at) = memchr::memrchr2(b'.', b':', segment.as_bytes()) else { return (segment, "") };
    let (stem, suffix) = segment.split_at(at);
    let names_something = match suffix.strip_prefix(':') {
        Some(verb) => !verb.is_empty() && verb.bytes().all(|b| b.is_ascii_alphabetic()),
        None => EXTENSIONS.contains(&suffix),
    };
    if !names_something {
        return (segment, "");
    }
    if class_of(stem).is_id() { (stem, suffix) } else { (segment, "") }
}

/// The class and key of a decoded segment that is not a name.
pub(crate) fn identifier(decoded: &str) -> Option<(Class, Cow<'_, str>)> {
    if let Some(keyed) = Keyed::of(decoded) {
        return Some((Class::Keyed, keyed.pattern().into()));
    }
    let (stem, suffix) = split_suffix(decoded);
    let class = class_of(stem);
    class.is_id().then_some((class, suffix.into()))
}

/// The segments of a path, as on the wire. A trailing slash is returned separately and makes no
/// segment.
pub(crate) fn split_path(pathname: &str) -> (Vec<&str>, bool) {
    let path = pathname.strip_prefix('/').unwrap_or(pathname);
    match path.strip_suffix('/') {
        Some(path) => (segments(path), true),
        None if path.is_empty() => (Vec::new(), false),
        None => (segments(path), false),
    }
}

fn segments(path: &str) -> Vec<&str> {
    let mut segments = Vec::with_capacity(8);
    let mut start = 0;
    for slash in memchr::memchr_iter(b'/', path.as_bytes()) {
        segments.push(&path[start..slash]);
        start = slash + 1;
    }
    segments.push(&path[start..]);
    segments
}

/// A segment, percent-decoded as far as possible.
pub(crate) fn decode_segment(raw: &str) -> Cow<'_, str> {
    match memchr::memchr(b'%', raw.as_bytes()) {
        None => Cow::Borrowed(raw),
        Some(_) => percent_decode_str(raw).decode_utf8_lossy(),
    }
}

impl TrieNode {
    /// The node at which a path ends, created if missing.
    pub(crate) fn walk(&mut self, segments: &[&str], limits: &Caps<'_>) -> &mut TrieNode {
        let mut node = self;
        add(&mut node.n, 1);
        for raw in segments {
            node = node.kid(raw, limits);
            add(&mut node.n, 1);
        }
        node
    }

    /// The places of a name: words, and identifiers that were taken as names because they were the
    /// only ones.
    pub(crate) fn named<'n>(&'n self, raw: &'n str) -> impl Iterator<Item = &'n TrieNode> {
        let (class, key) = identifier(raw).unwrap_or_else(|| (class_of(raw), raw.into()));
        let all = self.kids.get(&class);
        all.into_iter().filter_map(move |kids| kids.get(&key))
    }

    /// The operations at and below this place.
    pub(crate) fn all_operations(&self) -> Vec<&ObservedOperation> {
        let mut all = Vec::new();
        let mut places = vec![self];
        while let Some(place) = places.pop() {
            all.extend(place.operations.values().map(AsRef::as_ref));
            for kids in place.kids.values() {
                places.extend(kids.iter().map(|(_, kid)| kid).chain(kids.rest()));
            }
        }
        all
    }

    /// The places that do not belong to any of some names.
    pub(crate) fn not_named<'n, V>(
        &'n self,
        names: &'n BTreeMap<String, V>,
    ) -> impl Iterator<Item = &'n TrieNode> {
        self.kids.iter().flat_map(move |(class, kids)| {
            let is_other = move |name: &str| class.is_id() || !names.contains_key(name);
            kids.iter()
                .filter(move |(name, _)| is_other(name))
                .map(|(_, kid)| kid)
                .chain(kids.rest())
        })
    }

    /// True if nothing was observed at or below this place.
    pub(crate) fn is_empty(&self) -> bool {
        self.operations.is_empty()
            && self
                .kids
                .values()
                .all(|kids| kids.rest().is_none() && kids.iter().all(|(_, kid)| kid.is_empty()))
    }

    /// Removes and returns everything below names; nothing if a segment is an identifier.
    pub(crate) fn cut(&mut self, names: &[&str]) -> TrieNode {
        let Some((first, others)) = names.split_first() else { return std::mem::take(self) };
        let class = class_of(first);
        let mut cut = TrieNode::default();
        if let Some(kids) = self.kids.get_mut(&class).filter(|_| identifier(first).is_none()) {
            kids.transform(|key, mut kid| {
                if key == *first {
                    cut = kid.cut(others);
                }
                kid
            });
            if kids.is_empty() {
                self.kids.remove(&class);
            }
        }
        self.n = self.n.saturating_sub(cut.n);
        cut
    }

    /// Notes the classes of the parameter `at` at all operations below.
    pub(crate) fn came_through(&mut self, at: usize, classes: ClassSet) {
        for operation in self.operations.values_mut() {
            operation.came_through(at, classes);
        }
        for kid in self.kids.values_mut().flat_map(CappedMap::values_mut) {
            kid.came_through(at, classes);
        }
    }

    fn kid(&mut self, raw: &str, limits: &Caps<'_>) -> &mut TrieNode {
        let decoded = decode_segment(raw);
        if let Some(keyed) = Keyed::of(&decoded) {
            let kids = self.kids.entry(Class::Keyed).or_default();
            let cap = limits.kids(Class::Keyed);
            let kid = kids.slot(&keyed.pattern(), cap, no_priority, limits);
            let mut values = keyed.values();
            values.by_ref().take(1).for_each(|value| kid.segments.fold(value, limits));
            for (at, value) in values.enumerate() {
                if kid.more.len() <= at {
                    kid.more.push(Segments::default());
                }
                kid.more[at].fold(value, limits);
            }
            return kid;
        }
        let (stem, suffix) = split_suffix(&decoded);
        let class = class_of(stem);
        let kids = self.kids.entry(class).or_default();
        let cap = limits.kids(class);
        if class.is_id() {
            let kid = kids.slot(suffix, cap, no_priority, limits);
            kid.segments.fold(stem, limits);
            kid
        } else {
            // Names are kept as on the wire, so that their template matches requests.
            kids.slot(raw, cap, segment_priority, limits)
        }
    }
}

impl Merge for TrieNode {
    fn coarsen(&mut self, limits: &Limits) {
        for (class, kids) in &mut self.kids {
            kids.coarsen(limits.kids(*class), limits);
        }
        for operation in self.operations.values_mut() {
            operation.coarsen(limits);
        }
        self.segments.coarsen(limits);
        for segments in &mut self.more {
            segments.coarsen(limits);
        }
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        for (class, kids) in other.kids {
            self.kids.entry(class).or_default().merge(kids, limits.kids(class), limits);
        }
        add(&mut self.n, other.n);
        merge_map(&mut self.operations, other.operations, limits);
        add(&mut self.plain, other.plain);
        self.segments.merge(other.segments, limits);
        if self.more.len() < other.more.len() {
            self.more.resize_with(other.more.len(), Segments::default);
        }
        for (mine, theirs) in self.more.iter_mut().zip(other.more) {
            mine.merge(theirs, limits);
        }
        add(&mut self.slashed, other.slashed);
    }
}

/// Methods by name as keys of a partial.
mod methods {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::exchange::Method;
    use crate::infer::state::operation::ObservedOperation;

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<Method, Box<ObservedOperation>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let by_name: BTreeMap<&str, &Box<ObservedOperation>> =
            map.iter().map(|(method, op)| (method.as_str(), op)).collect();
        serializer.collect_map(by_name)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Method, Box<ObservedOperation>>, D::Error> {
        BTreeMap::<String, Box<ObservedOperation>>::deserialize(deserializer)?
            .into_iter()
            .map(|(name, op)| Ok((name.parse().map_err(D::Error::custom)?, op)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_of_identifiers_only() {
        assert_eq!(split_suffix("12.json"), ("12", ".json"));
        assert_eq!(split_suffix("Calls.json"), ("Calls.json", ""));
        assert_eq!(split_suffix("12:cancel"), ("12", ":cancel"));
        assert_eq!(split_suffix("a:b"), ("a:b", ""));
        assert_eq!(split_suffix("::"), ("::", ""));
    }

    #[test]
    fn paths() {
        assert_eq!(split_path("/"), (vec![], false));
        assert_eq!(split_path("/a/b/"), (vec!["a", "b"], true));
        assert_eq!(split_path("/a//b"), (vec!["a", "", "b"], false));
    }
}
