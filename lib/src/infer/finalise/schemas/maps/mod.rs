//! Decides which keys of an object are names, and which are data.
//!
//! A few objects are not enough to distinguish a map from optional properties. So the objects under
//! the same property name are examined together first, across all operations: if `metadata` is a
//! map anywhere, it is a map everywhere. Clear evidence at one place takes precedence.

mod keys;
mod observed;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::infer::Limits;
use crate::infer::finalise::schemas::json_kinds::{NULL, NUMBER, kinds};
use crate::infer::finalise::words::vocabulary::Vocabulary;
use crate::infer::sketch::Merge as _;
use crate::infer::state::{Json, Object, Property};
use keys::{are_codes, is_odd, may_be_name};
use observed::{ENOUGH, KeyVerdict, ObservedKey, ObservedKeys};

/// The keys of an object, split into names and data.
pub(crate) struct SplitKeys<'a> {
    /// Names, sorted.
    pub(crate) properties: Vec<(&'a str, &'a Property)>,
    /// All other values together, if keys are data.
    pub(crate) additional: Option<Json>,
}

/// What is known about the objects under each property name.
pub(crate) struct MapNames {
    /// By name, and by name together with the parent's name, which takes precedence.
    verdicts: BTreeMap<(Option<String>, String), KeyVerdict>,
    vocabulary: Vocabulary,
}

impl MapNames {
    /// Learns from all bodies.
    pub(crate) fn learn<'a>(bodies: impl Iterator<Item = &'a Json>) -> Self {
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
            .filter(|(_, verdict)| *verdict != KeyVerdict::Unsure)
            .collect();
        MapNames { verdicts, vocabulary }
    }

    /// True if the keys of an object kind, united from several places, are data. Each key comes
    /// with the number of objects that have it, the kinds of its values, and the keys of the
    /// objects below. `values`: some keys are already known to be data.
    pub(crate) fn are_data<'k>(
        &self,
        n: u64,
        values: bool,
        keys: impl Iterator<Item = (&'k str, u64, u32, BTreeSet<&'k str>)>,
    ) -> bool {
        let keys = keys
            .map(|(name, present, kinds, below)| (name, ObservedKey { present, kinds, below }))
            .collect();
        ObservedKeys { n, keys, more: false, values }.verdict(&self.vocabulary) == KeyVerdict::Map
    }

    /// True if the keys of the objects under the key `name` in objects under `around` are names,
    /// judging by all such objects.
    fn are_names(&self, around: &str, name: &str) -> bool {
        let key = (Some(around.to_owned()), name.to_owned());
        !around.is_empty() && self.verdicts.get(&key) == Some(&KeyVerdict::KeysByName)
    }

    fn of_name(&self, around: &str, name: &str) -> KeyVerdict {
        [Some(around.to_owned()), None]
            .into_iter()
            .find_map(|around| self.verdicts.get(&(around, name.to_owned())).copied())
            .unwrap_or(KeyVerdict::Unsure)
    }

    /// Splits the keys of the objects at one place, by property name (empty if none) and parent
    /// name. All values that are not in properties are in `additional`, so every observed key has a
    /// schema.
    pub(crate) fn shape<'a>(
        &self,
        object: &'a Object,
        (around, name): (&str, &str),
        limits: &Limits,
    ) -> SplitKeys<'a> {
        shape(object, self.verdict(object, (around, name)), &self.vocabulary, limits)
    }

    fn verdict(&self, object: &Object, (around, name): (&str, &str)) -> KeyVerdict {
        let mut keys = ObservedKeys::default();
        keys.add(object);
        match keys.verdict(&self.vocabulary) {
            KeyVerdict::Unsure => self.of_name(around, name),
            // In a few objects, keys may be missing by chance; all objects with the name provide
            // more evidence. This applies only to counts. Otherwise, a few objects of different
            // kinds at one place would look like one kind with all their keys.
            KeyVerdict::Map
                if object.n < ENOUGH && holds_numbers(object) && self.are_names(around, name) =>
            {
                KeyVerdict::KeysByName
            }
            clear => clear,
        }
    }

    /// The keys at a place that are names, with arguments as in [`MapNames::shape`].
    pub(crate) fn names<'a>(&self, object: &'a Object, keys: (&str, &str)) -> BTreeSet<&'a str> {
        let data = self.verdict(object, keys) == KeyVerdict::Map || object.keys.rest().is_some();
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

/// True if all values that were seen are numbers or null, as in an object of counts.
fn holds_numbers(object: &Object) -> bool {
    object.keys.iter().all(|(_, property)| {
        let json = &property.json;
        let found = kinds(json, json.array.is_some(), !json.objects().is_empty()) & !NULL;
        found == 0 || found == NUMBER
    })
}

fn shape<'a>(
    object: &'a Object,
    verdict: KeyVerdict,
    vocabulary: &Vocabulary,
    limits: &Limits,
) -> SplitKeys<'a> {
    let mut properties = Vec::new();
    let mut additional: Option<Json> = None;
    let mut absorb = |json: &Json| additional.get_or_insert_default().merge(json.clone(), limits);

    let data = verdict == KeyVerdict::Map || object.keys.rest().is_some();
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
