//! Values of one type: the keywords of numbers, texts, arrays and objects.

use serde_json::json;

use super::root;

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
