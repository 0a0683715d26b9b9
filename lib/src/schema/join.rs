//! The least upper bound of two schemas as written.
//!
//! The join accepts everything that either schema accepts. It is idempotent, commutative and
//! associative on schemas in canonical form, and its result always is. These rules make the result
//! useful:
//!
//! * An object schema without `additionalProperties` means that nothing else was seen, not that
//!   everything is allowed: a property that it lacks keeps the schema of the other side, and
//!   becomes optional. A schema that accepts anything has `additionalProperties: true`.
//! * An enumeration that is joined with something else, or becomes too long, is replaced with what
//!   its values have in common: their type and format, and for objects and arrays the join of their
//!   content.
//! * The array that is always empty (`maxItems: 0`) says nothing about items, and the mark
//!   `x-hmt-null-only` stands for the type null.
//! * A schema with `x-hmt-unread: true` means that nothing is known: its join with another schema
//!   is the other schema.

use serde_json::{Map, Value};

use super::dialect::Dialect;
use super::node::Bound;
use super::number::{canonical, compare};
use super::shape::{Additional, Kind, Shape, TypePart, is_unread, sort_values};

/// Longer enumerations that result from a join are dropped: they are not closed sets.
pub(crate) const MAX_ENUM: usize = 24;

/// Joins two schemas of the same dialect. Equal schemas are returned unchanged.
pub fn join(a: &Value, b: &Value, dialect: Dialect) -> Value {
    // Maps are equal regardless of the order of keys, but the result must not depend on the side.
    if a == b {
        let (text, other) = (a.to_string(), b.to_string());
        if text == other {
            return a.clone();
        }
    }
    match (is_unread(a), is_unread(b)) {
        (true, false) => return b.clone(),
        (false, true) => return a.clone(),
        _ => {}
    }
    let mut shape = Shape::read(a, dialect);
    shape.unite(Shape::read(b, dialect), dialect);
    shape.write(dialect)
}

/// True if the join of both accepts no more than `a`, judging by what is written.
pub fn covers(a: &Value, b: &Value, dialect: Dialect) -> bool {
    let canonical = Shape::read(a, dialect).write(dialect);
    join(&canonical, b, dialect) == canonical
}

/// True if two schemas may describe the same thing: they have a type in common, or one has none.
pub fn may_meet(a: &Value, b: &Value, dialect: Dialect) -> bool {
    let (a, b) = (Shape::read(a, dialect), Shape::read(b, dialect));
    let vague = |shape: &Shape| {
        shape.anything
            || shape.kinds.is_empty()
            || !shape.references.is_empty()
            || !shape.others.is_empty()
    };
    vague(&a) || vague(&b) || a.kinds.keys().any(|kind| b.kinds.contains_key(kind))
}

impl Shape {
    pub(super) fn unite(&mut self, other: Shape, dialect: Dialect) {
        self.unread &= other.unread;
        self.anything |= other.anything;
        self.null |= other.null;
        for (kind, part) in other.kinds {
            match self.kinds.entry(kind) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(part);
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    entry.get_mut().unite(kind, part, dialect);
                }
            }
        }
        self.references.extend(other.references);
        self.others.extend(other.others);
        unite_notes(&mut self.notes, other.notes);
    }
}

impl TypePart {
    fn unite(&mut self, kind: Kind, mut other: TypePart, dialect: Dialect) {
        unite_notes(&mut self.notes, std::mem::take(&mut other.notes));
        match (self.values.take(), other.values.take()) {
            (Some(a), Some(b)) => {
                let was = a.len();
                let same = a == b;
                let mut all = a;
                all.extend(b);
                sort_values(&mut all);
                debug_assert!(!same || all.len() == was, "values are sorted and distinct");
                if same || all.len() <= MAX_ENUM {
                    self.integer &= other.integer;
                    self.values = Some(all);
                } else {
                    self.become_join_of(kind, &all, dialect);
                }
            }
            (Some(values), None) => {
                self.become_join_of(kind, &values, dialect);
                self.unite_open(kind, other, dialect);
            }
            (None, Some(values)) => {
                other.become_join_of(kind, &values, dialect);
                self.unite_open(kind, other, dialect);
            }
            (None, None) => self.unite_open(kind, other, dialect),
        }
    }

    /// Replaces the enumeration with the join of the schemas of its values.
    fn become_join_of(&mut self, kind: Kind, values: &[Value], dialect: Dialect) {
        let notes = std::mem::take(&mut self.notes);
        let mut parts = values.iter().map(|value| TypePart::of_value(value, dialect));
        *self = parts.next().unwrap_or_default();
        for part in parts {
            self.unite_open(kind, part, dialect);
        }
        self.notes = notes;
    }

    /// Unites parts that are not enumerations.
    fn unite_open(&mut self, kind: Kind, other: TypePart, dialect: Dialect) {
        // This comes first, because it reads the counts of both sides.
        self.unite_items(&other, dialect);
        self.unite_words(other.words);
        self.integer &= other.integer;
        self.minimum = hull(self.minimum.take(), other.minimum, std::cmp::Ordering::Less);
        self.maximum = hull(self.maximum.take(), other.maximum, std::cmp::Ordering::Greater);
        self.least = self.least.zip(other.least).map(|(a, b)| a.min(b));
        self.most = self.most.zip(other.most).map(|(a, b)| a.max(b));
        if kind == Kind::Object {
            self.required.retain(|name| other.required.contains(name));
            self.unite_properties(&other.properties, other.additional, dialect);
        }
    }

    fn unite_words(&mut self, mut other: Map<String, Value>) {
        let format = match (self.words.get("format"), other.shift_remove("format")) {
            (Some(a), Some(b)) => wider_format(a, b),
            _ => None,
        };
        self.words.retain(|key, value| key == "format" || other.get(key) == Some(value));
        match format {
            Some(format) => self.words.insert("format".to_owned(), format),
            None => self.words.shift_remove("format"),
        };
    }

    fn unite_items(&mut self, other: &TypePart, dialect: Dialect) {
        self.items = match (self.most == Some(0), other.most == Some(0)) {
            (false, true) => self.items.take(),
            (true, false) => other.items.clone(),
            _ => {
                let anything = Value::Object(Map::new());
                let ours = self.items.take();
                let theirs = other.items.as_ref();
                Some(join(ours.as_ref().unwrap_or(&anything), theirs.unwrap_or(&anything), dialect))
            }
        };
    }

    fn unite_properties(
        &mut self,
        theirs: &Map<String, Value>,
        additional: Additional,
        dialect: Dialect,
    ) {
        let ours = std::mem::take(&mut self.properties);
        // The values that a side accepts under a name that it does not list.
        let unlisted = |schema: &Value, additional: &Additional| match additional {
            Additional::Forbidden | Additional::Silent => schema.clone(),
            Additional::Schema(other) => {
                // Annotations of unlisted properties in general do not apply to this one.
                let general = Shape { notes: Map::new(), ..Shape::read(other, dialect) };
                join(schema, &general.write(dialect), dialect)
            }
            Additional::Anything => join(schema, &Value::Object(Map::new()), dialect),
        };
        self.properties = unite_keys(&ours, theirs)
            .into_iter()
            .map(|name| {
                let schema = match (ours.get(name), theirs.get(name)) {
                    (Some(a), Some(b)) => join(a, b, dialect),
                    (Some(a), None) => unlisted(a, &additional),
                    (None, Some(b)) => unlisted(b, &self.additional),
                    (None, None) => Value::Object(Map::new()),
                };
                (name.to_owned(), schema)
            })
            .collect();
        self.additional = match (std::mem::take(&mut self.additional), additional) {
            (Additional::Anything, _) | (_, Additional::Anything) => Additional::Anything,
            (Additional::Schema(a), Additional::Schema(b)) => match join(&a, &b, dialect) {
                Value::Object(map) if map.is_empty() => Additional::Anything,
                schema => Additional::Schema(schema),
            },
            (schema @ Additional::Schema(_), _) | (_, schema @ Additional::Schema(_)) => schema,
            (Additional::Silent, _) | (_, Additional::Silent) => Additional::Silent,
            (Additional::Forbidden, Additional::Forbidden) => Additional::Forbidden,
        };
    }
}

/// The format that holds for both, if there is one.
fn wider_format(a: &Value, b: Value) -> Option<Value> {
    match (a.as_str()?, b.as_str()?) {
        (x, y) if x == y => Some(b),
        ("int32", "int64") | ("float", "double") => Some(b),
        ("int64", "int32") | ("double", "float") => Some(a.clone()),
        _ => None,
    }
}

/// The wider of two bounds; `wider` is the result of comparing it with the other bound.
fn hull(a: Option<Bound>, b: Option<Bound>, wider: std::cmp::Ordering) -> Option<Bound> {
    let (a, b) = (a?, b?);
    let order = compare(&a.value, &b.value);
    if order.is_eq() {
        return Some(Bound { exclusive: a.exclusive && b.exclusive, ..a });
    }
    Some(if order == wider { a } else { b })
}

/// Joins annotations. A flag is kept if both have it. If two texts or values differ, the one that
/// sorts first is kept, regardless of its side.
fn unite_notes(ours: &mut Map<String, Value>, mut theirs: Map<String, Value>) {
    const FLAGS: [&str; 3] = ["readOnly", "writeOnly", "deprecated"];
    ours.retain(|key, value| !FLAGS.contains(&key.as_str()) || theirs.get(key) == Some(value));
    theirs.retain(|key, _| !FLAGS.contains(&key.as_str()));
    let keys: Vec<String> = unite_keys(ours, &theirs).into_iter().map(str::to_owned).collect();
    let mut all = Map::new();
    for key in keys {
        let value = match (ours.shift_remove(&key), theirs.shift_remove(&key)) {
            (Some(a), Some(b)) if key == "discriminator" => unite_discriminators(a, b),
            (Some(a), Some(b)) => first_of(a, b),
            (Some(value), None) | (None, Some(value)) => value,
            (None, None) => continue,
        };
        all.insert(key, value);
    }
    *ours = all;
}

fn first_of(a: Value, b: Value) -> Value {
    let text = |value: &Value| {
        let mut text = String::new();
        canonical(value, &mut text);
        text
    };
    if text(&a) <= text(&b) { a } else { b }
}

fn unite_discriminators(mut a: Value, mut b: Value) -> Value {
    if a.get("propertyName") != b.get("propertyName") {
        return first_of(a, b);
    }
    let take = |value: &mut Value| match value.get_mut("mapping").map(Value::take) {
        Some(Value::Object(mapping)) => mapping,
        _ => Map::new(),
    };
    let (mut ours, theirs) = (take(&mut a), take(&mut b));
    unite_notes(&mut ours, theirs);
    if let Value::Object(map) = &mut a
        && !ours.is_empty()
    {
        map.insert("mapping".to_owned(), Value::Object(ours));
    }
    a
}

/// The keys of both maps: sorted if both maps are sorted; otherwise the keys of the first map in
/// its order, then new ones.
pub fn unite_keys<'m>(a: &'m Map<String, Value>, b: &'m Map<String, Value>) -> Vec<&'m str> {
    let mut keys: Vec<&str> = a.keys().map(String::as_str).collect();
    keys.extend(b.keys().filter(|key| !a.contains_key(*key)).map(String::as_str));
    if a.keys().is_sorted() && b.keys().is_sorted() {
        keys.sort_unstable();
    }
    keys
}

#[cfg(test)]
mod tests;
