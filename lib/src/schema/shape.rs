//! A schema as a union: what it accepts of each JSON type, and the parts that cannot be split by
//! type.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Number, Value};

use super::dialect::Dialect;
use super::node::Bound;
use super::number::{canonical, equal, is_integer, is_integral};

/// Marks a schema for which only null was seen, because 3.0 has no type for null.
pub(super) const NULL_ONLY: &str = "x-hmt-null-only";

/// Marks a schema about which nothing is known, because no body could be read. It accepts every
/// value, and its join with another schema is the other schema.
pub(crate) const UNREAD: &str = "x-hmt-unread";

/// True for a schema with this mark.
pub fn is_unread(schema: &Value) -> bool {
    schema.get(UNREAD) == Some(&Value::Bool(true))
}

/// A schema, split by type. A value is accepted if one of the parts accepts it.
#[derive(Default)]
pub(super) struct Shape {
    /// Nothing is known: see [`UNREAD`].
    pub(super) unread: bool,
    /// Every value is accepted.
    pub(super) anything: bool,
    pub(super) null: bool,
    pub(super) kinds: BTreeMap<Kind, TypePart>,
    /// Targets of `$ref`.
    pub(super) references: BTreeSet<String>,
    /// Schemas with keywords that cannot be joined one by one (`allOf`, `not`, …), by their
    /// canonical text.
    pub(super) others: BTreeMap<String, Value>,
    /// Annotations.
    pub(super) notes: Map<String, Value>,
}

/// The types of parts, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// The accepted values of one type.
#[derive(Default)]
pub(super) struct TypePart {
    /// Only integers, for numbers.
    pub(super) integer: bool,
    /// `enum`, sorted and without null.
    pub(super) values: Option<Vec<Value>>,
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    /// `minLength`, `minItems` or `minProperties`, depending on the type.
    pub(super) least: Option<u64>,
    /// `maxLength`, `maxItems` or `maxProperties`.
    pub(super) most: Option<u64>,
    /// `format`, `pattern`, `multipleOf`, `uniqueItems`: kept if both sides are equal.
    pub(super) words: Map<String, Value>,
    /// `None` accepts every item.
    pub(super) items: Option<Value>,
    pub(super) properties: Map<String, Value>,
    pub(super) required: BTreeSet<String>,
    pub(super) additional: Additional,
    /// Annotations of a branch.
    pub(super) notes: Map<String, Value>,
}

/// `additionalProperties`, in ascending order.
#[derive(Default)]
pub(super) enum Additional {
    /// `false`
    Forbidden,
    /// Absent: nothing else was described.
    #[default]
    Silent,
    /// A schema.
    Schema(Value),
    /// `true`, or the schema that accepts everything.
    Anything,
}

/// Keywords that a part can hold.
const PART_WORDS: [&str; 23] = [
    "type",
    "nullable",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "x-hmt-null-only",
];

/// Keywords that cannot be joined one by one.
const HARD_WORDS: [&str; 23] = [
    "allOf",
    "not",
    "patternProperties",
    "propertyNames",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "prefixItems",
    "additionalItems",
    "contains",
    "minContains",
    "maxContains",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$defs",
    "definitions",
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
];

impl Shape {
    /// Splits a schema.
    pub(super) fn read(schema: &Value, dialect: Dialect) -> Shape {
        let map = match schema {
            Value::Bool(true) => return Shape { anything: true, ..Shape::default() },
            Value::Bool(false) => return Shape::default(),
            Value::Object(map) => map,
            _ => return Shape::atom(schema),
        };
        if is_unread(schema) {
            return Shape { unread: true, ..Shape::default() };
        }
        let constrains = |key: &String| {
            PART_WORDS.contains(&key.as_str())
                || HARD_WORDS.contains(&key.as_str())
                || matches!(key.as_str(), "anyOf" | "oneOf" | "$ref")
        };
        let (words, notes): (Map<_, _>, Map<_, _>) =
            map.clone().into_iter().partition(|(key, _)| constrains(key));
        if let Some(Value::String(reference)) = words.get("$ref") {
            return match dialect {
                // 3.0 ignores the siblings of a reference.
                Dialect::V3_0 => {
                    Shape { references: [reference.clone()].into(), ..Shape::default() }
                }
                Dialect::V3_1 if words.len() == 1 => {
                    Shape { references: [reference.clone()].into(), notes, ..Shape::default() }
                }
                Dialect::V3_1 => Shape::atom(schema),
            };
        }
        if words.keys().any(|key| HARD_WORDS.contains(&key.as_str())) {
            return Shape::atom(schema);
        }
        for list in ["anyOf", "oneOf"] {
            if let Some(branches) = words.get(list) {
                // `oneOf` accepts no more than `anyOf`, so reading it as `anyOf` only widens.
                return match branches {
                    Value::Array(branches) if words.len() == 1 => {
                        Shape { notes, ..Shape::union(branches, dialect) }
                    }
                    _ => Shape::atom(schema),
                };
            }
        }
        Shape { notes, ..Shape::typed(schema, &words, dialect) }
    }

    fn atom(schema: &Value) -> Shape {
        let mut text = String::new();
        canonical(schema, &mut text);
        Shape { others: BTreeMap::from([(text, schema.clone())]), ..Shape::default() }
    }

    fn union(branches: &[Value], dialect: Dialect) -> Shape {
        let mut all = Shape::default();
        for branch in branches {
            let mut shape = Shape::read(branch, dialect);
            let notes = std::mem::take(&mut shape.notes);
            for part in shape.kinds.values_mut() {
                part.notes.extend(notes.clone());
            }
            all.unite(shape, dialect);
        }
        all
    }

    fn typed(schema: &Value, words: &Map<String, Value>, dialect: Dialect) -> Shape {
        if words.is_empty() {
            return Shape { anything: true, ..Shape::default() };
        }
        if words.get(NULL_ONLY) == Some(&Value::Bool(true)) && words.len() == 1 {
            return Shape { null: true, ..Shape::default() };
        }
        let values = match (words.get("const"), words.get("enum")) {
            (Some(only), _) => Some(vec![only.clone()]),
            (None, Some(Value::Array(values))) => Some(values.clone()),
            _ => None,
        };
        let mut names: Vec<&str> = match words.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            // Without `type`, only an enumeration determines the types; other keywords accept every
            // other type.
            _ if values.is_some() && words.len() == 1 => {
                vec!["null", "boolean", "number", "string", "array", "object"]
            }
            _ => return Shape::atom(schema),
        };
        let nullable = dialect == Dialect::V3_0
            && words.get("nullable") == Some(&Value::Bool(true))
            && words.contains_key("type");
        if nullable {
            names.push("null");
        }
        let mut shape = Shape::default();
        for name in names {
            let kind = match name {
                "null" => {
                    shape.null = values.as_ref().is_none_or(|v| v.contains(&Value::Null));
                    continue;
                }
                "boolean" => Kind::Boolean,
                "integer" | "number" => Kind::Number,
                "string" => Kind::String,
                "array" => Kind::Array,
                "object" => Kind::Object,
                _ => return Shape::atom(schema),
            };
            let mut part = TypePart::read(kind, words);
            part.integer = name == "integer";
            if let Some(values) = &values {
                let mut own: Vec<Value> =
                    values.iter().filter(|value| part.takes(kind, value)).cloned().collect();
                if own.is_empty() {
                    continue;
                }
                sort_values(&mut own);
                // The values imply all other keywords.
                let integer = own.iter().all(is_integer);
                part = TypePart { integer, values: Some(own), ..TypePart::default() };
            }
            match shape.kinds.get_mut(&kind) {
                // `[integer, number]`
                Some(known) => known.integer &= part.integer,
                None => {
                    shape.kinds.insert(kind, part);
                }
            }
        }
        shape
    }
}

/// Sorts by canonical text and removes duplicates.
pub(super) fn sort_values(values: &mut Vec<Value>) {
    values.sort_by_cached_key(|value| {
        let mut text = String::new();
        canonical(value, &mut text);
        // If values such as `6` and `6.0` are equal, the same one must always be kept, regardless
        // of their order.
        (text, value.to_string())
    });
    values.dedup_by(|a, b| equal(a, b));
}

impl TypePart {
    fn takes(&self, kind: Kind, value: &Value) -> bool {
        match (kind, value) {
            (Kind::Number, Value::Number(number)) => !self.integer || is_integral(number),
            (Kind::Boolean, Value::Bool(_))
            | (Kind::String, Value::String(_))
            | (Kind::Array, Value::Array(_))
            | (Kind::Object, Value::Object(_)) => true,
            _ => false,
        }
    }

    fn read(kind: Kind, words: &Map<String, Value>) -> TypePart {
        let mut part = TypePart::default();
        let count = |key: &str| words.get(key).and_then(Value::as_u64);
        let flat: &[&str] = match kind {
            Kind::Boolean | Kind::Object => &[],
            Kind::Number => &["format", "multipleOf"],
            Kind::String => &["format", "pattern"],
            Kind::Array => &["uniqueItems"],
        };
        for key in flat {
            if let Some(value) = words.get(*key).filter(|value| **value != Value::Bool(false)) {
                part.words.insert((*key).to_owned(), value.clone());
            }
        }
        match kind {
            Kind::Boolean => {}
            Kind::Number => {
                part.minimum = bound(words, "minimum", "exclusiveMinimum");
                part.maximum = bound(words, "maximum", "exclusiveMaximum");
            }
            Kind::String => (part.least, part.most) = (count("minLength"), count("maxLength")),
            Kind::Array => {
                (part.least, part.most) = (count("minItems"), count("maxItems"));
                part.items = words.get("items").cloned();
            }
            Kind::Object => {
                (part.least, part.most) = (count("minProperties"), count("maxProperties"));
                if let Some(Value::Object(properties)) = words.get("properties") {
                    part.properties.clone_from(properties);
                }
                let required = words.get("required").and_then(Value::as_array);
                let names = required.into_iter().flatten().filter_map(Value::as_str);
                part.required = names.map(str::to_owned).collect();
                part.additional = match words.get("additionalProperties") {
                    None => Additional::Silent,
                    Some(Value::Bool(false)) => Additional::Forbidden,
                    Some(schema) if is_anything(schema) => Additional::Anything,
                    Some(schema) => Additional::Schema(schema.clone()),
                };
            }
        }
        part
    }
}

fn is_anything(schema: &Value) -> bool {
    match schema {
        Value::Bool(all) => *all,
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// A bound; `exclusiveMinimum` is a flag in 3.0 and a number in 3.1.
fn bound(words: &Map<String, Value>, plain: &str, strict: &str) -> Option<Bound> {
    let number = |key: &str| match words.get(key) {
        Some(Value::Number(number)) => Some(number.clone()),
        _ => None,
    };
    let flag = words.get(strict) == Some(&Value::Bool(true));
    let own: Option<Number> = number(plain);
    match (own, number(strict)) {
        (None, Some(value)) => Some(Bound { value, exclusive: true }),
        (Some(value), None) => Some(Bound { value, exclusive: flag }),
        (Some(value), Some(other)) => {
            // In 3.1 both are possible. The tighter one counts: the greater minimum or the smaller
            // maximum.
            let above = super::number::compare(&value, &other).is_gt();
            let plain_is_tighter = above == (plain == "minimum") && !equal_numbers(&value, &other);
            if plain_is_tighter {
                Some(Bound { value, exclusive: false })
            } else {
                Some(Bound { value: other, exclusive: true })
            }
        }
        (None, None) => None,
    }
}

fn equal_numbers(a: &Number, b: &Number) -> bool {
    super::number::compare(a, b).is_eq()
}
