//! Which keys of an object are names, and which are data.

use crate::infer::Limits;
use crate::infer::sketch::{Merge as _, add};
use crate::infer::state::{Json, Object, Property};

/// An object's keys, decided.
pub(super) struct Shape<'a> {
    /// Names, sorted.
    pub(super) properties: Vec<(&'a str, &'a Property)>,
    /// All other values together, where keys are data.
    pub(super) additional: Option<Json>,
}

/// Decides. Whatever is not among the properties is in `additional`, so no key that was seen is left without a schema.
pub(super) fn shape<'a>(object: &'a Object, limits: &Limits) -> Shape<'a> {
    let mut properties = Vec::new();
    let mut additional: Option<Json> = None;
    let mut absorb = |json: &Json| additional.get_or_insert_default().merge(json.clone(), limits);

    let names_are_data = names_are_data(object);
    for (name, property) in object.keys.sorted() {
        if names_are_data && !is_steady(property, object) {
            absorb(&property.json);
        } else {
            properties.push((name, property));
        }
    }
    if let Some(rest) = object.keys.rest() {
        absorb(&rest.json);
    }
    for map in object.values.values() {
        // A key that looks like a value but is in every object is a name after all, unless there are many such.
        let steady =
            map.rest().is_none() && map.iter().all(|(_, property)| is_steady(property, object));
        for (name, property) in map.iter() {
            if steady {
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
    Shape { properties, additional }
}

/// In at least 95 of 100 objects.
fn is_steady(property: &Property, object: &Object) -> bool {
    property.present * 100 >= object.n * 95
}

/// True where the word-like keys of an object are data: there are more than the cap, or many that seldom come again and whose
/// values are of one kind.
fn names_are_data(object: &Object) -> bool {
    if object.keys.rest().is_some() {
        return true;
    }
    let (mut loose, mut occurrences, mut once) = (0u64, 0u64, 0u64);
    let mut kinds = 0;
    for (_, property) in object.keys.iter() {
        if is_steady(property, object) && object.n >= 2 {
            continue;
        }
        loose += 1;
        add(&mut occurrences, property.present);
        once += u64::from(property.present == 1);
        kinds |= kind(&property.json);
    }
    let one_kind = u32::count_ones(kinds & !NULL) <= 1;
    // Few objects cannot tell a map from optional properties.
    object.n >= 4 && loose >= 8 && one_kind && once * 2 > loose && occurrences < loose * 2
}

const NULL: u32 = 1;

fn kind(json: &Json) -> u32 {
    (if json.nulls > 0 { NULL } else { 0 })
        | (if json.bools > 0 { 2 } else { 0 })
        | (if json.ints > 0 || json.floats > 0 { 4 } else { 0 })
        | (if json.text.is_some() { 8 } else { 0 })
        | (if json.array.is_some() { 16 } else { 0 })
        | (if json.object.is_some() { 32 } else { 0 })
}
