#![expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]

use serde_json::{Value, json};

use super::{Plan, plain_text};
use crate::schema::{Direction, SchemaSet};

mod combinations;
mod composed;
mod random;
mod values;

/// A plan of the schema `Root`, and an independent validator for it.
struct Subject {
    set: SchemaSet,
    root: crate::schema::NodeId,
    plan: Plan,
    independent: jsonschema::Validator,
    document: Value,
}

impl Subject {
    fn new(schemas: Value) -> Subject {
        let document = json!({
            "openapi": "3.1.0",
            "$ref": "#/components/schemas/Root",
            "components": {"schemas": schemas},
        });
        let mut set = SchemaSet::default();
        let root = set.add(&document, "/components/schemas/Root").expect("a legal schema");
        let plan = Plan::compile(&set, root, Direction::Response);
        let independent = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .build(&document)
            .expect("a legal schema");
        Subject { set, root, plan, independent, document }
    }

    fn generate(&self, seed: u64) -> Value {
        self.made(|out| self.plan.generate(seed, out))
    }

    fn compose(&self, seed: u64) -> Value {
        self.made(|out| self.plan.compose(seed, out))
    }

    fn made(&self, make: impl FnOnce(&mut Vec<u8>)) -> Value {
        let mut out = Vec::new();
        make(&mut out);
        serde_json::from_slice(&out).unwrap_or_else(|error| {
            panic!("{error}: {} of {}", String::from_utf8_lossy(&out), self.document)
        })
    }

    fn invalid(&self, seed: u64) -> Option<String> {
        [self.generate(seed), self.compose(seed)].iter().find_map(|value| self.fault(value))
    }

    fn fault(&self, value: &Value) -> Option<String> {
        let problems = self.set.check(self.root, value, Direction::Response);
        let independent = self.independent.validate(value).err().map(|error| error.to_string());
        (!problems.is_empty() || independent.is_some())
            .then(|| format!("{value}\n{problems:?}\n{independent:?}\n{}", self.document))
    }
}

fn text(plan: &Plan, seed: u64) -> String {
    let mut out = Vec::new();
    plan.generate(seed, &mut out);
    plain_text(&out)
}

#[test]
fn plans_compiled_together_are_those_compiled_alone() {
    let document = json!({"openapi": "3.1.0", "components": {"schemas": {
        "A": {"type": "object", "required": ["b"], "properties": {"b": {"$ref": "#/components/schemas/B"}}},
        "B": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}, "n": {"type": "integer"}}},
        "Never": {"allOf": [{"type": "string"}, {"type": "object"}]},
    }}});
    let mut set = SchemaSet::default();
    let ids = ["A", "B", "A", "Never"].map(|name| {
        set.add(&document, &format!("/components/schemas/{name}")).expect("a legal schema")
    });
    let together = Plan::compile_all(&set, &ids, Direction::Response);
    for (id, plan) in ids.iter().zip(&together) {
        let alone = Plan::compile(&set, *id, Direction::Response);
        assert_eq!(plan.warnings(), alone.warnings());
        for seed in 0..50 {
            assert_eq!(text(plan, seed), text(&alone, seed));
        }
    }
    assert!(together[0].warnings().is_empty() && !together[3].warnings().is_empty());
}

/// Every value of 300 seeds is valid; returns some of them.
fn holds(schemas: Value) -> Vec<Value> {
    let subject = Subject::new(schemas);
    assert_eq!(subject.plan.warnings(), &[] as &[String], "{}", subject.document);
    for seed in 0..300 {
        if let Some(problem) = subject.invalid(seed) {
            panic!("seed {seed}: {problem}");
        }
    }
    (0..300).map(|seed| subject.generate(seed)).collect()
}

fn root(schema: Value) -> Vec<Value> {
    holds(json!({ "Root": schema }))
}

#[test]
fn cycles_end() {
    let tree = holds(json!({
        "Root": {"type": "object", "required": ["id", "children"], "properties": {
            "id": {"type": "integer"}, "parent": {"$ref": "#/components/schemas/Root"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Root"}}}},
    }));
    assert!(
        tree.iter().any(|node| node["children"][0]["children"].is_array()),
        "some depth is shown"
    );
    assert!(tree.iter().all(|node| node.to_string().len() < 200_000));
    holds(json!({
        "Root": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Maybe"}}},
        "Maybe": {"anyOf": [{"$ref": "#/components/schemas/Root"}, {"type": "null"}]},
    }));
    holds(json!({
        "Root": {"oneOf": [
            {"type": "object", "required": ["and"], "additionalProperties": false, "properties": {"and": {"type": "array", "minItems": 2, "items": {"$ref": "#/components/schemas/Root"}}}},
            {"type": "object", "required": ["or"], "additionalProperties": false, "properties": {"or": {"type": "array", "minItems": 2, "items": {"$ref": "#/components/schemas/Root"}}}},
            {"type": "object", "required": ["not"], "additionalProperties": false, "properties": {"not": {"$ref": "#/components/schemas/Root"}}},
            {"type": "string"}]},
    }));
    holds(json!({
        "Root": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Root"}},
    }));
}

#[test]
fn what_nothing_satisfies_is_named() {
    for (schemas, word) in [
        (
            json!({"Root": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Root"}}}}),
            "requires itself",
        ),
        (json!({"Root": {"$ref": "#/components/schemas/Root"}}), "itself"),
        (json!({"Root": {"type": "number", "minimum": 3, "exclusiveMaximum": 2.5}}), "its limits"),
        (json!({"Root": {"type": "integer", "minimum": 3, "maximum": 2}}), "its limits"),
        (
            json!({"Root": {"type": "object", "required": ["a"], "properties": {"a": false}}}),
            "false",
        ),
        (json!({"Root": {"allOf": [{"type": "string"}, {"type": "integer"}]}}), "type"),
        (json!({"Root": {"enum": [1], "type": "string"}}), "enum"),
        (json!({"Root": {"type": "string", "pattern": "^[a-z]{3}$", "minLength": 4}}), "pattern"),
        (json!({"Root": {"type": "array", "minItems": 2, "maxItems": 1}}), "its limits"),
        (json!({"Root": {"allOf": [{"$ref": "#/components/schemas/Root"}, {"not": {}}]}}), "not"),
    ] {
        let document = json!({"openapi": "3.1.0", "components": {"schemas": schemas}});
        let mut set = SchemaSet::default();
        let root = set.add(&document, "/components/schemas/Root").expect("a legal schema");
        let plan = Plan::compile(&set, root, Direction::Response);
        assert!(
            plan.warnings()
                .iter()
                .any(|warning| warning.contains(word)
                    && warning.starts_with("/components/schemas/Root")),
            "{document} {:?}",
            plan.warnings()
        );
        for seed in 0..20 {
            let mut out = Vec::new();
            plan.generate(seed, &mut out);
            serde_json::from_slice::<Value>(&out).expect("JSON at least");
        }
    }
}

#[test]
fn a_seed_always_gives_the_same() {
    let subject = Subject::new(
        json!({"Root": {"type": "object", "required": ["id", "name", "at", "price", "x"], "properties": {
        "id": {"type": "string", "format": "uuid"}, "name": {"type": "string"}, "at": {"type": "string", "format": "date-time"},
        "price": {"type": "number"}, "x": {"type": "string", "x-faker": "{{name.firstName}} <{{internet.email}}>"}}}}),
    );
    let texts: std::collections::HashSet<String> =
        (0..50).map(|seed| subject.generate(seed).to_string()).collect();
    assert_eq!(texts.len(), 50);
    assert_eq!(subject.generate(3), subject.generate(3));
    let value = subject.generate(1);
    assert!(value["x"].as_str().is_some_and(|x| x.contains('<') && x.ends_with('>')), "{value}");
    // Updates of dependencies must not change the output for users' seeds.
    assert_eq!(value["id"], "cfc5d07f-6f03-429b-bf42-4132963fe08d");
}

#[test]
fn text_has_no_quotes() {
    let subject = Subject::new(json!({"Root": {"type": "string", "enum": ["a\"b"]}}));
    assert_eq!(text(&subject.plan, 0), "a\"b");
    let subject = Subject::new(json!({"Root": {"type": "integer", "const": 5}}));
    assert_eq!(text(&subject.plan, 0), "5");
}

#[test]
fn faker_names() {
    for (name, check) in [
        ("internet.email", "@example."),
        ("faker.internet.email()", "@example."),
        ("email", "@example."),
        ("internet.url", "https://"),
        ("random.uuid", "-4"),
        ("commerce.price", "."),
        ("lorem.sentence", " "),
    ] {
        let subject = Subject::new(json!({"Root": {"type": "string", "x-faker": name}}));
        for seed in 0..20 {
            let value = subject.generate(seed);
            assert!(value.as_str().is_some_and(|text| text.contains(check)), "{name} {value}");
        }
    }
}

#[test]
fn what_would_never_end_is_given_up() {
    // Each level needs two values of the next: 2^40 in total.
    let mut doubling = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/components/schemas/L{}", level + 1)});
        let both =
            json!({"type": "object", "required": ["l", "r"], "properties": {"l": next, "r": next}});
        doubling.insert(if level == 0 { "Root".into() } else { format!("L{level}") }, both);
    }
    doubling.insert("L40".into(), json!({"type": "integer"}));
    let nested = |items: Value| json!({"type": "array", "minItems": 1000, "items": items});
    let cube = json!({"Root": nested(nested(nested(json!({"type": "string"}))))});
    for schemas in [Value::Object(doubling), cube] {
        let subject = Subject::new(schemas);
        assert_eq!(subject.generate(1), Value::Null);
    }
}

#[test]
fn more_differing_items_than_there_are_take_no_time_squared() {
    let items = json!({"type": "boolean"});
    let subject = Subject::new(
        json!({"Root": {"type": "array", "minItems": 50_000, "uniqueItems": true, "items": items}}),
    );
    assert_eq!(subject.generate(1).as_array().map(Vec::len), Some(50_000));
    assert_eq!(subject.plan.warnings().len(), 1);
}
