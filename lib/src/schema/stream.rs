//! Checks the text of a JSON value while it is parsed, without building a tree.
//!
//! [`Streamed`] accepts a value only if [`SchemaSet::check`] finds no problem. If the set reports
//! undeclared properties, the value must have none. Otherwise the caller checks the value as a
//! tree, which also reports the problems. For keywords that need the whole value (combinations,
//! `uniqueItems`, patterns of names), a tree of that part of the value is built.

use std::fmt;
use std::sync::OnceLock;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::check::{Direction, Quiet};
use super::node::{Node, NodeId, SchemaSet, Types};

/// A plan of the check for each schema of a set.
#[derive(Debug, Default)]
pub struct Streamed {
    /// Indexed as the nodes are. Most schemas of a large document are never needed.
    plans: Vec<OnceLock<Plan>>,
}

#[derive(Debug)]
enum Plan {
    /// The value is needed as a whole.
    Tree,
    /// Every value is valid.
    Any,
    /// The value is checked while it is parsed.
    Plain(Box<Plain>),
}

/// A schema without combinations.
#[derive(Debug)]
struct Plain {
    types: Types,
    /// The schema, for checks of texts and numbers.
    node: NodeId,
    /// The allowed values, if they are only texts, booleans and null.
    values: Option<Vec<Value>>,
    /// In the order of the document, which most messages have too.
    properties: Vec<(Box<str>, NodeId)>,
    /// The required properties in requests and in responses, one bit for each.
    required: [u64; 2],
    /// The check of other properties.
    rest: Rest,
    items: Option<NodeId>,
    item_count: (u64, u64),
    property_count: (u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// None are allowed.
    None,
    Any,
    Schema(NodeId),
}

impl Streamed {
    /// Prepares for the schemas of a set.
    pub fn new(set: &SchemaSet) -> Streamed {
        Streamed { plans: (0..set.nodes.len()).map(|_| OnceLock::new()).collect() }
    }

    /// True if the text is JSON and the check finds nothing. `set` must be the set that was passed
    /// to [`Streamed::new`].
    pub fn accepts(&self, set: &SchemaSet, id: NodeId, json: &[u8], direction: Direction) -> bool {
        let mut parser = serde_json::Deserializer::from_slice(json);
        let seed = Seed { all: self, set, id, direction };
        seed.deserialize(&mut parser).is_ok() && parser.end().is_ok()
    }
}

fn plan(set: &SchemaSet, id: NodeId) -> Plan {
    let id = set.target(id);
    let node = set.node(id);
    if node.reference.is_some() || needs_tree(node) {
        return Plan::Tree;
    }
    let mut required = [0; 2];
    for name in &node.required {
        let Some(at) = node.properties.iter().position(|(known, _)| known == name) else {
            return Plan::Tree;
        };
        let property = set.node(set.target(node.properties[at].1));
        if property.reference.is_some() {
            return Plan::Tree;
        }
        required[0] |= u64::from(!property.read_only) << at;
        required[1] |= u64::from(!property.write_only) << at;
    }
    let values = match &node.enumeration {
        Some(values) if values.iter().any(|v| v.is_number() || v.is_array() || v.is_object()) => {
            return Plan::Tree;
        }
        values => values.clone(),
    };
    let rest = match node.additional_properties {
        Some(schema) if set.node(schema).never => Rest::None,
        Some(schema) => Rest::Schema(schema),
        // A schema without properties allows any, and so does every schema if undeclared
        // properties are not reported.
        None if node.properties.is_empty() || !set.every_place => Rest::Any,
        None => Rest::None,
    };
    let plain = Plain {
        types: node.types.unwrap_or(Types(0x7f)),
        node: id,
        values,
        properties: node.properties.iter().map(|(name, id)| (name.as_str().into(), *id)).collect(),
        required,
        rest,
        items: node.items,
        item_count: (node.min_items.unwrap_or(0), node.max_items.unwrap_or(u64::MAX)),
        property_count: (node.min_properties.unwrap_or(0), node.max_properties.unwrap_or(u64::MAX)),
    };
    if says_nothing(node, &plain) { Plan::Any } else { Plan::Plain(Box::new(plain)) }
}

fn needs_tree(node: &Node) -> bool {
    node.never
        || node.properties.len() > 64
        || node.unique_items
        || node.contains.is_some()
        || node.content.is_some()
        || node.not.is_some()
        || node.if_then_else.is_some()
        || node.property_names.is_some()
        || node.unevaluated_properties.is_some()
        || node.unevaluated_items.is_some()
        || !node.prefix_items.is_empty()
        || !node.pattern_properties.is_empty()
        || !node.dependent_required.is_empty()
        || !node.dependent_schemas.is_empty()
        || !node.all_of.is_empty()
        || !node.any_of.is_empty()
        || !node.one_of.is_empty()
}

fn says_nothing(node: &Node, plain: &Plain) -> bool {
    node.types.is_none()
        && node.enumeration.is_none()
        && node.format.is_none()
        && node.pattern.is_none()
        && (node.minimum.is_none() && node.maximum.is_none() && node.multiple_of.is_none())
        && (node.min_length.is_none() && node.max_length.is_none())
        && plain.rest == Rest::Any
        && plain.items.is_none()
        && plain.item_count == (0, u64::MAX)
        && plain.property_count == (0, u64::MAX)
}

/// Reads a value of a schema.
#[derive(Clone, Copy)]
struct Seed<'s> {
    all: &'s Streamed,
    set: &'s SchemaSet,
    id: NodeId,
    direction: Direction,
}

impl<'s> Seed<'s> {
    fn of(self, id: NodeId) -> Seed<'s> {
        Seed { id, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        let known = self.all.plans.get(self.id.0 as usize);
        match known.map(|known| known.get_or_init(|| plan(self.set, self.id))) {
            Some(Plan::Any) => IgnoredAny::deserialize_any(parser),
            Some(Plan::Plain(plain)) => parser.deserialize_any(Reader { seed: self, plain }),
            Some(Plan::Tree) | None => {
                let value = <Value as serde::Deserialize>::deserialize(parser)?;
                decide(self.set.check(self.id, &value, self.direction).is_empty())
            }
        }
    }
}

/// `IgnoredAny`, by the parser's fastest way.
trait Ignore {
    fn deserialize_any<'de, D: Deserializer<'de>>(parser: D) -> Result<(), D::Error>;
}

impl Ignore for IgnoredAny {
    fn deserialize_any<'de, D: Deserializer<'de>>(parser: D) -> Result<(), D::Error> {
        parser.deserialize_ignored_any(IgnoredAny).map(drop)
    }
}

/// An error if the value is not accepted. Its message is not used.
fn decide<E: serde::de::Error>(accepted: bool) -> Result<(), E> {
    if accepted { Ok(()) } else { Err(E::custom("")) }
}

struct Reader<'s> {
    seed: Seed<'s>,
    plain: &'s Plain,
}

impl Reader<'_> {
    fn is_of(&self, types: Types) -> bool {
        self.plain.types.has(types)
    }

    fn number(&self, number: &Number, is_integral: bool) -> bool {
        let own = self.is_of(Types::NUMBER) || self.is_of(Types::INTEGER) && is_integral;
        let listed = self.plain.values.is_none();
        own && listed && self.quiet().number(self.plain.node, number)
    }

    fn quiet(&self) -> Quiet<'_> {
        Quiet { set: self.seed.set, direction: self.seed.direction }
    }

    fn is_listed(&self, is: impl Fn(&Value) -> bool) -> bool {
        self.plain.values.as_ref().is_none_or(|values| values.iter().any(is))
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        decide(self.is_of(Types::NULL) && self.is_listed(Value::is_null))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        decide(self.is_of(Types::BOOLEAN) && self.is_listed(|known| known.as_bool() == Some(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        decide(self.number(&value.into(), true))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        decide(self.number(&value.into(), true))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        let Some(number) = Number::from_f64(value) else { return decide(false) };
        decide(self.number(&number, super::number::is_integral(&number)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        decide(
            self.is_of(Types::STRING)
                && self.is_listed(|known| known.as_str() == Some(text))
                && self.quiet().text(self.plain.node, text),
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if !self.is_of(Types::ARRAY) || self.plain.values.is_some() {
            return decide(false);
        }
        let mut count = 0;
        match self.plain.items {
            Some(id) => {
                while items.next_element_seed(self.seed.of(id))?.is_some() {
                    count += 1;
                }
            }
            None => {
                while items.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
            }
        }
        let (least, most) = self.plain.item_count;
        decide((least..=most).contains(&count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let plain = self.plain;
        if !self.is_of(Types::OBJECT) || plain.values.is_some() {
            return decide(false);
        }
        let (mut seen, mut next, mut count) = (0_u64, 0, 0);
        while let Some(name) = members.next_key_seed(Name { plain, next })? {
            count += 1;
            match (name, plain.rest) {
                (Some(at), _) => {
                    // If a name is repeated, the last value counts, which is known only at the end.
                    if seen & 1 << at != 0 {
                        return decide(false);
                    }
                    seen |= 1 << at;
                    next = at + 1;
                    members.next_value_seed(self.seed.of(plain.properties[at].1))?;
                }
                (None, Rest::Schema(id)) => members.next_value_seed(self.seed.of(id))?,
                (None, Rest::Any) => drop(members.next_value::<IgnoredAny>()?),
                (None, Rest::None) => return decide(false),
            }
        }
        let required = plain.required[usize::from(self.seed.direction == Direction::Response)];
        let (least, most) = plain.property_count;
        decide(seen & required == required && (least..=most).contains(&count))
    }
}

/// Finds the property with a name. The one after the previous match is tried first.
struct Name<'s> {
    plain: &'s Plain,
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        let properties = &self.plain.properties;
        if properties.get(self.next).is_some_and(|(known, _)| &**known == name) {
            return Ok(Some(self.next));
        }
        Ok(properties.iter().position(|(known, _)| &**known == name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// For any schema and value, accepting the value means that the check of the tree finds
    /// nothing, and values are accepted whenever that is possible.
    #[test]
    fn a_yes_is_that_of_the_tree() {
        for every_place in [true, false] {
            a_yes_is_that_of_the_tree_of(every_place);
        }
    }

    fn a_yes_is_that_of_the_tree_of(every_place: bool) {
        let schemas = json!({
            "any": {},
            "int": {"type": "integer", "minimum": 2, "maximum": 9},
            "text": {"type": "string", "minLength": 2, "pattern": "^[a-z]+$", "nullable": true},
            "date": {"type": "string", "format": "date"},
            "word": {"enum": ["a", true, null]},
            "one": {"enum": [1, 2]},
            "list": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"$ref": "#/int"}},
            "unique": {"type": "array", "uniqueItems": true},
            "object": {"type": "object", "required": ["b", "r"], "properties": {
                "b": {"$ref": "#/int"}, "a": {"$ref": "#/either"}, "r": {"type": "string", "readOnly": true},
                "w": {"type": "string", "writeOnly": true}}},
            "closed": {"type": "object", "additionalProperties": false, "properties": {"a": {}}},
            "map": {"type": "object", "additionalProperties": {"$ref": "#/int"}, "maxProperties": 2},
            "free": {"type": "object"},
            "either": {"anyOf": [{"$ref": "#/int"}, {"type": "object", "properties": {"x": {}}}]},
            "all": {"allOf": [{"$ref": "#/object"}, {"type": "object", "properties": {"n": {}}}]},
            "loop": {"$ref": "#/loop"},
            "tree": {"type": "object", "properties": {"next": {"$ref": "#/tree"}}},
            "openapi": "3.0.3",
        });
        let values = [
            json!(null),
            json!(true),
            json!(1),
            json!(5),
            json!(5.0),
            json!(5.5),
            json!(10),
            json!("a"),
            json!("ab"),
            json!("2024-02-30"),
            json!("2024-02-28"),
            json!([]),
            json!([5]),
            json!([5, 5]),
            json!([5, "x"]),
            json!([5, 6, 7]),
            json!({}),
            json!({"a": 1}),
            json!({"b": 5}),
            json!({"b": 5, "r": "x"}),
            json!({"b": 5, "r": "x", "a": 3}),
            json!({"b": 5, "r": "x", "z": 3}),
            json!({"b": 5, "w": "x"}),
            json!({"x": 5, "y": 6}),
            json!({"x": 5, "y": "6"}),
            json!({"x": 5, "y": 6, "z": 7}),
            json!({"next": {"next": {}}}),
            json!({"next": {"next": 1}}),
            json!({"b": 5, "r": "x", "n": 1}),
            json!({"a": {"x": 1}, "b": 5, "r": ""}),
            json!({"a": {"y": 1}, "b": 5, "r": ""}),
        ];
        let mut set = SchemaSet { every_place, ..SchemaSet::default() };
        let names =
            schemas.as_object().expect("an object").keys().filter(|name| *name != "openapi");
        let ids: Vec<(&String, NodeId)> = names
            .map(|name| (name, set.add(&schemas, &format!("/{name}")).expect("compiles")))
            .collect();
        let streamed = Streamed::new(&set);
        let mut accepted = 0;
        for (name, id) in &ids {
            for value in &values {
                for direction in [Direction::Request, Direction::Response] {
                    let text = value.to_string();
                    let yes = streamed.accepts(&set, *id, text.as_bytes(), direction);
                    let found = set.check(*id, value, direction);
                    assert_eq!(yes, found.is_empty(), "{name} {value} {direction:?} {found:?}");
                    accepted += u32::from(yes);
                }
            }
        }
        assert!(accepted > 100, "{accepted}");
        let of = |name: &str| ids.iter().find(|(known, _)| *known == name).expect(name).1;
        let text = |name: &str, text: &str| {
            streamed.accepts(&set, of(name), text.as_bytes(), Direction::Response)
        };
        assert!(
            text("closed", r#" {"a": [1, {"b": "\u00e4"}]} "#)
                && text("tree", r#"{"n\u0065xt": {}}"#)
        );
        assert!(
            !text("any", "{} x")
                && !text("any", "[1,")
                && !text("tree", r#"{"next": 1, "next": {}}"#)
        );
    }
}
