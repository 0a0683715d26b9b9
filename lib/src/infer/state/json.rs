//! The observations at one place of JSON bodies: the node monoid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::class::{Class, class_of, no_priority};
use super::tag::Tag;
use super::tape::{Tape, Token};
use super::variants::Variants;
use crate::format;
use crate::infer::Limits;
use crate::infer::sketch::{
    CappedMap, Caps, Merge, NumberRange, Values, add, coarsen_option, is_default, is_zero,
    merge_option,
};

/// The observations at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Json {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) array: Option<Box<Array>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) bools: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) floats: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) ints: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) nulls: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<Box<Object>>,
    /// Values that could not be examined: truncated, malformed, too deep. The schema is then
    /// unconstrained.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) opaque: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) range: NumberRange,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Box<Text>>,
}

/// Arrays at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Array {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) items: Option<Box<Json>>,
    pub(crate) longest: u64,
    pub(crate) n: u64,
    /// Stored as its complement: the minimum is then a maximum, for which zero is neutral.
    pub(crate) shortest: Least,
}

/// The minimum of the folded values; zero observations are neutral.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Least(pub(crate) u64);

impl Default for Least {
    fn default() -> Self {
        Least(u64::MAX)
    }
}

/// Objects at one place.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Object {
    /// Keys that look like names.
    #[serde(default = "CappedMap::default", skip_serializing_if = "CappedMap::is_empty")]
    pub(crate) keys: CappedMap<Property>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) members: u64,
    pub(crate) n: u64,
    /// A hint: the index of the first key in the last object. Not part of the state.
    #[serde(skip)]
    first: u32,
    /// Keys that look like values: identifiers, dates, addresses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) values: BTreeMap<Class, CappedMap<Property>>,
    /// Objects with tags, apart from the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variants: Option<Box<Variants<Object>>>,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        (self.n, self.members) == (other.n, other.members)
            && self.keys == other.keys
            && self.values == other.values
            && self.variants == other.variants
    }
}

/// The observations under one key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Property {
    pub(crate) json: Json,
    /// The number of objects that have it.
    pub(crate) present: u64,
    /// The last folded object, so that a duplicate key counts once. Not part of the state.
    #[serde(skip)]
    stamp: u64,
    /// A hint: the index of the key that followed last time, always verified. Not part of the
    /// state.
    #[serde(skip)]
    next: u32,
}

impl PartialEq for Property {
    fn eq(&self, other: &Self) -> bool {
        self.present == other.present && self.json == other.json
    }
}

/// Strings at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Text {
    /// In code points.
    pub(crate) longest: u64,
    pub(crate) n: u64,
    /// Refuted formats, as bits of [`format::FORMATS`]: refutations unite, so zero is neutral.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) refuted: u64,
    pub(crate) shortest: Least,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) values: Values,
}

impl Json {
    /// All objects, in the form of [`Object::parts`].
    pub(crate) fn objects(&self) -> Vec<(String, &Object)> {
        self.object.as_ref().map_or_else(Vec::new, |object| object.parts())
    }

    /// The observations without arrays and objects, which are not copied.
    pub(crate) fn scalars(&self) -> Json {
        Json {
            array: None,
            bools: self.bools,
            floats: self.floats,
            ints: self.ints,
            nulls: self.nulls,
            object: None,
            opaque: self.opaque,
            range: self.range.clone(),
            text: self.text.clone(),
        }
    }

    /// Folds the value at `at` of the tape; returns the index after it.
    pub(crate) fn fold(
        &mut self,
        tape: &Tape,
        text: &str,
        at: usize,
        depth: u32,
        limits: &Caps<'_>,
    ) -> usize {
        match tape.token(at) {
            Token::Null => add(&mut self.nulls, 1),
            Token::Bool => add(&mut self.bools, 1),
            Token::Int(value) => {
                add(&mut self.ints, 1);
                self.range.fold_int(limits.int(value.into()));
            }
            Token::Big(value) => {
                add(&mut self.ints, 1);
                self.range.fold_int(limits.int(value.into()));
            }
            Token::Float(value) => {
                add(&mut self.floats, 1);
                self.range.fold_float(limits.float(value));
            }
            Token::Text(span) => {
                self.text.get_or_insert_default().fold(tape.str(span, text), limits);
            }
            Token::Array { end } => {
                let end = end as usize;
                self.fold_array(tape, text, at + 1..end, depth, limits);
                return end;
            }
            Token::Object { end } => {
                let end = end as usize;
                self.fold_object(tape, text, at + 1..end, depth, limits);
                return end;
            }
        }
        at + 1
    }

    fn fold_array(
        &mut self,
        tape: &Tape,
        text: &str,
        range: std::ops::Range<usize>,
        depth: u32,
        limits: &Caps<'_>,
    ) {
        let array = self.array.get_or_insert_default();
        let (mut at, mut len) = (range.start, 0);
        while at < range.end {
            let items = array.items.get_or_insert_default();
            if depth >= limits.depth {
                add(&mut items.opaque, 1);
                break;
            }
            at = items.fold(tape, text, at, depth + 1, limits);
            len += 1;
        }
        add(&mut array.n, 1);
        if depth < limits.depth {
            array.longest = array.longest.max(len);
            array.shortest.0 = array.shortest.0.min(len);
        } else {
            array.longest = u64::MAX;
            array.shortest.0 = 0;
        }
    }

    fn fold_object(
        &mut self,
        tape: &Tape,
        text: &str,
        range: std::ops::Range<usize>,
        depth: u32,
        limits: &Caps<'_>,
    ) {
        let mut object = self.object.get_or_insert_default().as_mut();
        if depth < limits.depth {
            object = object.of_tags(&Tag::of(tape, text, range.clone(), limits), limits);
        }
        add(&mut object.n, 1);
        if depth >= limits.depth {
            // Below the depth cap, all keys belong to the rest and are not examined.
            let rest = object.keys.rest_slot();
            add(&mut rest.json.opaque, 1);
            return;
        }
        let stamp = object.n;
        let mut at = range.start;
        let mut last: Option<usize> = None;
        while at < range.end {
            let Token::Text(span) = tape.token(at) else { break };
            let key = tape.str(span, text);
            let guess = match last {
                Some(last) => object.keys.at(last).map_or(0, |property| property.next),
                None => object.first,
            };
            let place = object.place(key, guess as usize, limits);
            if let KeyPlace::Name(index) = place {
                match last.and_then(|last| object.keys.at(last)) {
                    Some(before) => before.next = index as u32,
                    None => object.first = index as u32,
                }
                last = Some(index);
            }
            let (property, kept) = object.at(place);
            if kept && property.stamp != stamp {
                property.stamp = stamp;
                add(&mut property.present, 1);
            }
            at = property.json.fold(tape, text, at + 1, depth + 1, limits);
            add(&mut object.members, 1);
        }
    }
}

/// Where a key of an object belongs.
#[derive(Clone, Copy)]
enum KeyPlace {
    Name(usize),
    NameRest,
    Value(Class, usize),
    ValueRest(Class),
}

impl Object {
    /// The place of a key, created if missing. `guess` is tried first: keys usually have the order
    /// of the last object, and comparing bytes is cheaper than hashing.
    fn place(&mut self, key: &str, guess: usize, limits: &Caps<'_>) -> KeyPlace {
        if self.keys.is_at(guess, key) {
            return KeyPlace::Name(guess);
        }
        let class = class_of(key);
        if class.is_id() {
            let map = self.values.entry(class).or_default();
            return match map.index(key, limits.value_keys, no_priority, limits) {
                Some(index) => KeyPlace::Value(class, index),
                None => KeyPlace::ValueRest(class),
            };
        }
        match self.keys.index(key, limits.keys, no_priority, limits) {
            Some(index) => KeyPlace::Name(index),
            None => KeyPlace::NameRest,
        }
    }

    /// The property at a place, and whether it belongs to a single key.
    fn at(&mut self, place: KeyPlace) -> (&mut Property, bool) {
        match place {
            KeyPlace::NameRest => (self.keys.rest_slot(), false),
            KeyPlace::ValueRest(class) => {
                (self.values.entry(class).or_default().rest_slot(), false)
            }
            KeyPlace::Name(index) => (self.keys.value_at(index), true),
            KeyPlace::Value(class, index) => {
                (self.values.entry(class).or_default().value_at(index), true)
            }
        }
    }
}

impl Text {
    /// Folds one string.
    pub(crate) fn fold(&mut self, value: &str, limits: &Limits) {
        let length = if value.is_ascii() { value.len() } else { value.chars().count() } as u64;
        add(&mut self.n, 1);
        self.longest = self.longest.max(length);
        self.shortest.0 = self.shortest.0.min(length);
        let open = format::inferred_mask() & !self.refuted;
        if open != 0 {
            self.refuted |= open & !format::detect_mask(value, open);
        }
        self.values.fold(value, limits.values, limits.longest_value);
    }
}

impl Merge for Text {
    fn coarsen(&mut self, limits: &Limits) {
        self.values.coarsen(limits.values);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        add(&mut self.n, other.n);
        self.longest = self.longest.max(other.longest);
        self.shortest.0 = self.shortest.0.min(other.shortest.0);
        self.refuted |= other.refuted;
        self.values.merge(other.values, limits.values);
    }
}

impl Array {
    /// The number and lengths of the arrays.
    pub(crate) fn without_items(&self) -> Array {
        Array { items: None, ..*self }
    }
}

impl Merge for Array {
    fn coarsen(&mut self, limits: &Limits) {
        coarsen_option(&mut self.items, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        merge_option(&mut self.items, other.items, limits);
        self.longest = self.longest.max(other.longest);
        self.shortest.0 = self.shortest.0.min(other.shortest.0);
        add(&mut self.n, other.n);
    }
}

impl Merge for Property {
    fn coarsen(&mut self, limits: &Limits) {
        self.json.coarsen(limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.json.merge(other.json, limits);
        add(&mut self.present, other.present);
    }

    fn demote(&mut self) {
        self.present = 0;
    }
}

impl Merge for Object {
    fn coarsen(&mut self, limits: &Limits) {
        self.keys.coarsen(limits.keys, limits);
        for map in self.values.values_mut() {
            map.coarsen(limits.value_keys, limits);
        }
        self.coarsen_variants(limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.keys.merge(other.keys, limits.keys, limits);
        add(&mut self.members, other.members);
        add(&mut self.n, other.n);
        for (class, map) in other.values {
            self.values.entry(class).or_default().merge(map, limits.value_keys, limits);
        }
        self.merge_variants(other.variants, limits);
    }
}

impl Merge for Json {
    fn coarsen(&mut self, limits: &Limits) {
        coarsen_option(&mut self.array, limits);
        coarsen_option(&mut self.object, limits);
        coarsen_option(&mut self.text, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        merge_option(&mut self.array, other.array, limits);
        add(&mut self.bools, other.bools);
        add(&mut self.floats, other.floats);
        add(&mut self.ints, other.ints);
        add(&mut self.nulls, other.nulls);
        merge_option(&mut self.object, other.object, limits);
        add(&mut self.opaque, other.opaque);
        self.range.merge(other.range, limits);
        merge_option(&mut self.text, other.text, limits);
    }
}
