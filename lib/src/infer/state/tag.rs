//! Tags: keys such as `type` that state the kind of an object.

use std::ops::Range;

use super::tape::{Tape, Token};
use crate::infer::Limits;
use crate::infer::sketch::below;

/// Keys that state the kind of an object, the surest first: those of serialisers (GraphQL, JSON-LD,
/// OData, Jackson, Json.NET), and those in public APIs.
pub(super) const KEYS: [&str; 17] = [
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
    pub(super) key: u8,
    pub(super) value: &'t str,
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
pub(super) fn rank(key: &str) -> Option<u8> {
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
