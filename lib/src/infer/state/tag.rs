//! Objects with tags: kinds that share a place are kept apart by their tags.
//!
//! A list of events, or a reference that resolves to a card or to a bank account, holds objects
//! that have little in common but a key such as `type`. Folded together, nothing could be said
//! about the mixture. So the objects of each tag have their own summary, up to a cap on the number
//! of tags at one place; beyond it all objects are folded together, as without tags. "More than
//! `cap` tags" is a function of the multiset, and absorbing. Summaries of objects are themselves a
//! monoid, so the sum of separate summaries equals the one that was never separated. Hence the law
//! holds.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::json::Object;
use super::tape::{Tape, Token};
use crate::infer::Limits;
use crate::infer::mutant::{self, Mutant};
use crate::infer::sketch::{Caps, Ends, Key, Merge, below, is_zero};

/// Keys that state the kind of an object, the surest first: those of serialisers (GraphQL, JSON-LD,
/// OData, Jackson, Json.NET), and those in public APIs.
const KEYS: [&str; 17] = [
    "__typename",
    "@type",
    "@odata.type",
    "@class",
    "_class",
    "$type",
    "_type",
    "resourceType",
    "resource_type",
    "objectType",
    "object_type",
    "object",
    "kind",
    "eventType",
    "event_type",
    "event",
    "type",
];

/// The lengths of [`KEYS`] as bits.
const LENGTHS: u32 = {
    let (mut bits, mut index) = (0, 0);
    while index < KEYS.len() {
        bits |= 1 << KEYS[index].len();
        index += 1;
    }
    bits
};

/// The stated kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    /// An index in [`KEYS`].
    key: u8,
    value: &'t str,
}

/// The two surest tags of an object. One tag may distinguish all things of an API, and another tag
/// their kinds.
pub(super) type Tags<'t> = [Option<Tag<'t>>; 2];

impl<'t> Tag<'t> {
    /// The tags of the object whose members are in a range of a tape. Duplicate keys are ignored,
    /// because readers differ on which value counts.
    pub(super) fn of(
        tape: &'t Tape,
        text: &'t str,
        members: Range<usize>,
        limits: &Limits,
    ) -> Tags<'t> {
        let mut tags: Tags<'t> = [None; 2];
        let (mut seen, mut repeated) = (0u32, 0);
        let mut at = members.start;
        while at < members.end {
            let Token::Text(span) = tape.token(at) else { break };
            let value = tape.token(at + 1);
            if may_be_key(span.len())
                && let Some(key) = rank(tape.str(span, text))
            {
                repeated |= seen & (1 << key);
                seen |= 1 << key;
                if let Token::Text(span) = value {
                    let value = tape.str(span, text);
                    if is_word(value, limits.longest_value) {
                        insert(&mut tags, Tag { key, value });
                    }
                }
            }
            at = match value {
                Token::Array { end } | Token::Object { end } => end as usize,
                _ => at + 2,
            };
        }
        if repeated != 0 { [None; 2] } else { tags }
    }

    /// The place of objects with these tags, below that of all objects.
    pub(super) fn place(tags: &Tags<'_>, mut at: u64) -> u64 {
        for tag in tags.iter().flatten() {
            let bucket = below(u64::from(tag.key), tag.value) % BUCKETS;
            at = below(at.wrapping_add(1 + bucket), "");
        }
        at
    }
}

/// Maximum number of places for the tags at one place, about as many as are kept apart.
const BUCKETS: u64 = 16;

/// The index in [`KEYS`]. Needed for every key of every object: byte patterns are matched without a
/// call.
fn rank(key: &str) -> Option<u8> {
    // A cheap test that rules out most keys.
    if !matches!(
        key.as_bytes(),
        [b'_' | b'@' | b'$' | b'r' | b'o' | b'k' | b'e' | b't', .., b'e' | b's' | b't' | b'd']
    ) {
        return None;
    }
    Some(match key.as_bytes() {
        b"__typename" => 0,
        b"@type" => 1,
        b"@odata.type" => 2,
        b"@class" => 3,
        b"_class" => 4,
        b"$type" => 5,
        b"_type" => 6,
        b"resourceType" => 7,
        b"resource_type" => 8,
        b"objectType" => 9,
        b"object_type" => 10,
        b"object" => 11,
        b"kind" => 12,
        b"eventType" => 13,
        b"event_type" => 14,
        b"event" => 15,
        b"type" => 16,
        _ => return None,
    })
}

/// True for the lengths of [`KEYS`].
fn may_be_key(length: usize) -> bool {
    length < 32 && LENGTHS & (1 << length) != 0
}

fn insert<'t>(tags: &mut Tags<'t>, tag: Tag<'t>) {
    match tags {
        [None, _] => tags[0] = Some(tag),
        [Some(first), _] if tag.key < first.key => *tags = [Some(tag), Some(*first)],
        [_, Some(second)] if second.key < tag.key => {}
        _ => tags[1] = Some(tag),
    }
}

/// True for the name of a kind, unlike a title.
fn is_word(value: &str, longest: usize) -> bool {
    let bytes = value.as_bytes();
    bytes.len() <= longest
        && bytes.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'#')
        && bytes.iter().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b'/' | b'#')
        })
}

/// Objects by their tags, or the fact that there are too many tags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Variants {
    #[serde(default, skip_serializing_if = "Apart::is_empty")]
    apart: Apart,
    /// 1 if there were more tags than the cap: then the objects are with those without tags.
    #[serde(default, skip_serializing_if = "is_zero")]
    many: u64,
}

/// Sorted by key and value.
#[derive(Clone, Debug, Default, PartialEq)]
struct Apart(Vec<Variant>);

#[derive(Clone, Debug, PartialEq)]
struct Variant {
    key: u8,
    value: Key,
    object: Box<Object>,
}

impl Apart {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, tag: Tag<'_>, ends: Ends) -> Result<usize, usize> {
        self.0.binary_search_by(|variant| {
            variant.key.cmp(&tag.key).then_with(|| variant.value.cmp(tag.value, ends))
        })
    }
}

impl Object {
    /// All objects: those without a separate summary, if any, and those of each tag or pair of
    /// tags, which are named `key=value`, with a space between pairs.
    pub(crate) fn parts(&self) -> Vec<(String, &Object)> {
        let mut parts = Vec::new();
        self.add_parts("", &mut parts);
        parts
    }

    fn add_parts<'o>(&'o self, name: &str, parts: &mut Vec<(String, &'o Object)>) {
        let apart = self.variants.iter().flat_map(|variants| &variants.apart.0);
        if self.n > 0 {
            parts.push((name.to_owned(), self));
        }
        for variant in apart {
            let tag = format!("{}={}", KEYS[usize::from(variant.key)], variant.value.as_str());
            let name = if name.is_empty() { tag } else { format!("{name} {tag}") };
            variant.object.add_parts(&name, parts);
        }
    }
    /// The summary for objects with these tags.
    pub(super) fn of_tags(&mut self, tags: &Tags<'_>, limits: &Caps<'_>) -> &mut Object {
        let mut object = self;
        for tag in tags.iter().flatten() {
            match object.variant(*tag, limits) {
                Some(at) => {
                    let variants = object.variants.get_or_insert_default();
                    object = variants.apart.0[at].object.as_mut();
                }
                None => return object,
            }
        }
        object
    }

    /// The index of a tag's variant, created while tags are few; otherwise all variants are
    /// dropped.
    fn variant(&mut self, tag: Tag<'_>, limits: &Caps<'_>) -> Option<usize> {
        let variants = self.variants.get_or_insert_default();
        if variants.many != 0 {
            limits.note_rest();
            return None;
        }
        let ends = Ends::of(tag.value);
        match variants.apart.find(tag, ends) {
            Ok(at) => return Some(at),
            Err(at) if variants.apart.0.len() < limits.variants => {
                limits.note_fresh();
                let value = Key::new(tag.value, ends);
                let variant = Variant { key: tag.key, value, object: Box::default() };
                variants.apart.0.insert(at, variant);
                return Some(at);
            }
            Err(_) => {}
        }
        limits.note_rest();
        if !mutant::is(Mutant::FirstTags) {
            self.bring_together(limits);
        }
        None
    }

    /// Merges all objects into one summary.
    pub(crate) fn bring_together(&mut self, limits: &Limits) {
        let variants = self.variants.get_or_insert_default();
        variants.many = 1;
        for variant in std::mem::take(&mut variants.apart).0 {
            self.merge(*variant.object, limits);
        }
    }

    pub(super) fn merge_variants(&mut self, other: Option<Box<Variants>>, limits: &Limits) {
        let Some(mut other) = other else { return };
        let variants = self.variants.get_or_insert_default();
        let mut many = variants.many != 0 || other.many != 0;
        for theirs in std::mem::take(&mut other.apart).0 {
            let tag = Tag { key: theirs.key, value: theirs.value.as_str() };
            match variants.apart.find(tag, Ends::of(tag.value)) {
                Ok(at) => variants.apart.0[at].object.merge(*theirs.object, limits),
                Err(at) => variants.apart.0.insert(at, theirs),
            }
        }
        many |= variants.apart.0.len() > limits.variants;
        if many {
            self.bring_together(limits);
        }
    }

    pub(super) fn coarsen_variants(&mut self, limits: &Limits) {
        let Some(variants) = &mut self.variants else { return };
        for variant in &mut variants.apart.0 {
            variant.object.coarsen(limits);
        }
        if variants.apart.0.len() > limits.variants {
            self.bring_together(limits);
        }
    }
}

/// As a map with keys `key=value`: none of [`KEYS`] contains `=`.
impl Serialize for Apart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.0.iter().map(|variant| {
            let name = format!("{}={}", KEYS[usize::from(variant.key)], variant.value.as_str());
            (name, &variant.object)
        });
        serializer.collect_map(named.collect::<BTreeMap<_, _>>())
    }
}

impl<'de> Deserialize<'de> for Apart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = BTreeMap::<String, Box<Object>>::deserialize(deserializer)?;
        let variant = |(name, object): (String, Box<Object>)| {
            let (key, value) = name.split_once('=')?;
            Some(Variant { key: rank(key)?, value: Box::<str>::from(value).into(), object })
        };
        let variants: Option<Vec<Variant>> = named.into_iter().map(variant).collect();
        let mut variants =
            variants.ok_or_else(|| serde::de::Error::custom("a variant without a known tag"))?;
        variants
            .sort_by(|a, b| a.key.cmp(&b.key).then_with(|| a.value.as_str().cmp(b.value.as_str())));
        Ok(Apart(variants))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<(&'static str, String)> {
        let mut tape = Tape::default();
        tape.parse(text).unwrap();
        let Token::Object { end } = tape.token(0) else { panic!("an object") };
        let tags = Tag::of(&tape, text, 1..end as usize, &Limits::default());
        let named = tags.into_iter().flatten();
        named.map(|tag| (KEYS[usize::from(tag.key)], tag.value.to_owned())).collect()
    }

    #[test]
    fn each_key_has_its_rank() {
        for (index, key) in KEYS.iter().enumerate() {
            assert_eq!(rank(key).map(usize::from), Some(index));
            assert!(may_be_key(key.len()) && !may_be_key(key.len() + 32));
        }
        assert_eq!((rank("types"), rank("")), (None, None));
    }

    #[test]
    fn the_surest_keys_with_words_for_values() {
        let found = tags(r#"{"a": {"kind": "x"}, "type": "card", "event": 1, "object": "source"}"#);
        assert_eq!(found, [("object", "source".to_owned()), ("type", "card".to_owned())]);
        assert_eq!(tags(r#"{"type": "Of two words", "kind": "", "event": null}"#), []);
        let found = tags(r#"{"type": "a", "kind": "b", "object": "c", "@type": "d"}"#);
        assert_eq!(found, [("@type", "d".to_owned()), ("object", "c".to_owned())]);
    }

    #[test]
    fn a_repeated_key_tells_nothing() {
        assert_eq!(tags(r#"{"type": "a", "type": "b", "kind": "c"}"#), []);
    }
}
