//! The leaf values of a line: strings, name-value objects, statuses. Output of other tools is read
//! tolerantly (numbers as strings, null as absent), and strings without escapes are borrowed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use serde_json::value::RawValue;

use super::pairs::Pairs;
use super::text::BodyText;
use super::text::of_raw;
use super::words::words;

/// A string; a number or boolean is converted to text, and null is absent. Errors contain the
/// field's name.
pub(super) struct Text(pub(super) &'static str);

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be a string", self.0)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(number.to_string())))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(if truth { "true" } else { "false" })))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A string without conversion: a body of another type cannot be read without guessing.
pub(super) struct StrictText(pub(super) &'static str);

impl<'de> DeserializeSeed<'de> for StrictText {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictText {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be a string", self.0)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A [`StrictText`] that is long and full of escapes.
pub(super) struct LongText(pub(super) &'static str);

impl<'de> DeserializeSeed<'de> for LongText {
    type Value = Option<BodyText<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if let Some(text) = of_raw(raw) {
            return Ok(Some(text));
        }
        let mut again = serde_json::Deserializer::from_str(raw.get());
        StrictText(self.0)
            .deserialize(&mut again)
            .map(|text| text.map(BodyText::from))
            .map_err(|error| D::Error::custom(words(&error)))
    }
}

/// The name of a field, borrowed from the line unless it has escapes.
pub(super) struct FieldName<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for FieldName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldNameVisitor;
        impl<'de> Visitor<'de> for FieldNameVisitor {
            type Value = FieldName<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<FieldName<'de>, E> {
                Ok(FieldName(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<FieldName<'de>, E> {
                Ok(FieldName(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(FieldNameVisitor)
    }
}

/// A value that is skipped or read later. Its depth is limited as for all other values.
pub(super) struct Shallow<'de>(pub(super) &'de RawValue);

/// The depth at which serde_json stops.
const DEEPEST: usize = 127;

impl<'de> Deserialize<'de> for Shallow<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        // Each level takes at least two bytes, so the depth of most values need not be counted.
        if raw.get().len() > 2 * DEEPEST && depth(raw.get()) > DEEPEST {
            return Err(D::Error::custom("nested deeper than 128"));
        }
        Ok(Shallow(raw))
    }
}

/// The nesting depth of a JSON text.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// An object of strings or arrays of strings: headers, query, trailers.
pub(super) struct NameValues(pub(super) &'static str);

impl<'de> DeserializeSeed<'de> for NameValues {
    type Value = Pairs<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NameValues {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be an object of strings or arrays of strings", self.0)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Pairs::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Pairs::with_capacity(16);
        let mut seen = DuplicateFilter::default();
        while let Some(FieldName(name)) = map.next_key()? {
            seen.note(&name);
            while pairs.last().is_some_and(|(last, _)| *last == name) {
                pairs.pop();
            }
            map.next_value_seed(Values { what: self.0, name, pairs: &mut pairs })?;
        }
        if seen.perhaps_twice {
            drop_superseded(&mut pairs);
        }
        Ok(pairs)
    }
}

/// One value, or each of an array, pushed under `name`.
struct Values<'p, 'de> {
    what: &'static str,
    name: Cow<'de, str>,
    pairs: &'p mut Pairs<'de>,
}

impl<'de> DeserializeSeed<'de> for Values<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} must be a string or an array of strings", self.what, self.name)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.pairs.push((self.name, Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.pairs.push((self.name, Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.pairs.push((self.name, Cow::Owned(number.to_string())));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.pairs.push((self.name, Cow::Owned(number.to_string())));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.pairs.push((self.name, Cow::Owned(number.to_string())));
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.pairs.push((self.name, Cow::Borrowed(if truth { "true" } else { "false" })));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element_seed(Text(self.what))? {
            if let Some(value) = value {
                self.pairs.push((self.name.clone(), value));
            }
        }
        Ok(())
    }
}

/// Detects duplicate names cheaply: a filter of 512 bits, which may report false positives.
#[derive(Default)]
struct DuplicateFilter {
    bits: [u64; 8],
    perhaps_twice: bool,
}

impl DuplicateFilter {
    fn note(&mut self, name: &str) {
        let bytes = name.as_bytes();
        let at = |index: usize| bytes.get(index).copied().map_or(0, usize::from);
        let mix = at(0) * 31 + at(bytes.len() / 2) * 131 + at(bytes.len().wrapping_sub(1)) * 7;
        let slot = (mix + bytes.len() * 61) % 512;
        let bit = 1 << (slot % 64);
        self.perhaps_twice |= self.bits[slot / 64] & bit != 0;
        self.bits[slot / 64] |= bit;
    }
}

/// Removes the values of earlier duplicate keys, as JSON readers do. The values of one array are
/// adjacent, so earlier values of a name that has ended belong to an older key.
fn drop_superseded(pairs: &mut Pairs<'_>) {
    let mut ended: HashSet<Cow<'_, str>> = HashSet::new();
    let mut keep = vec![true; pairs.len()];
    let mut found = false;
    for index in (0..pairs.len()).rev() {
        let name = &pairs[index].0;
        let run_goes_on = pairs.get(index + 1).is_some_and(|next| next.0 == *name);
        if run_goes_on {
            keep[index] = keep[index + 1];
        } else if !ended.insert(Cow::Borrowed(name)) {
            keep[index] = false;
            found = true;
        }
    }
    drop(ended);
    if found {
        let mut keep = keep.into_iter();
        pairs.retain(|_| keep.next().unwrap_or(true));
    }
}

/// A status code: a number, also as a float without fraction or as text.
pub(super) struct Status;

impl<'de> DeserializeSeed<'de> for Status {
    type Value = u16;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u16, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Status {
    type Value = u16;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("response.statusCode must be a number from 100 to 999")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u16, E> {
        match u16::try_from(number) {
            Ok(status @ 100..=999) => Ok(status),
            _ => Err(E::custom(format_args!("response.statusCode {number} is not 100 to 999"))),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<u16, E> {
        if number.fract() == 0.0 && (100.0..=999.0).contains(&number) {
            return Ok(number as u16);
        }
        Err(E::custom(format_args!("response.statusCode {number} is not 100 to 999")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u16, E> {
        match text.trim().parse() {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::custom("response.statusCode is not a number")),
        }
    }
}
