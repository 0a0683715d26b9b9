//! The laws of joining, on random schemas and values, with an independent validator.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Schemas as a builder writes them, over small alphabets, so that two of them overlap.
fn schema(dialect: Dialect) -> impl Strategy<Value = Value> {
    let number = -3..9_i64;
    let leaf = prop_oneof![
        Just(json!({})),
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "integer", "format": "int32"})),
        Just(json!({"type": "string", "format": "date"})),
        Just(json!({"type": "string", "description": "d"})),
        Just(json!({"$ref": "#/components/schemas/A"})),
        Just(json!({"$ref": "#/components/schemas/B"})),
        Just(json!({"allOf": [{"type": "string"}], "title": "t"})),
        Just(json!({"type": "array", "items": {}, "maxItems": 0})),
        (0..4_u64, 4..8_u64)
            .prop_map(|(a, b)| json!({"type": "string", "minLength": a, "maxLength": b})),
        prop::collection::btree_set("[a-d]", 1..4)
            .prop_map(|v| json!({"type": "string", "enum": v})),
        prop::collection::btree_set(0..40_i64, 1..20)
            .prop_map(|v| json!({"type": "integer", "enum": v})),
        prop::collection::vec(value(), 1..4).prop_map(|v| json!({"enum": v})),
        prop::collection::vec(value(), 20..40).prop_map(|v| json!({"enum": v})),
        (number.clone(), any::<bool>()).prop_map(
            |(n, float)| json!({"type": if float { "number" } else { "integer" }, "minimum": n})
        ),
        number.prop_map(move |n| match dialect {
            Dialect::V3_0 => json!({"type": "number", "maximum": n, "exclusiveMaximum": true}),
            Dialect::V3_1 => json!({"type": "number", "exclusiveMaximum": n}),
        }),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let inner = inner.boxed();
        let additional = prop_oneof![
            Just(None),
            Just(Some(json!(false))),
            Just(Some(json!(true))),
            inner.clone().prop_map(Some),
        ];
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            (
                prop::collection::btree_map("[a-d]", (inner.clone(), any::<bool>()), 0..4),
                additional
            )
                .prop_map(|(properties, additional)| {
                    let required: Vec<_> = properties
                        .iter()
                        .filter(|(_, (_, r))| *r)
                        .map(|(k, _)| k.clone())
                        .collect();
                    let properties: Map<_, _> =
                        properties.into_iter().map(|(k, (schema, _))| (k, schema)).collect();
                    let mut schema =
                        json!({"type": "object", "required": required, "properties": properties});
                    if let Some(additional) = additional {
                        schema["additionalProperties"] = additional;
                    }
                    schema
                }),
            prop::collection::vec(inner.clone(), 1..3)
                .prop_map(|branches| json!({"anyOf": branches})),
            inner.prop_map(move |schema| nullable(schema, dialect)),
        ]
        .prop_map(move |schema| Shape::read(&schema, dialect).write(dialect))
    })
    .prop_map(move |schema| Shape::read(&schema, dialect).write(dialect))
}

fn nullable(mut schema: Value, dialect: Dialect) -> Value {
    let nothing = match dialect {
        Dialect::V3_0 => json!({"type": "object", "nullable": true, "enum": [null]}),
        Dialect::V3_1 => json!({"type": "null"}),
    };
    match (&mut schema, dialect) {
        (Value::Object(map), Dialect::V3_0)
            if map.contains_key("type") && !map.contains_key("enum") =>
        {
            map.insert("nullable".to_owned(), json!(true));
            schema
        }
        _ => json!({"anyOf": [schema, nothing]}),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-4..42_i64).prop_map(Value::from),
        (-8..18_i64).prop_map(|n| Value::from(n as f64 / 2.0)),
        "[a-e]{0,2}|2024-01-15".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-e]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The JSON Schema equivalent of an OpenAPI schema. `closed` applies HMT's reading of objects
/// without `additionalProperties`.
fn meaning(schema: &Value, dialect: Dialect, closed: bool) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (key, value) in map {
        let value = match value {
            Value::Object(properties) if key == "properties" => properties
                .iter()
                .map(|(name, schema)| (name.clone(), meaning(schema, dialect, closed)))
                .collect::<Map<_, _>>()
                .into(),
            Value::Object(_) => meaning(value, dialect, closed),
            Value::Array(list) if matches!(key.as_str(), "anyOf" | "allOf") => {
                list.iter().map(|schema| meaning(schema, dialect, closed)).collect()
            }
            other => other.clone(),
        };
        out.insert(key.clone(), value);
    }
    if out.contains_key("x-hmt-null-only") {
        out.insert("type".to_owned(), json!("null"));
    }
    if dialect == Dialect::V3_0 {
        if out.remove("nullable") == Some(json!(true)) {
            out["type"] = json!([out["type"].clone(), "null"]);
        }
        if out.remove("exclusiveMaximum") == Some(json!(true)) {
            let bound = out.remove("maximum").expect("stands beside it");
            out.insert("exclusiveMaximum".to_owned(), bound);
        }
    }
    // The validator does not accept 1.0 as an integer in a list of types.
    if out.get("type") == Some(&json!(["integer", "null"])) {
        out.remove("type");
        out.insert("anyOf".to_owned(), json!([{"type": "integer"}, {"type": "null"}]));
    }
    if closed && out.get("type").is_some_and(|t| *t == "object" || *t == json!(["object", "null"]))
    {
        out.entry("additionalProperties").or_insert(json!(false));
    }
    Value::Object(out)
}

fn accepts(schema: &Value, value: &Value, dialect: Dialect, closed: bool) -> bool {
    let mut schema = meaning(schema, dialect, closed);
    if let Value::Object(map) = &mut schema {
        map.insert(
            "components".to_owned(),
            json!({"schemas": {"A": {"type": "string"}, "B": {"type": "integer", "minimum": 3}}}),
        );
    }
    jsonschema::draft202012::is_valid(&schema, value)
}

fn text(value: &Value) -> String {
    value.to_string()
}

fn laws(a: &Value, b: &Value, c: &Value, dialect: Dialect) -> Result<(), TestCaseError> {
    let join = |a: &Value, b: &Value| join(a, b, dialect);
    prop_assert_eq!(text(&Shape::read(a, dialect).write(dialect)), text(a), "canonical");
    prop_assert_eq!(text(&join(a, b)), text(&join(b, a)), "commutative");
    prop_assert_eq!(text(&join(&join(a, b), c)), text(&join(a, &join(b, c))), "associative");
    prop_assert_eq!(text(&join(&join(a, b), b)), text(&join(a, b)), "absorbs");
    Ok(())
}

/// A value that resembles a schema, so that many are accepted.
fn near(schema: &Value, random: &Value, depth: usize) -> Value {
    let Value::Object(map) = schema else { return random.clone() };
    let pick = random.to_string().len();
    if let Some(Value::Array(branches)) = map.get("anyOf") {
        return near(&branches[pick % branches.len()], random, depth);
    }
    if let Some(Value::Array(values)) = map.get("enum") {
        return values[pick % values.len()].clone();
    }
    let kind = map.get("type").map(|t| if let Value::Array(list) = t { &list[0] } else { t });
    match kind.and_then(Value::as_str) {
        Some("object") if depth < 5 => {
            let properties = map.get("properties").and_then(Value::as_object);
            let required = map.get("required").and_then(Value::as_array);
            let mut object = Map::new();
            for (index, (name, schema)) in properties.into_iter().flatten().enumerate() {
                if required.is_some_and(|r| r.contains(&json!(name))) || (pick >> index) & 1 == 0 {
                    object.insert(name.clone(), near(schema, random, depth + 1));
                }
            }
            if let Some(schema) = map.get("additionalProperties") {
                object.entry("e").or_insert_with(|| near(schema, random, depth + 1));
                if schema == &json!(false) {
                    object.remove("e");
                }
            }
            object.into()
        }
        Some("array") if map.get("maxItems") == Some(&json!(0)) => json!([]),
        Some("array") if depth < 5 => json!([near(&map["items"], random, depth + 1)]),
        Some("integer") => json!(5),
        Some("number") => json!(-2.5),
        Some("boolean") => json!(true),
        Some("string") => json!("abcd"),
        _ => random.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn laws_in_3_0(
        a in schema(Dialect::V3_0), b in schema(Dialect::V3_0), c in schema(Dialect::V3_0)
    ) {
        laws(&a, &b, &c, Dialect::V3_0)?;
    }

    #[test]
    fn laws_in_3_1(
        a in schema(Dialect::V3_1), b in schema(Dialect::V3_1), c in schema(Dialect::V3_1)
    ) {
        laws(&a, &b, &c, Dialect::V3_1)?;
    }

    #[test]
    fn what_either_accepts_the_join_accepts(
        a in schema(Dialect::V3_0), b in schema(Dialect::V3_0), random in value()
    ) {
        let joined = join(&a, &b, Dialect::V3_0);
        for value in [near(&a, &random, 0), near(&b, &random, 0), random] {
            if accepts(&a, &value, Dialect::V3_0, true) || accepts(&b, &value, Dialect::V3_0, true) {
                prop_assert!(
                    accepts(&joined, &value, Dialect::V3_0, false), "{} ⊔ {} = {} rejects {}", a, b, joined, value
                );
            }
        }
    }

    #[test]
    fn our_validator_agrees(a in schema(Dialect::V3_1), random in value()) {
        for value in [near(&a, &random, 0), random] {
            let root = json!({"openapi": "3.1.0", "s": a,
                "components": {"schemas": {"A": {"type": "string"}, "B": {"type": "integer", "minimum": 3}}}});
            let mut set = crate::schema::SchemaSet::default();
            let id = set.add(&root, "/s").expect("compiles");
            let ours = set.accepts(id, &value, crate::schema::Direction::Response);
            // HMT asserts formats, while the other validator only annotates them.
            let theirs = accepts(&a, &value, Dialect::V3_1, false);
            prop_assert!(ours == theirs || theirs && a.to_string().contains("format"), "{} {}", a, value);
        }
    }
}

#[test]
fn examples() {
    let join = |a, b| join(&a, &b, Dialect::V3_0);
    assert_eq!(
        join(
            json!({"type": "integer", "format": "int32"}),
            json!({"type": "string", "nullable": true})
        ),
        json!({"anyOf": [{"type": "integer", "format": "int32", "nullable": true}, {"type": "string"}]})
    );
    assert_eq!(
        join(json!({"$ref": "#/a"}), json!({"x-hmt-null-only": true})),
        json!({"anyOf": [{"$ref": "#/a"}, {"type": "object", "nullable": true, "enum": [null]}]})
    );
    assert_eq!(
        join(
            json!({"type": "string", "enum": ["b"]}),
            json!({"type": "string", "nullable": true, "enum": ["a", null]})
        ),
        json!({"type": "string", "nullable": true, "enum": ["a", "b", null]})
    );
    assert_eq!(
        join(
            json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "integer"}, "b": {}}}),
            json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}, "c": {"type": "string"}}}),
        ),
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}, "b": {}, "c": {"type": "string"}}})
    );
    assert_eq!(
        join(
            json!({"type": "array", "items": {}, "maxItems": 0}),
            json!({"type": "array", "items": {"type": "string"}})
        ),
        json!({"type": "array", "items": {"type": "string"}})
    );
}
