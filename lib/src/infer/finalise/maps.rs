//! Decides which keys of an object are names, and which are data.
//!
//! A few objects are not enough to distinguish a map from optional properties. So the objects under
//! the same property name are examined together first, across all operations: if `metadata` is a
//! map anywhere, it is a map everywhere. Clear evidence at one place takes precedence.

use std::collections::{BTreeMap, BTreeSet};

use super::locales::{is_country, is_currency, is_language, is_regional, is_usual_language};
use super::vocabulary::Vocabulary;
use crate::infer::Limits;
use crate::infer::sketch::{Merge as _, add};
use crate::infer::state::{Class, Json, Object, Property};

/// The keys of an object, split into names and data.
pub(super) struct SplitKeys<'a> {
    /// Names, sorted.
    pub(super) properties: Vec<(&'a str, &'a Property)>,
    /// All other values together, if keys are data.
    pub(super) additional: Option<Json>,
}

/// The conclusion from the keys of some objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Map,
    KeysByName,
    Unsure,
}

/// What is known about the objects under each property name.
pub(super) struct MapNames {
    /// By name, and by name together with the parent's name, which takes precedence.
    verdicts: BTreeMap<(Option<String>, String), Verdict>,
    vocabulary: Vocabulary,
}

impl MapNames {
    /// Learns from all bodies.
    pub(super) fn learn<'a>(bodies: impl Iterator<Item = &'a Json>) -> Self {
        let vocabulary = Vocabulary::new();
        let mut names = KeysByName::new();
        for body in bodies {
            collect(body, ("", ""), &mut names);
        }
        let verdicts = names
            .into_iter()
            .filter(|((_, name), _)| !name.is_empty())
            .map(|((around, name), keys)| {
                ((around.map(str::to_owned), name.to_owned()), keys.verdict(&vocabulary))
            })
            .filter(|(_, verdict)| *verdict != Verdict::Unsure)
            .collect();
        MapNames { verdicts, vocabulary }
    }

    /// True if the keys of an object kind, united from several places, are data. Each key comes
    /// with the number of objects that have it, the kinds of its values, and the keys of the
    /// objects below. `values`: some keys are already known to be data.
    pub(super) fn are_data<'k>(
        &self,
        n: u64,
        values: bool,
        keys: impl Iterator<Item = (&'k str, u64, u32, BTreeSet<&'k str>)>,
    ) -> bool {
        let keys = keys
            .map(|(name, present, kinds, below)| (name, ObservedKey { present, kinds, below }))
            .collect();
        ObservedKeys { n, keys, more: false, values }.verdict(&self.vocabulary) == Verdict::Map
    }

    /// True if the keys of the objects under the key `name` in objects under `around` are names,
    /// judging by all such objects.
    fn are_names(&self, around: &str, name: &str) -> bool {
        let key = (Some(around.to_owned()), name.to_owned());
        !around.is_empty() && self.verdicts.get(&key) == Some(&Verdict::KeysByName)
    }

    fn of_name(&self, around: &str, name: &str) -> Verdict {
        [Some(around.to_owned()), None]
            .into_iter()
            .find_map(|around| self.verdicts.get(&(around, name.to_owned())).copied())
            .unwrap_or(Verdict::Unsure)
    }

    /// Splits the keys of the objects at one place, by property name (empty if none) and parent
    /// name. All values that are not in properties are in `additional`, so every observed key has a
    /// schema.
    pub(super) fn shape<'a>(
        &self,
        object: &'a Object,
        (around, name): (&str, &str),
        limits: &Limits,
    ) -> SplitKeys<'a> {
        shape(object, self.verdict(object, (around, name)), &self.vocabulary, limits)
    }

    fn verdict(&self, object: &Object, (around, name): (&str, &str)) -> Verdict {
        let mut keys = ObservedKeys::default();
        keys.add(object);
        match keys.verdict(&self.vocabulary) {
            Verdict::Unsure => self.of_name(around, name),
            // In a few objects, keys may be missing by chance; all objects with the name provide
            // more evidence. This applies only to counts. Otherwise, a few objects of different
            // kinds at one place would look like one kind with all their keys.
            Verdict::Map
                if object.n < ENOUGH && holds_numbers(object) && self.are_names(around, name) =>
            {
                Verdict::KeysByName
            }
            clear => clear,
        }
    }

    /// The keys at a place that are names, with arguments as in [`MapNames::shape`].
    pub(super) fn names<'a>(&self, object: &'a Object, keys: (&str, &str)) -> BTreeSet<&'a str> {
        let data = self.verdict(object, keys) == Verdict::Map || object.keys.rest().is_some();
        let codes = data && are_codes(object.keys.iter().map(|(name, _)| name));
        let all = object.keys.iter();
        all.filter(|(name, property)| !data || !codes && is_fixed(name, property, object))
            .map(|(name, _)| name)
            .collect()
    }
}

type KeysByName<'a> = BTreeMap<(Option<&'a str>, &'a str), ObservedKeys<'a>>;

fn collect<'a>(json: &'a Json, (around, name): (&'a str, &'a str), names: &mut KeysByName<'a>) {
    for (_, object) in json.objects() {
        names.entry((Some(around), name)).or_default().add(object);
        names.entry((None, name)).or_default().add(object);
        for (key, property) in object.keys.iter() {
            collect(&property.json, (name, key), names);
        }
        // Values under keys that are data have no name.
        let rests = object
            .values
            .values()
            .flat_map(|map| map.iter().map(|(_, property)| property).chain(map.rest()));
        for property in rests.chain(object.keys.rest()) {
            collect(&property.json, (name, ""), names);
        }
    }
    if let Some(items) = json.array.as_ref().and_then(|array| array.items.as_deref()) {
        collect(items, (around, name), names);
    }
}

/// The keys of some objects.
#[derive(Default)]
struct ObservedKeys<'a> {
    /// Objects.
    n: u64,
    keys: BTreeMap<&'a str, ObservedKey<'a>>,
    /// There were more keys than are kept.
    more: bool,
    /// Some keys look like identifiers or dates.
    values: bool,
}

#[derive(Default)]
struct ObservedKey<'a> {
    present: u64,
    kinds: u32,
    /// The keys of the objects below.
    below: BTreeSet<&'a str>,
}

impl<'a> ObservedKeys<'a> {
    fn add(&mut self, object: &'a Object) {
        add(&mut self.n, object.n);
        self.more |= object.keys.rest().is_some();
        self.values |=
            object.values.keys().any(|class| !matches!(class, Class::Prefixed | Class::Opaque));
        for (name, property) in object.keys.iter() {
            let key = self.keys.entry(name).or_default();
            add(&mut key.present, property.present);
            let json = &property.json;
            key.kinds |= kinds(json, json.array.is_some(), json.object.is_some());
            let items = json.array.as_ref().and_then(|array| array.items.as_ref());
            let items = items.map_or_else(Vec::new, |items| items.objects());
            for (_, below) in json.objects().into_iter().chain(items) {
                key.below.extend(below.keys.iter().map(|(name, _)| name));
            }
        }
    }

    /// Weighs the evidence for a map: mainly the share of keys that are not words of any API, and
    /// of those that no programmer would choose as a name.
    fn verdict(&self, vocabulary: &Vocabulary) -> Verdict {
        let distinct = self.keys.len() as u64;
        // Regardless of the values: nobody names properties by such codes only.
        if are_codes(self.keys.keys().copied()) {
            return Verdict::Map;
        }
        let codes = self.are_look_alikes();
        let is_odd = |name: &str| codes || is_odd(name);
        let (mut occurrences, mut once, mut steady, mut odd, mut foreign) = (0u64, 0, 0, 0, 0);
        // Scalars under single unknown words: names of users, for instance.
        let (mut named, mut strange) = (0, 0);
        let mut all_kinds = 0;
        for (name, key) in &self.keys {
            if key.present * 100 >= self.n * 95 && self.n >= ENOUGH && !is_odd(name) {
                steady += 1;
                continue;
            }
            add(&mut occurrences, key.present);
            once += u64::from(key.present == 1);
            odd += u64::from(is_odd(name));
            let known = !codes && vocabulary.knows(name);
            foreign += u64::from(!known);
            let is_scalar = key.kinds & !(NULL | SCALARS) == 0;
            strange += u64::from(!known && is_scalar && name.chars().all(char::is_lowercase));
            if known && key.present >= 3 && !is_odd(name) {
                named += key.present;
            }
            all_kinds |= key.kinds & !NULL;
        }
        let loose = distinct - steady;
        // Names that recur among the data: there are objects of both kinds.
        if named * 4 > occurrences {
            return if self.n >= ENOUGH { Verdict::KeysByName } else { Verdict::Unsure };
        }
        let mut score = 0;
        if self.more {
            score += 2;
        }
        if self.values && loose > 0 {
            score += 2;
        }
        if loose >= 8 && once * 10 > occurrences {
            score += 2;
        }
        if loose >= 2 && odd * 2 > loose {
            score += 2;
        }
        if loose >= 8 && loose * self.n >= occurrences * 4 {
            score += 1;
        }
        if loose >= 2 && foreign * 2 > loose {
            score += 1;
            // Dozens of unknown words, each in few objects, are data, regardless of the values.
            let dozens = loose >= 24 && loose * self.n >= occurrences * 8;
            if dozens || loose >= 8 && strange * 10 >= loose * 9 && steady == 0 {
                score += 2;
            }
        }
        if all_kinds.count_ones() > 1 {
            score -= 2;
        } else if loose >= 2 && self.values_are_alike() {
            score += 1;
        }
        if steady >= 2 {
            score -= 3;
        }
        match score {
            4.. => Verdict::Map,
            ..=2 if self.n >= ENOUGH => Verdict::KeysByName,
            _ => Verdict::Unsure,
        }
    }

    /// True for at least eight keys of two to four capitals, all of one length, that do not all
    /// occur each time: `JFK`, `LHR`.
    fn are_look_alikes(&self) -> bool {
        let Some(length) = self.keys.keys().next().map(|key| key.len()) else { return false };
        let is_like = |key: &&str| {
            key.len() == length && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        let steady = self.keys.values().filter(|key| key.present == self.n).count();
        self.keys.len() >= 8
            && (2..=4).contains(&length)
            && self.keys.keys().all(is_like)
            && (steady * 2 <= self.keys.len() || self.n == 1)
    }

    /// True unless the values are objects with few common keys, as under names.
    fn values_are_alike(&self) -> bool {
        let mut holders: BTreeMap<&str, usize> = BTreeMap::new();
        let values = self.keys.values().filter(|key| !key.below.is_empty()).count();
        for below in self.keys.values().flat_map(|key| &key.below) {
            *holders.entry(below).or_default() += 1;
        }
        let all: usize = holders.values().sum();
        let common: usize = holders.values().filter(|n| **n >= 2 && **n * 5 >= values * 2).sum();
        common * 2 >= all
    }
}

/// True if all values that were seen are numbers or null, as in an object of counts.
fn holds_numbers(object: &Object) -> bool {
    object.keys.iter().all(|(_, property)| {
        let json = &property.json;
        let found = kinds(json, json.array.is_some(), !json.objects().is_empty()) & !NULL;
        found == 0 || found == NUMBER
    })
}

/// With fewer objects, a key that is always present is weak evidence.
const ENOUGH: u64 = 8;

/// True if all keys are codes of one list: currencies, countries, languages (some of which are
/// words too).
fn are_codes<'k>(keys: impl Iterator<Item = &'k str>) -> bool {
    let keys: Vec<&str> = keys.collect();
    let all = |is: fn(&str) -> bool| keys.iter().all(|key| is(key));
    let language = |key: &str| is_language(key) || is_regional(key);
    let usual = || keys.iter().filter(|key| is_usual_language(key)).count();
    match keys.len() {
        0 | 1 => false,
        2 => all(is_regional) || all(is_usual_language) || all(is_upper_currency),
        n => {
            all(is_currency)
                || all(language) && usual() * 3 >= n
                || all(is_country) && (n >= 4 || all(|key| !key.contains(char::is_lowercase)))
        }
    }
}

/// Three capitals: a short word in lower case may be a name.
fn is_upper_currency(key: &str) -> bool {
    is_currency(key) && !key.contains(char::is_lowercase)
}

/// True for keys that look like values, but are also used as names: `address_line1`, the `1` to `5`
/// of ratings, `-1`.
fn may_be_name(class: Class, key: &str) -> bool {
    match class {
        Class::Prefixed | Class::Opaque | Class::Hex => true,
        Class::Int => key.len() <= 2,
        _ => false,
    }
}

/// Keys with characters that names lack, or a language with its country.
fn is_odd(key: &str) -> bool {
    let bytes = key.as_bytes();
    let locale = bytes.len() == 5
        && bytes[..2].iter().all(u8::is_ascii_lowercase)
        && matches!(bytes[2], b'-' | b'_')
        && bytes[3..].iter().all(u8::is_ascii_uppercase);
    locale
        || bytes.first().is_some_and(u8::is_ascii_digit)
        || (!key.starts_with(['@', '$']) && key.contains(['.', '/', ':', ' ', '@']))
}

fn shape<'a>(
    object: &'a Object,
    verdict: Verdict,
    vocabulary: &Vocabulary,
    limits: &Limits,
) -> SplitKeys<'a> {
    let mut properties = Vec::new();
    let mut additional: Option<Json> = None;
    let mut absorb = |json: &Json| additional.get_or_insert_default().merge(json.clone(), limits);

    let data = verdict == Verdict::Map || object.keys.rest().is_some();
    let codes = data && are_codes(object.keys.iter().map(|(name, _)| name));
    for (name, property) in object.keys.sorted() {
        if data && (codes || !is_fixed(name, property, object)) {
            absorb(&property.json);
        } else {
            properties.push((name, property));
        }
    }
    if let Some(rest) = object.keys.rest() {
        absorb(&rest.json);
    }
    for (class, map) in &object.values {
        // A key that looks like a value but is in every object, or consists of known words
        // (`address_line1`), is a name nevertheless.
        let few = !data && map.rest().is_none();
        for (name, property) in map.iter() {
            let steady = is_steady(property, object) && object.n >= ENOUGH;
            let named = may_be_name(*class, name) && (steady || vocabulary.knows(name));
            if few && named {
                properties.push((name, property));
            } else {
                absorb(&property.json);
            }
        }
        if let Some(rest) = map.rest() {
            absorb(&rest.json);
        }
    }
    properties.sort_by_key(|(name, _)| *name);
    SplitKeys { properties, additional }
}

/// True for a key that is a name, in an object whose other keys are data.
fn is_fixed(name: &str, property: &Property, object: &Object) -> bool {
    is_steady(property, object) && object.n >= ENOUGH && !is_odd(name)
}

/// In at least 95 of 100 objects.
fn is_steady(property: &Property, object: &Object) -> bool {
    property.present * 100 >= object.n * 95
}

/// A bit of [`kinds`].
pub(super) const NULL: u32 = 1;

/// Bits of [`kinds`] for booleans, numbers, texts.
const SCALARS: u32 = 2 | NUMBER | TEXT;

/// The bit for numbers.
pub(super) const NUMBER: u32 = 4;

/// The bit for texts.
pub(super) const TEXT: u32 = 8;

/// The observed JSON types, as bits.
pub(super) fn kinds(scalars: &Json, array: bool, object: bool) -> u32 {
    (if scalars.nulls > 0 { NULL } else { 0 })
        | (if scalars.bools > 0 { 2 } else { 0 })
        | (if scalars.ints > 0 || scalars.floats > 0 { NUMBER } else { 0 })
        | (if scalars.text.is_some() { TEXT } else { 0 })
        | (if array { 16 } else { 0 })
        | (if object { 32 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::finalise::testing::folded;

    /// For the objects under `name` in the bodies: the property names, and whether other keys are
    /// data.
    fn decided(bodies: &[&str], name: &str) -> (Vec<String>, bool) {
        let json = folded(bodies);
        let maps = MapNames::learn(std::iter::once(&json));
        let object = json.object.as_ref().expect("objects");
        let below = object.keys.iter().find(|(key, _)| *key == name).expect("the key").1;
        let object = below.json.object.as_ref().expect("objects");
        let shape = maps.shape(object, ("", name), &Limits::default());
        let names = shape.properties.iter().map(|(name, _)| (*name).to_owned()).collect();
        (names, shape.additional.is_some())
    }

    #[test]
    fn identifiers_and_dates_are_data() {
        let bodies = [r#"{"rates": {"2024-01-15": 1.5, "2024-01-16": 2}}"#];
        assert_eq!(decided(&bodies, "rates"), (vec![], true));
    }

    #[test]
    fn codes_are_data_however_often_they_come_again() {
        let all = [
            ("r", r#"{"r": {"USD": 1.5, "EUR": 2, "TRY": 3}}"#),
            ("c", r#"{"c": {"US": {"n": 1}, "DE": {"n": 2}, "IT": {"n": 2}}}"#),
            ("l", r#"{"l": {"en": "x", "de": "y", "fr": "z"}}"#),
            ("p", r#"{"p": {"EUR": 1, "USD": 2}}"#),
            ("v", r#"{"v": {"1.0.0": {"dist": 1}, "1.1.0": {"dist": 2}}}"#),
            ("i", r#"{"i": {"101": 10, "102": 20, "103": 30}}"#),
            ("d", r#"{"d": {"2024-01-15": 1, "2024-01-16": 2}}"#),
        ];
        for (name, body) in all {
            for times in [1, 8, 100] {
                assert_eq!(decided(&vec![body; times], name), (vec![], true), "{name} {times}");
            }
        }
        let stars = [r#"{"x": {"1": 5, "2": 2, "3": 3}}"#; 20];
        assert!(!decided(&stars, "x").1);
        let names = [r#"{"x": {"id": 1, "to": 2, "is": 3}}"#; 20];
        assert!(!decided(&names, "x").1);
    }

    #[test]
    fn more_of_the_same_leaves_a_map_a_map() {
        // 40 of 144 keys that are in no list.
        let codes: Vec<String> = (0..144u8)
            .map(|n| {
                [b'B' + n / 36, b'U' + n / 6 % 6, b'Q' + n % 6].map(char::from).iter().collect()
            })
            .collect();
        for times in [3, 10, 100, 1000] {
            let bodies: Vec<String> = (0..times)
                .map(|at| {
                    let keys = (0..40).map(|n| &codes[(at * 61 + n) % 144]);
                    let pairs: Vec<String> = keys.map(|key| format!("\"{key}\": 1.5")).collect();
                    format!(r#"{{"rates": {{{}}}}}"#, pairs.join(","))
                })
                .collect();
            let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
            assert_eq!(decided(&bodies, "rates"), (vec![], true), "{times}");
        }
    }

    #[test]
    fn known_words_with_digits_are_names() {
        let bodies = [r#"{"address": {"address_line1": "x", "address_line2": "y", "city": "z"}}"#];
        let names = ["address_line1", "address_line2", "city"].map(str::to_owned).to_vec();
        assert_eq!(decided(&bodies, "address"), (names, false));
    }

    #[test]
    fn languages_are_data_however_often_they_come_again() {
        let bodies = [
            r#"{"title": {"de-DE": "a", "en-GB": "b"}}"#,
            r#"{"title": {"fr-FR": "c", "en-GB": "d"}}"#,
        ];
        assert_eq!(decided(&bodies.repeat(20), "title"), (vec![], true));
    }

    #[test]
    fn many_rare_keys_with_like_objects_are_data_and_with_unlike_ones_are_names() {
        let like: Vec<String> = (b'a'..=b'p')
            .map(|c| {
                format!(
                    r#"{{"m": {{"zq{0}x": {{"id": 1, "size": 2}}, "zw{0}y": {{"id": 1}}}}}}"#,
                    char::from(c)
                )
            })
            .collect();
        let like: Vec<&str> = like.iter().map(String::as_str).collect();
        assert_eq!(decided(&like, "m"), (vec![], true));
        let options = ["card", "bank", "wallet", "cash", "link", "check", "credit", "transfer"];
        let unlike: Vec<String> = options
            .iter()
            .map(|o| format!(r#"{{"m": {{"{o}": {{"{o}_a": 1, "{o}_b": 2}}}}}}"#))
            .collect();
        let unlike: Vec<&str> = unlike.iter().map(String::as_str).collect();
        assert!(!decided(&unlike, "m").1);
    }

    #[test]
    fn a_few_objects_without_some_names_do_not_make_a_map() {
        let all =
            r#"{"comment": {"x": {"+1": 1, "-1": 2, "zonk": 1, "eyes": 3, "hoo": 1, "blip": 1}}}"#;
        let few = folded(&[r#"{"comment": {"x": {"+1": 1, "-1": 2, "zonk": 1, "eyes": 3}}}"#]);
        let many = folded(&vec![all; 20]);
        let maps = MapNames::learn([&few, &many].into_iter());
        let object = |json: &Json, name: &str| {
            let object = json.object.as_ref().expect("an object");
            object.keys.iter().find(|(key, _)| *key == name).expect("the key").1.json.clone()
        };
        let found = object(&object(&few, "comment"), "x");
        let found = found.object.as_ref().expect("an object");
        let shape = maps.shape(found, ("comment", "x"), &Limits::default());
        let names: Vec<&str> = shape.properties.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["+1", "eyes", "zonk"]);
    }

    #[test]
    fn optional_properties_are_names() {
        let bodies =
            [r#"{"user": {"id": 1, "name": "x"}}"#, r#"{"user": {"id": 1, "email": "x"}}"#];
        let names = ["email", "id", "name"].map(str::to_owned).to_vec();
        assert_eq!(decided(&bodies.repeat(10), "user"), (names, false));
    }
}
