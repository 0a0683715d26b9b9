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
fn composed_values_match_one_branch_of_one_of() {
    let text = |example: &str| json!({"type": "string", "example": example});
    for (name, schema, expected) in [
        (
            "the property that another branch requires is absent",
            json!({"oneOf": [
                {"type": "object", "properties": {"id": text("i"), "x": text("x"), "y": text("y")}, "required": ["id"]},
                {"type": "object", "properties": {"id": text("i"), "x": text("x")}, "required": ["id", "x"]}]}),
            json!({"id": "i", "y": "y"}),
        ),
        (
            "branches that only require",
            json!({"type": "object", "properties": {"a": text("A"), "b": text("B"), "c": text("C")},
                   "oneOf": [{"required": ["a"]}, {"required": ["b"]}, {"required": ["a", "c"]}]}),
            json!({"a": "A"}),
        ),
        (
            "another branch, if the first has no value of its own",
            json!({"oneOf": [{"type": "string", "enum": ["auto"]}, text("other")]}),
            json!("other"),
        ),
        (
            "an example that contradicts its schema",
            json!({"oneOf": [
                {"type": "object", "properties": {"a": {"type": "integer", "example": "n"}, "b": text("B")}, "required": ["a"]},
                {"type": "object", "properties": {"c": {"type": "integer"}}, "required": ["c"]}]}),
            json!({"a": "n", "b": "B"}),
        ),
        (
            "the example of a part of allOf",
            json!({"allOf": [
                {"type": "object", "properties": {"id": {"type": "integer", "example": 4}}},
                {"oneOf": [
                    {"type": "object", "properties": {"u": text("U")}, "required": ["u"]},
                    {"type": "object", "properties": {"v": text("V")}, "required": ["v"]}]}]}),
            json!({"u": "U", "id": 4}),
        ),
    ] {
        let subject = Subject::new(json!({"Root": schema}));
        assert_eq!(subject.compose(1), expected, "{name}");
    }
}

/// Readers follow the discriminator, so that no other property has to tell the branches apart.
#[test]
fn a_discriminator_decides_which_branch_is_composed() {
    let pet = |own: &str| {
        json!({"type": "object", "required": ["kind"], "properties": {
            "kind": {"type": "string"}, "name": {"type": "string", "example": "N"},
            (own): {"type": "string", "example": "O"}}})
    };
    let declared = json!({
        "Root": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
                 "discriminator": {"propertyName": "kind"}},
        "Cat": pet("purrs"), "Dog": pet("barks")});
    let subject = Subject::new(declared);
    assert_eq!(subject.compose(1), json!({"kind": "Cat", "name": "N", "purrs": "O"}));
    assert_eq!(subject.plan.warnings(), &[] as &[String]);
    // No branch declares the property.
    let undeclared = json!({
        "Root": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}],
                 "discriminator": {"propertyName": "kind", "mapping": {"a": "A", "b": "B"}}},
        "A": {"type": "object", "properties": {"x": {"type": "integer", "example": 1}}},
        "B": {"type": "object", "properties": {"x": {"type": "integer", "example": 2}}}});
    assert_eq!(Subject::new(undeclared).compose(1), json!({"x": 1, "kind": "a"}));
}

#[test]
fn properties_are_in_the_order_of_the_document() {
    let text = |example: &str| json!({"type": "string", "example": example});
    let subject = Subject::new(json!({
        "Base": {"type": "object", "properties": {"z": text("z"), "a": text("base")}},
        "Middle": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"m": text("m")}}]},
        "Root": {"properties": {"own": text("own")}, "allOf": [
            {"$ref": "#/components/schemas/Middle"},
            {"properties": {"c": text("c"), "a": text("later")}}]}}));
    // A later part overrides an earlier one, at the place of the earlier one.
    let expected = r#"{"own":"own","z":"z","a":"later","m":"m","c":"c"}"#;
    assert_eq!(subject.compose(1).to_string(), expected);
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
