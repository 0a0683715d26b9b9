//! A schema combined with its references and `allOf`, so that different ways to write the same
//! schema compare as equal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::spec::Place;

/// Deeper nesting of references and `allOf` is ignored.
const MAX_DEPTH: usize = 32;

/// Keywords with a value of their own.
const WORDS: [&str; 17] = [
    "const",
    "default",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

/// Keywords whose differences are reported without detail.
pub(super) const OPAQUE: [&str; 12] = [
    "contains",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "not",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// What a schema says about properties that it does not name.
#[derive(Clone, Debug, Default)]
pub(super) enum Rest<'v> {
    #[default]
    Any,
    Never,
    Schema(Place<'v>),
}

/// A schema, flattened.
#[derive(Clone, Debug, Default)]
pub(super) struct Flat<'v> {
    /// Without `null`; `None` for any type.
    pub(super) types: Option<BTreeSet<&'v str>>,
    pub(super) nullable: bool,
    /// The pointer of the schema that has the keyword, and its value.
    pub(super) words: BTreeMap<&'static str, (String, &'v Value)>,
    pub(super) properties: Vec<(&'v str, Place<'v>)>,
    pub(super) required: BTreeSet<&'v str>,
    pub(super) rest: Rest<'v>,
    pub(super) items: Option<Place<'v>>,
    pub(super) any_of: Vec<Place<'v>>,
    pub(super) one_of: Vec<Place<'v>>,
    pub(super) opaque: BTreeMap<&'static str, &'v Value>,
    pub(super) discriminator: Option<&'v str>,
    pub(super) read_only: bool,
    pub(super) write_only: bool,
    pub(super) deprecated: bool,
    /// The pointer of the schema itself.
    pub(super) pointer: String,
}

impl<'v> Flat<'v> {
    pub(super) fn of(place: &Place<'v>) -> Flat<'v> {
        let mut flat = Flat::default();
        let target = place.clone().target().ok();
        flat.pointer = target.map_or_else(|| place.pointer.clone(), |target| target.pointer);
        flat.add(place, 0);
        if flat.types.is_none() {
            flat.nullable = true;
        }
        flat
    }

    /// The value of a keyword.
    pub(super) fn word(&self, name: &str) -> Option<&'v Value> {
        self.words.get(name).map(|(_, value)| *value)
    }

    /// The pointer of a keyword, or of the schema if it lacks the keyword.
    pub(super) fn pointer_of(&self, name: &str) -> String {
        self.words.get(name).map_or_else(|| self.pointer.clone(), |(at, _)| format!("{at}/{name}"))
    }

    pub(super) fn property(&self, name: &str) -> Option<&Place<'v>> {
        self.properties.iter().find(|(known, _)| *known == name).map(|(_, place)| place)
    }

    fn add(&mut self, place: &Place<'v>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let siblings_count = place
            .document()
            .get("openapi")
            .and_then(Value::as_str)
            .is_some_and(|version| !version.starts_with("3.0"));
        if place.value.get("$ref").is_some() {
            if let Ok(target) = place.clone().target() {
                self.add(&target, depth + 1);
            }
            if !siblings_count {
                return;
            }
        }
        if place.value == &Value::Bool(false) {
            self.types = Some(BTreeSet::new());
            return;
        }
        self.types_of(place);
        for word in WORDS {
            if let Some(value) = place.value.get(word) {
                self.words.entry(word).or_insert_with(|| (place.pointer.clone(), value));
            }
        }
        self.bounds_of_3_0(place);
        for (name, property) in place.get("properties").iter().flat_map(Place::members) {
            if self.property(name).is_none() {
                self.properties.push((name, property));
            }
        }
        let required = place.value.get("required").and_then(Value::as_array);
        self.required.extend(required.into_iter().flatten().filter_map(Value::as_str));
        match place.get("additionalProperties") {
            Some(rest) if *rest.value == Value::Bool(false) => self.rest = Rest::Never,
            Some(rest) if rest.value.as_object().is_some_and(|map| !map.is_empty()) => {
                self.rest = Rest::Schema(rest);
            }
            _ => {}
        }
        self.items = self.items.take().or_else(|| place.get("items"));
        for word in OPAQUE {
            if let Some(value) = place.value.get(word) {
                self.opaque.entry(word).or_insert(value);
            }
        }
        let discriminator = place.value.get("discriminator").and_then(|d| d.get("propertyName"));
        self.discriminator = self.discriminator.or(discriminator.and_then(Value::as_str));
        self.read_only |= place.flag("readOnly");
        self.write_only |= place.flag("writeOnly");
        self.deprecated |= place.flag("deprecated");
        for branch in place.get("allOf").iter().flat_map(Place::items) {
            self.add(&branch, depth + 1);
        }
        self.branches(place, "anyOf", depth);
        self.branches(place, "oneOf", depth);
    }

    fn types_of(&mut self, place: &Place<'v>) {
        let named: BTreeSet<&str> = match place.value.get("type") {
            Some(Value::String(name)) => BTreeSet::from([name.as_str()]),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => {
                // `nullable` without a type applies to the keywords beside it.
                self.nullable |= place.flag("nullable");
                return;
            }
        };
        self.nullable |= place.flag("nullable") || named.contains("null");
        let own: BTreeSet<&str> = named.into_iter().filter(|name| *name != "null").collect();
        self.types = Some(match self.types.take() {
            Some(known) => known.intersection(&own).copied().collect(),
            None => own,
        });
    }

    /// In 3.0 an exclusive bound is a flag beside the bound.
    fn bounds_of_3_0(&mut self, place: &Place<'v>) {
        for (flag, bound) in [("exclusiveMaximum", "maximum"), ("exclusiveMinimum", "minimum")] {
            if place.value.get(flag).is_some_and(Value::is_boolean) {
                self.words.remove(flag);
                if place.flag(flag)
                    && let Some((at, value)) = self.words.remove(bound)
                {
                    self.words.insert(flag, (at, value));
                }
            }
        }
    }

    /// Adds the branches of `anyOf` or `oneOf`. A branch that is only null makes the others
    /// nullable; a single branch is merged into the schema.
    fn branches(&mut self, place: &Place<'v>, word: &str, depth: usize) {
        let is_null = |branch: &Place<'_>| branch.text("type") == Some("null");
        let all: Vec<Place<'v>> = place.get(word).iter().flat_map(Place::items).collect();
        let count = all.len();
        let mut rest: Vec<Place<'v>> = all.into_iter().filter(|branch| !is_null(branch)).collect();
        self.nullable |= rest.len() < count;
        match rest.pop() {
            Some(only) if rest.is_empty() => self.add(&only, depth + 1),
            Some(last) => {
                rest.push(last);
                let own = if word == "anyOf" { &mut self.any_of } else { &mut self.one_of };
                own.extend(rest);
            }
            None => {}
        }
    }
}
