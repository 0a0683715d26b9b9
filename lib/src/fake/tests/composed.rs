//! Composed values: samples at any depth, and all optional properties.

use serde_json::{Value, json};

use super::Subject;

#[test]
fn samples_stand_at_any_depth() {
    let string = |keyword: &str, value: Value| json!({"type": "string", keyword: value});
    for (name, schema, expected) in [
        ("example", string("example", json!("a")), json!("a")),
        ("examples", string("examples", json!(["a", "b"])), json!("a")),
        ("const", json!({"const": {"a": 1}}), json!({"a": 1})),
        ("default", string("default", json!("d")), json!("d")),
        ("enum", string("enum", json!(["x", "y"])), json!("x")),
        (
            "example before default and enum",
            json!({"type": "string", "enum": ["x", "y", "z"], "default": "y", "example": "z"}),
            json!("z"),
        ),
        (
            "default before enum",
            json!({"type": "string", "enum": ["x", "y"], "default": "y"}),
            json!("y"),
        ),
        ("null is no first value", json!({"enum": [null, "y"]}), json!("y")),
        ("items", json!({"type": "array", "items": {"type": "integer", "example": 7}}), json!([7])),
        (
            "distinct items",
            json!({"type": "array", "uniqueItems": true, "minItems": 2, "maxItems": 2,
                   "items": {"enum": ["a", "b"], "example": "b"}}),
            json!(["b", "a"]),
        ),
        (
            "properties, optional ones too",
            json!({"type": "object", "required": ["a"], "properties": {
                "a": {"type": "integer", "example": 1},
                "b": {"type": "object", "properties": {"c": {"type": "boolean", "default": false}}}}}),
            json!({"a": 1, "b": {"c": false}}),
        ),
        (
            "allOf",
            json!({"allOf": [
                {"type": "object", "properties": {"a": {"type": "integer", "example": 1}}},
                {"type": "object", "properties": {"b": {"type": "integer", "example": 2}}}]}),
            json!({"a": 1, "b": 2}),
        ),
        (
            "an example of a part of allOf",
            json!({"allOf": [
                {"type": "object", "properties": {"a": {"type": "integer"}}, "example": {"a": 5}},
                {"type": "object", "required": ["b"], "properties": {"b": {"type": "integer", "example": 2}}}]}),
            json!({"a": 5, "b": 2}),
        ),
        (
            "the first branch",
            json!({"oneOf": [{"type": "null"}, {"type": "integer", "example": 3}, {"type": "string"}]}),
            json!(3),
        ),
        (
            "an example that contradicts its schema",
            json!({"type": "integer", "example": "n"}),
            json!("n"),
        ),
        (
            "null is no example of what is not nullable",
            json!({"enum": ["a"], "example": null}),
            json!("a"),
        ),
        (
            "not of the server",
            json!({"type": "object", "properties": {
                "p": {"type": "string", "writeOnly": true, "example": "x"}, "q": {"const": 1}}}),
            json!({"q": 1}),
        ),
    ] {
        let subject = Subject::new(json!({"Root": schema}));
        assert_eq!(subject.compose(1), expected, "{name}");
    }
}

#[test]
fn recursion_ends() {
    let subject = Subject::new(json!({"Root": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "example": "n"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Root"}},
            "parent": {"$ref": "#/components/schemas/Root"}}}}));
    let value = subject.compose(1);
    assert_eq!(value["parent"]["children"][0]["name"], "n");
}

#[test]
fn the_same_seed_composes_the_same() {
    let subject = Subject::new(json!({"Root": {
        "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}}));
    assert_eq!(subject.compose(4), subject.compose(4));
    assert_ne!(subject.compose(4), subject.compose(5));
}

#[test]
fn contradicting_examples_are_named() {
    let subject = Subject::new(json!({"Root": {"type": "object", "properties": {
        "a": {"type": "integer", "example": "n"}, "b": {"type": "string", "example": "fine"}}}}));
    let faults = subject.plan.example_faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("/components/schemas/Root/properties/a/example: "), "{faults:?}");
}
