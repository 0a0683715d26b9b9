#![expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]

use serde_json::{Value, json};

use super::Plan;
use crate::schema::{Direction, SchemaSet};

mod random;

/// A plan of the schema `Root`, and an independent validator of it.
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
        let mut out = Vec::new();
        self.plan.generate(seed, &mut out);
        serde_json::from_slice(&out).unwrap_or_else(|error| {
            panic!("{error}: {} of {}", String::from_utf8_lossy(&out), self.document)
        })
    }

    fn invalid(&self, seed: u64) -> Option<String> {
        let value = self.generate(seed);
        let problems = self.set.check(self.root, &value, Direction::Response);
        let independent = self.independent.validate(&value).err().map(|error| error.to_string());
        (!problems.is_empty() || independent.is_some())
            .then(|| format!("{value}\n{problems:?}\n{independent:?}\n{}", self.document))
    }
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
            assert_eq!(plan.generate_text(seed), alone.generate_text(seed));
        }
    }
    assert!(together[0].warnings().is_empty() && !together[3].warnings().is_empty());
}

/// Every value of 300 seeds is valid; gives some of them.
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
fn numbers() {
    root(json!({"type": "integer", "minimum": 3, "maximum": 5}));
    root(json!({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}));
    root(json!({"type": "integer", "minimum": -10.5, "multipleOf": 7}));
    root(json!({"type": "integer", "multipleOf": 1.5}));
    root(json!({"type": "integer", "format": "int32", "minimum": 2147483640}));
    root(json!({"type": "integer", "minimum": 9223372036854775800_i64}));
    root(json!({"type": "integer", "format": "uint64", "minimum": 18446744073709551000_u64}));
    root(json!({"type": "integer", "minimum": 0, "maximum": u64::MAX, "not": {"const": 7}}));
    root(json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001}));
    root(json!({"type": "number", "minimum": 0.1, "multipleOf": 0.1, "maximum": 2}));
    root(json!({"type": "number", "multipleOf": 0.01}));
    root(json!({"type": "number", "minimum": 1e300}));
    root(json!({"type": "number", "maximum": -1e300}));
    root(json!({"type": "number", "exclusiveMinimum": -1e-300, "exclusiveMaximum": 1e-300}));
    root(json!({"minimum": 7}));
    root(
        json!({"allOf": [{"multipleOf": 4}, {"multipleOf": 6}, {"type": "integer"}, {"minimum": 20}]}),
    );
}

#[test]
fn what_is_left_unevaluated() {
    for value in root(json!({
        "type": "object",
        "allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}],
        "oneOf": [{"properties": {"b": {"const": 1}}, "required": ["b"]}, {"properties": {"c": {"const": 2}}, "required": ["c"]}],
        "unevaluatedProperties": false,
    })) {
        assert_eq!(value.as_object().map(serde_json::Map::len), Some(2), "{value}");
    }
    root(json!({
        "type": "object", "minProperties": 2, "properties": {"a": {"type": "integer"}},
        "unevaluatedProperties": {"type": "boolean"},
    }));
    root(json!({
        "type": "array", "minItems": 2, "allOf": [{"prefixItems": [{"type": "string"}]}],
        "unevaluatedItems": {"type": "null"},
    }));
    root(json!({
        "type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}],
        "unevaluatedItems": false, "minItems": 1,
    }));
}

#[test]
fn one_of_schemas_that_require_nothing() {
    holds(json!({
        "Root": {"oneOf": [{"$ref": "#/components/schemas/Error"}, {"$ref": "#/components/schemas/Violation"}]},
        "Error": {"type": "object", "properties": {"message": {"type": "string"}, "url": {"type": "string"}}},
        "Violation": {"type": "object", "properties": {
            "message": {"type": "string"}, "metadata": {"type": "object", "properties": {"a": {"type": "integer"}}}}},
    }));
}

#[test]
fn patterns_of_any_kind() {
    for pattern in [
        r"^(?!.*--)[a-z][a-z-]{0,10}[a-z]$",
        r"^(['\x22])[a-z]{1,3}\1$",
        r"^\d{3}(?<!000)$",
        r"^(?=.*\d)(?=.*[a-z])[a-z\d]{4,8}$",
        r"^(?!admin$)\w+$",
        r"^[a-z]+(?=-)-x$",
    ] {
        root(json!({"type": "string", "pattern": pattern}));
        root(
            json!({"type": "object", "patternProperties": {pattern: {"type": "integer"}}, "additionalProperties": false, "minProperties": 1}),
        );
    }
}

#[test]
fn texts() {
    for pattern in [
        "^[a-z]{3}-\\d+$",
        "abc",
        "^(foo|bar)+$",
        "\\w+@\\w+\\.com",
        "^$",
        "[^/]+",
        "^\\S{2,4}$",
        "^a.c$",
        "^[\\x00-\\x1f]$",
        "^(?:[A-Z]{2}[0-9]{2}) ?[0-9]{4}$",
        "^\\p{L}+$",
        "\\bword\\b",
        "^[^a-zA-Z0-9]+$",
        "^([01]\\d|2[0-3]):[0-5]\\d$",
        "^[\\w.+-]+$",
    ] {
        root(json!({"type": "string", "pattern": pattern}));
    }
    root(json!({"type": "string", "pattern": "^[a-z]+$", "minLength": 20, "maxLength": 20}));
    root(json!({"type": "string", "pattern": "^[a-z]+-[0-9]*$", "minLength": 40}));
    root(json!({"type": "string", "pattern": "[0-9]", "minLength": 10}));
    root(json!({"allOf": [{"type": "string", "pattern": "^a"}, {"pattern": "^[a-z]{5}$"}]}));
    root(json!({"type": "string", "format": "email", "maxLength": 20}));
    root(json!({"type": "string", "format": "password", "minLength": 30, "maxLength": 31}));
    root(json!({"type": "string", "format": "byte", "maxLength": 10}));
    root(json!({"type": "string", "format": "uri", "pattern": "^https://", "minLength": 60}));
    root(json!({"type": "string", "minLength": 5000}));
    root(json!({"type": "string", "maxLength": 1}));
    root(json!({"type": "string", "maxLength": 0}));
    root(json!({"minLength": 3, "maxLength": 3}));
    for pattern in [
        "^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)(?=.*[@$!%*?&])[A-Za-z\\d@$!%*?&]{8,}$",
        "^(?=.{6,10}$)[a-z]+$",
        "^(?!admin|root)[a-z]{4,6}$",
        "^(?=.*\\d).{8,20}$",
    ] {
        root(json!({"type": "string", "pattern": pattern}));
    }
    for format in crate::format::FORMATS {
        root(json!({"type": "string", "format": format.name}));
    }
}

#[test]
fn arrays() {
    root(
        json!({"type": "array", "items": {"type": "boolean"}, "uniqueItems": true, "minItems": 2}),
    );
    root(
        json!({"type": "array", "items": {"enum": (0..40).collect::<Vec<_>>()}, "uniqueItems": true, "minItems": 40}),
    );
    root(
        json!({"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 3}, "uniqueItems": true}),
    );
    root(
        json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": false}),
    );
    root(
        json!({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "boolean"}, "minItems": 3}),
    );
    root(
        json!({"type": "array", "contains": {"const": 7}, "minContains": 2, "maxContains": 3, "items": {"type": "integer", "minimum": 5, "maximum": 8}}),
    );
    root(json!({"type": "array", "contains": {"type": "string"}, "minItems": 4}));
    root(json!({"type": "array", "maxItems": 0, "items": {"type": "string"}}));
    root(
        json!({"type": "array", "minItems": 500, "maxItems": 600, "uniqueItems": true, "items": {"type": "string", "format": "uuid"}}),
    );
    root(json!({"items": {"type": "integer"}}));
}

#[test]
fn objects() {
    let person = root(json!({
        "type": "object", "required": ["id", "email"],
        "properties": {
            "id": {"type": "integer", "format": "int64"}, "email": {"type": "string"}, "firstName": {"type": "string"},
            "createdAt": {"type": "string", "format": "date-time"}, "tags": {"type": "array", "items": {"type": "string"}},
            "price": {"type": "number"}, "deletedAt": {"type": ["string", "null"], "format": "date-time"},
        },
    }));
    assert!(
        person
            .iter()
            .all(|value| value["email"].as_str().is_some_and(|email| email.contains("@example.")))
    );
    assert!(person.iter().any(|value| value.get("firstName").is_none()));
    let nulls = person.iter().filter(|value| value["deletedAt"].is_null()).count();
    assert!((1..200).contains(&nulls), "{nulls}");
    let map = root(json!({"type": "object", "additionalProperties": {"type": "integer"}}));
    assert!(
        map.iter().all(|value| value.as_object().is_some_and(|map| (1..=3).contains(&map.len())))
    );
    root(
        json!({"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": false, "minProperties": 2}),
    );
    root(
        json!({"type": "object", "patternProperties": {"^x-": {"type": "integer"}, "-y$": {"minimum": 5}}, "additionalProperties": false, "minProperties": 1}),
    );
    root(
        json!({"type": "object", "propertyNames": {"pattern": "^[A-Z]{3}$"}, "additionalProperties": {"type": "boolean"}, "minProperties": 3}),
    );
    root(
        json!({"type": "object", "properties": {"a": {}, "b": {}, "c": {}, "d": {}}, "minProperties": 2, "maxProperties": 2}),
    );
    root(json!({"type": "object", "properties": {"a": {}, "b": {}}, "minProperties": 5}));
    root(
        json!({"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "dependentRequired": {"a": ["b"], "b": ["c"]}}),
    );
    root(
        json!({"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "dependentRequired": {"a": ["b"], "b": ["c"]}, "required": ["a"]}),
    );
    root(
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "dependentSchemas": {"a": {"required": ["z"]}}}),
    );
    root(
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "dependentSchemas": {"a": {"required": ["z"]}}}),
    );
    root(json!({"type": "object", "required": ["x y\"z", "é"]}));
    root(json!({"type": "object"}));
    root(json!({}));
    root(json!(true));
}

#[test]
fn combinations() {
    root(json!({"allOf": [
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}, "required": ["a"]},
        {"properties": {"a": {"maximum": 4}, "b": {"type": "string"}}, "required": ["b"]},
    ]}));
    root(json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}));
    root(json!({"oneOf": [{"type": "number"}, {"type": "integer"}]}));
    root(
        json!({"oneOf": [{"type": "integer", "multipleOf": 3}, {"type": "integer", "multipleOf": 5}]}),
    );
    root(
        json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
    );
    root(
        json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}], "not": {"required": ["b"]}}),
    );
    root(json!({"not": {"type": "string"}}));
    root(json!({"type": "integer", "minimum": 0, "maximum": 5, "not": {"enum": [1, 2, 3]}}));
    root(json!({"not": {"anyOf": [{"type": "object"}, {"type": "array"}, {"type": "null"}]}}));
    root(
        json!({"type": "object", "properties": {"country": {"enum": ["US", "NL"]}, "code": {"type": "string"}},
        "required": ["country", "code"],
        "if": {"properties": {"country": {"const": "US"}}, "required": ["country"]},
        "then": {"properties": {"code": {"pattern": "^[0-9]{5}$"}}},
        "else": {"properties": {"code": {"pattern": "^[0-9]{4}[A-Z]{2}$"}}}}),
    );
    root(json!({"enum": ["a", 1, null, {"x": [1.5]}], "not": {"const": 1}}));
    root(json!({"const": {"deep": [1, "two"]}}));
    root(json!({"type": "string", "enum": ["abc", "de", "fgh"], "minLength": 3}));
    root(json!({"oneOf": [
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}, "additionalProperties": false},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "additionalProperties": false},
    ]}));
    root(
        json!({"type": "object", "properties": {"deep": {"type": "object", "required": ["v"], "properties":
        {"v": {"oneOf": [{"type": "string", "maxLength": 5}, {"type": "string", "minLength": 4}]}}}}, "required": ["deep"]}),
    );
}

#[test]
fn discriminators() {
    let pet = |name: &str| {
        json!({"type": "object", "required": ["petType", "n"], "properties": {
        "petType": {"type": "string"}, "n": {"type": "integer"}, (name): {"type": "boolean"}}})
    };
    let pets = holds(json!({
        "Root": {"anyOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "petType", "mapping": {"miau": "#/components/schemas/Cat"}}},
        "Cat": pet("purrs"), "Dog": pet("barks"),
    }));
    for pet in &pets {
        let kind = pet["petType"].as_str();
        assert!(
            kind == Some("miau") && pet.get("barks").is_none()
                || kind == Some("Dog") && pet.get("purrs").is_none(),
            "{pet}"
        );
    }
    let kinds = holds(json!({
        "Root": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}],
            "discriminator": {"propertyName": "kind", "mapping": {"a": "#/components/schemas/A", "b": "#/components/schemas/B"}}},
        "A": {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "a"}, "x": {"type": "string"}}},
        "B": {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "b"}, "next": {"$ref": "#/components/schemas/Root"}}},
    }));
    assert!(
        kinds.iter().any(|kind| kind["kind"] == "b")
            && kinds.iter().any(|kind| kind["kind"] == "a")
    );
    // A base schema, whose subtypes hold it by allOf.
    let schemas = json!({
        "Root": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}},
            "discriminator": {"propertyName": "type", "mapping": {"sub": "#/components/schemas/Sub"}}},
        "Sub": {"allOf": [{"$ref": "#/components/schemas/Root"}, {"required": ["extra"], "properties": {"extra": {"type": "integer"}}}]},
    });
    for value in holds(schemas) {
        assert!(value["type"] == "sub" && value["extra"].is_i64(), "{value}");
    }
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
            "needs itself",
        ),
        (json!({"Root": {"$ref": "#/components/schemas/Root"}}), "itself"),
        (json!({"Root": {"type": "number", "minimum": 3, "exclusiveMaximum": 2.5}}), "bounds"),
        (json!({"Root": {"type": "integer", "minimum": 3, "maximum": 2}}), "bounds"),
        (
            json!({"Root": {"type": "object", "required": ["a"], "properties": {"a": false}}}),
            "false",
        ),
        (json!({"Root": {"allOf": [{"type": "string"}, {"type": "integer"}]}}), "type"),
        (json!({"Root": {"enum": [1], "type": "string"}}), "enum"),
        (json!({"Root": {"type": "string", "pattern": "^[a-z]{3}$", "minLength": 4}}), "pattern"),
        (json!({"Root": {"type": "array", "minItems": 2, "maxItems": 1}}), "bounds"),
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
fn directions_and_nullable() {
    let document = json!({"openapi": "3.0.3", "components": {"schemas": {"Root": {
        "type": "object", "required": ["id", "password", "name"], "properties": {
            "id": {"type": "integer", "readOnly": true}, "password": {"type": "string", "writeOnly": true},
            "name": {"type": "string", "nullable": true}, "code": {"type": "string", "enum": ["a", null], "nullable": true}}}}}});
    let mut set = SchemaSet::default();
    let root = set.add(&document, "/components/schemas/Root").expect("a legal schema");
    for (direction, there, gone) in
        [(Direction::Response, "id", "password"), (Direction::Request, "password", "id")]
    {
        let plan = Plan::compile(&set, root, direction);
        for seed in 0..200 {
            let mut out = Vec::new();
            plan.generate(seed, &mut out);
            let value: Value = serde_json::from_slice(&out).expect("JSON");
            assert!(value.get(there).is_some() && value.get(gone).is_none(), "{value}");
            assert_eq!(set.check(root, &value, direction), []);
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
    // Versions of dependencies must not change what users see for their seeds.
    assert_eq!(value["id"], "cfc5d07f-6f03-429b-bf42-4132963fe08d");
}

#[test]
fn text_has_no_quotes() {
    let text =
        Subject::new(json!({"Root": {"type": "string", "enum": ["a\"b"]}})).plan.generate_text(0);
    assert_eq!(text, "a\"b");
    let text = Subject::new(json!({"Root": {"type": "integer", "const": 5}})).plan.generate_text(0);
    assert_eq!(text, "5");
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
    // Each level needs two values of the next: 2^40 in all.
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
