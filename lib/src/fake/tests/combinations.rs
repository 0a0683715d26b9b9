//! Combined schemas: `allOf`, `anyOf`, `oneOf`, `not`, unevaluated properties, and directions.

use serde_json::{Value, json};

use super::{holds, root};
use crate::fake::Plan;
use crate::schema::{Direction, SchemaSet};

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

/// Each has values that match one branch only, although the branches have much in common.
#[test]
fn branches_that_overlap() {
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let text = || json!({"type": "string"});
    let cell = || object(json!({"h": {"type": "integer"}}), json!([]));
    let cells = |item: Value| {
        object(json!({"name": text(), "cells": {"type": "array", "items": item}}), json!([]))
    };
    let view = object(json!({"title": text(), "view": object(json!({}), json!([]))}), json!([]));
    let open = |properties: Value| {
        let mut schema = object(properties, json!([]));
        schema["additionalProperties"] = json!(true);
        schema
    };
    for branches in [
        // The items of one have more properties, none of which is required.
        json!([cells(cell()), cells(json!({"allOf": [cell(), view]}))]),
        // One requires more.
        json!([
            object(json!({"id": text(), "x": text()}), json!(["id"])),
            object(json!({"id": text(), "x": text()}), json!(["id", "x"])),
        ]),
        json!([
            object(json!({"o": object(json!({"x": text()}), json!([]))}), json!([])),
            object(json!({"o": object(json!({"x": text()}), json!(["x"]))}), json!([])),
        ]),
        // One restricts a property that the other declares too, or allows.
        json!([
            object(json!({"a": text()}), json!([])),
            object(json!({"a": {"type": "string", "maxLength": 3}}), json!([])),
        ]),
        json!([open(json!({})), open(json!({"a": text()}))]),
        // One allows fewer properties.
        json!([
            {"type": "object", "properties": {"a": text()}, "additionalProperties": false},
            {"type": "object", "properties": {"a": text(), "b": text()}, "additionalProperties": false},
        ]),
        json!([
            {"type": "array", "items": object(json!({"a": text()}), json!([]))},
            {"type": "array", "items": object(json!({"b": {"type": "integer"}}), json!([]))},
        ]),
        json!([{"type": "string", "enum": ["auto"]}, {"type": "string"}]),
    ] {
        root(json!({"oneOf": branches}));
    }
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
    // A base schema whose subtypes include it with allOf.
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
