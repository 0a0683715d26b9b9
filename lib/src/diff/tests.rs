//! Pairs of specs that differ in one thing, with the rule that oasdiff documents for it and its
//! level there.

use serde_json::{Value, json};

use super::*;
use crate::spec::load;

fn base() -> Value {
    json!({
        "openapi": "3.0.3", "info": {"title": "t", "version": "1"},
        "paths": {
            "/pets": {
                "get": {
                    "operationId": "listPets", "tags": ["pets"],
                    "parameters": [
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100, "default": 10}},
                        {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["name", "age"]}},
                    ],
                    "responses": {
                        "200": {"description": "d",
                            "headers": {"X-Total": {"required": true, "schema": {"type": "integer"}}, "X-Page": {"schema": {"type": "integer"}}},
                            "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}}}},
                        "404": {"description": "none"},
                    },
                },
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Draft"}}, "text/csv": {}}},
                    "responses": {"201": {"description": "made"}},
                },
            },
            "/pets/{id}": {"get": {
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}},
            }},
        },
        "components": {"schemas": {
            "Pet": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "integer", "format": "int32"},
                "name": {"type": "string", "maxLength": 20},
                "kind": {"type": "string", "enum": ["cat", "dog"]},
                "owner": {"type": "object", "nullable": false, "properties": {"mail": {"type": "string"}}},
            }},
            "Draft": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "minLength": 1, "pattern": "^[a-z]+$"},
                "kind": {"type": "string", "enum": ["cat", "dog"]},
                "age": {"type": "integer"},
                "note": {"type": "string", "nullable": true},
                "of": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            }},
        }},
    })
}

fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let document =
        |value: &Value, name: &str| load(value.to_string().as_bytes(), name).expect("loads");
    diff(&document(old, "old.json"), &document(new, "new.json"))
}

const GET: &str = "/paths/~1pets/get";
const POST: &str = "/paths/~1pets/post";
const PET: &str = "/components/schemas/Pet";
const DRAFT: &str = "/components/schemas/Draft";

/// A change of the base: a pointer, a key there, and its new value; null removes it.
type Edit = (&'static str, &'static str, &'static str);

/// The rules as oasdiff names them, with its levels: ERR is breaking, WARN unknown, INFO not
/// breaking.
fn pairs() -> Vec<(Edit, &'static str, Impact)> {
    use Impact::{Breaking, Compatible, Unknown};
    vec![
        (("/paths", "/pets/{id}", "null"), "api-path-removed-without-deprecation", Breaking),
        (("/paths/~1pets", "post", "null"), "api-removed-without-deprecation", Breaking),
        (("/paths/~1pets", "put", r#"{"responses": {}}"#), "endpoint-added", Compatible),
        ((GET, "deprecated", "true"), "endpoint-deprecated", Compatible),
        ((GET, "operationId", "null"), "api-operation-id-removed", Compatible),
        ((GET, "tags", r#"["pets", "animals"]"#), "api-tag-added", Compatible),
        (
            (
                "/paths/~1pets/get/parameters",
                "+",
                r#"{"name": "q", "in": "query", "required": true, "schema": {}}"#,
            ),
            "new-required-request-parameter",
            Breaking,
        ),
        (
            ("/paths/~1pets/get/parameters", "+", r#"{"name": "q", "in": "query", "schema": {}}"#),
            "new-optional-request-parameter",
            Compatible,
        ),
        (("/paths/~1pets/get/parameters", "1", "null"), "request-parameter-removed", Unknown),
        (
            ("/paths/~1pets/get/parameters/0", "required", "true"),
            "request-parameter-became-required",
            Breaking,
        ),
        (
            ("/paths/~1pets/get/parameters/0/schema", "type", r#""string""#),
            "request-parameter-type-changed",
            Breaking,
        ),
        (
            ("/paths/~1pets/get/parameters/0/schema", "type", r#""number""#),
            "request-parameter-type-generalized",
            Compatible,
        ),
        (
            ("/paths/~1pets/get/parameters/0/schema", "maximum", "50"),
            "request-parameter-max-decreased",
            Breaking,
        ),
        (
            ("/paths/~1pets/get/parameters/0/schema", "minimum", "1"),
            "request-parameter-min-set",
            Unknown,
        ),
        (
            ("/paths/~1pets/get/parameters/0/schema", "default", "20"),
            "request-parameter-default-value-changed",
            Breaking,
        ),
        (
            ("/paths/~1pets/get/parameters/1/schema/enum", "1", "null"),
            "request-parameter-enum-value-removed",
            Breaking,
        ),
        (
            ("/paths/~1pets/get/parameters/1/schema/enum", "+", r#""id""#),
            "request-parameter-enum-value-added",
            Compatible,
        ),
        (
            ("/paths/~1pets/post/requestBody", "required", "true"),
            "request-body-became-required",
            Breaking,
        ),
        ((POST, "requestBody", "null"), "request-body-removed", Breaking),
        (
            ("/paths/~1pets/post/requestBody/content", "text/csv", "null"),
            "request-body-media-type-removed",
            Breaking,
        ),
        ((DRAFT, "required", r#"["name", "age"]"#), "request-property-became-required", Breaking),
        (
            ("/components/schemas/Draft/properties", "age", "null"),
            "request-property-removed",
            Unknown,
        ),
        (
            ("/components/schemas/Draft/properties", "chip", r#"{"type": "string"}"#),
            "new-optional-request-property",
            Compatible,
        ),
        (
            ("/components/schemas/Draft/properties/kind/enum", "0", "null"),
            "request-property-enum-value-removed",
            Breaking,
        ),
        (
            ("/components/schemas/Draft/properties/name", "minLength", "3"),
            "request-property-min-length-increased",
            Breaking,
        ),
        (
            ("/components/schemas/Draft/properties/name", "pattern", "null"),
            "request-property-pattern-removed",
            Compatible,
        ),
        (
            ("/components/schemas/Draft/properties/note", "nullable", "false"),
            "request-property-became-not-nullable",
            Breaking,
        ),
        (
            ("/components/schemas/Draft/properties/age", "enum", "[1, 2]"),
            "request-property-became-enum",
            Breaking,
        ),
        (
            ("/components/schemas/Draft/properties/of/oneOf", "+", r#"{"type": "boolean"}"#),
            "request-property-one-of-added",
            Compatible,
        ),
        (
            ("/paths/~1pets/get/responses", "200", "null"),
            "response-success-status-removed",
            Breaking,
        ),
        (
            ("/paths/~1pets/get/responses", "404", "null"),
            "response-non-success-status-removed",
            Compatible,
        ),
        (
            ("/paths/~1pets/get/responses/200/content", "application/json", "null"),
            "response-media-type-removed",
            Breaking,
        ),
        (
            ("/paths/~1pets/get/responses/200/headers", "X-Total", "null"),
            "required-response-header-removed",
            Breaking,
        ),
        (
            ("/paths/~1pets/get/responses/200/headers", "X-Page", "null"),
            "optional-response-header-removed",
            Unknown,
        ),
        (
            ("/components/schemas/Pet/properties", "id", "null"),
            "response-required-property-removed",
            Breaking,
        ),
        (
            ("/components/schemas/Pet/properties", "name", "null"),
            "response-optional-property-removed",
            Unknown,
        ),
        ((PET, "required", "[]"), "response-property-became-optional", Breaking),
        (
            ("/components/schemas/Pet/properties/id", "type", r#""string""#),
            "response-property-type-changed",
            Breaking,
        ),
        (
            ("/components/schemas/Pet/properties/owner", "nullable", "true"),
            "response-property-became-nullable",
            Breaking,
        ),
        (
            ("/components/schemas/Pet/properties/kind/enum", "+", r#""cow""#),
            "response-property-enum-value-added",
            Unknown,
        ),
        (
            ("/components/schemas/Pet/properties/name", "maxLength", "40"),
            "response-property-max-length-increased",
            Breaking,
        ),
        (
            ("/components/schemas/Pet/properties/name", "maxLength", "null"),
            "response-property-max-length-unset",
            Breaking,
        ),
    ]
}

fn edited(edit: &Edit) -> Value {
    let (pointer, key, value) = edit;
    let value: Value = serde_json::from_str(value).expect("JSON");
    let mut spec = base();
    match spec.pointer_mut(pointer).expect(pointer) {
        Value::Object(map) if value.is_null() => drop(map.remove(*key).expect(key)),
        Value::Object(map) => drop(map.insert((*key).to_owned(), value)),
        Value::Array(list) if *key == "+" => list.push(value),
        Value::Array(list) => drop(list.remove(key.parse().expect("an index"))),
        _ => panic!("{pointer} is neither object nor list"),
    }
    spec
}

#[test]
fn each_change_falls_under_its_rule() {
    let pairs = pairs();
    assert!(pairs.len() >= 30);
    for (edit, rule, verdict) in &pairs {
        let found = changes(&base(), &edited(edit));
        let mut found: Vec<(&str, Impact)> =
            found.iter().map(|change| (change.rule.as_str(), change.verdict)).collect();
        // A component is part of each operation that uses it.
        found.dedup();
        assert_eq!(found, [(*rule, *verdict)], "{edit:?}");
    }
}

#[test]
fn a_spec_has_not_changed_against_itself() {
    assert_eq!(changes(&base(), &base()), []);
}

#[test]
fn two_ways_to_write_the_same_are_no_change() {
    let mut new = base();
    // The schema in a component, in parts, in the form of 3.1; other names in the path, and a slash
    // at its end.
    new["openapi"] = "3.1.0".into();
    let pet = new["components"]["schemas"]["Pet"].clone();
    new["components"]["schemas"]["Animal"] = pet;
    new["components"]["schemas"]["Pet"] =
        json!({"allOf": [{"$ref": "#/components/schemas/Animal"}]});
    let note = &mut new["components"]["schemas"]["Draft"]["properties"]["note"];
    *note = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
    let mut item =
        new["paths"].as_object_mut().expect("paths").remove("/pets/{id}").expect("a path");
    item["get"]["parameters"][0]["name"] = "petId".into();
    new["paths"]["/pets/{petId}/"] = item;
    assert_eq!(changes(&base(), &new), []);
}

#[test]
fn a_change_says_where_it_is() {
    let edit = ("/components/schemas/Pet/properties/name", "maxLength", "40");
    let found = changes(&base(), &edited(&edit));
    assert_eq!(
        found[0],
        Change {
            rule: "response-property-max-length-increased".to_owned(),
            verdict: Impact::Breaking,
            method: "get".to_owned(),
            path: "/pets".to_owned(),
            status: Some("200".to_owned()),
            pointer: "/components/schemas/Pet/properties/name/maxLength".to_owned(),
            message: "the body of the response 200 /*/name: maxLength became 40, from 20"
                .to_owned(),
        }
    );
    assert_eq!(found.len(), 2, "both operations answer with it");
}

#[test]
fn what_only_one_side_sends_is_no_part_of_the_other_side_s_messages() {
    let with = |property: Value| {
        let mut spec = base();
        let schemas = &mut spec["components"]["schemas"];
        schemas["Draft"]["properties"]["made"] = property.clone();
        schemas["Draft"]["required"] = json!(["name", "made"]);
        schemas["Pet"]["properties"]["secret"] = json!({"type": "string", "writeOnly": true});
        spec
    };
    let found = changes(&base(), &with(json!({"type": "string", "readOnly": true})));
    assert!(found.iter().all(|change| change.verdict == Impact::Compatible), "{found:?}");
    let found = changes(&base(), &with(json!({"type": "string"})));
    assert!(found.iter().any(|change| change.rule == "new-required-request-property"));
}

#[test]
fn schemas_that_hold_themselves_end() {
    let tree = |kind: &str| {
        let mut spec = base();
        spec["components"]["schemas"]["Pet"]["properties"]["children"] =
            json!({"type": "array", "items": {"$ref": "#/components/schemas/Pet"}});
        spec["components"]["schemas"]["Pet"]["allOf"] =
            json!([{"$ref": "#/components/schemas/Pet"}]);
        spec["components"]["schemas"]["Pet"]["properties"]["kind"] = json!({"type": kind});
        spec
    };
    let found = changes(&tree("string"), &tree("integer"));
    let rules: Vec<&str> = found.iter().map(|change| change.rule.as_str()).collect();
    assert_eq!(rules, ["response-property-type-changed"; 2]);
}

#[test]
fn credentials_and_servers_are_compared() {
    let mut new = base();
    new["security"] = json!([{"key": []}]);
    new["components"]["securitySchemes"] =
        json!({"key": {"type": "apiKey", "in": "header", "name": "x-key"}});
    new["servers"] = json!([{"url": "https://a.test"}]);
    let found = changes(&base(), &new);
    let of = |rule: &str| found.iter().find(|change| change.rule == rule).map(|c| c.verdict);
    assert_eq!(of("api-security-component-added"), Some(Impact::Compatible));
    assert_eq!(of("api-security-added"), Some(Impact::Unknown));
    assert_eq!(of("server-added"), Some(Impact::Compatible));
    let back = changes(&new, &base());
    assert!(back.iter().all(|change| change.verdict != Impact::Breaking), "{back:?}");
}
