//! The law, for random schemas.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Subject;

/// Schemas with many keywords; most have values, and the plan's warnings name those without.
fn schema() -> impl Strategy<Value = Value> {
    let small = 0..6_i64;
    let integer = (
        prop::option::of(-20..20_i64),
        prop::option::of(small.clone()),
        prop::option::of(1..7_i64),
        any::<bool>(),
    )
        .prop_map(|(min, span, step, exclusive)| {
            let mut schema = json!({"type": "integer"});
            if let Some(min) = min {
                schema[if exclusive { "exclusiveMinimum" } else { "minimum" }] = json!(min);
                if let Some(span) = span {
                    schema["maximum"] = json!(min + span + 7);
                }
            }
            if let Some(step) = step {
                schema["multipleOf"] = json!(step);
            }
            schema
        });
    // There are no negative multiples of fractions, because the other validator wrongly refuses
    // them.
    let number = (-50..50_i64, 1..50_i64, prop::option::of(prop::sample::select(vec![0.1, 0.25, 0.01, 1.0, 2.5])))
        .prop_map(|(low, span, step)| {
            let low = if step.is_some() { low.abs() } else { low };
            let mut schema = json!({"type": "number", "minimum": low as f64 / 4.0, "exclusiveMaximum": (low + span) as f64 / 4.0 + 3.0});
            if let Some(step) = step {
                schema["multipleOf"] = json!(step);
            }
            schema
        });
    let text = (
        0..6_u64,
        0..20_u64,
        prop::option::of(prop::sample::select(vec!["^[a-z]*$", "[0-9]", "^x.*y$", "^(a|bc)+$"])),
    )
        .prop_map(|(min, span, pattern)| {
            let mut schema =
                json!({"type": "string", "minLength": min, "maxLength": min + span + 2});
            if let Some(pattern) = pattern {
                schema["pattern"] = json!(pattern);
            }
            schema
        });
    // Only formats that the other validator checks are used; otherwise the results for `not` would
    // differ.
    let format = prop::sample::select(vec![
        "date-time",
        "date",
        "uuid",
        "email",
        "uri",
        "ipv4",
        "hostname",
        "duration",
    ])
    .prop_map(|name| json!({"type": "string", "format": name}));
    let constants = prop::collection::vec(
        prop_oneof![
            Just(json!(null)),
            any::<i8>().prop_map(|n| json!(n)),
            "[a-c]{1,2}".prop_map(Value::from)
        ],
        1..5,
    )
    .prop_map(|values| json!({"enum": values}));
    let leaf = prop_oneof![
        integer,
        number,
        text,
        format,
        constants,
        Just(json!({})),
        Just(json!({"type": "boolean"})),
        Just(json!({"type": ["string", "null"]})),
        Just(json!({"$ref": "#/components/schemas/Other"})),
        Just(json!({"$ref": "#/components/schemas/Node"})),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names = prop::sample::select(vec!["a", "b", "c", "email", "price"]);
        let object = (
            prop::collection::btree_map(names.clone(), inner.clone(), 0..4),
            prop::collection::btree_set(names, 0..3),
            prop_oneof![Just(None), Just(Some(json!(false))), inner.clone().prop_map(Some)],
            prop::option::of(0..3_u64),
            any::<bool>(),
        )
            .prop_map(|(properties, required, additional, min, typed)| {
                let mut schema = json!({"properties": properties, "required": required.iter().filter(|name| properties.contains_key(*name)).collect::<Vec<_>>()});
                if typed {
                    schema["type"] = json!("object");
                }
                if let Some(additional) = additional {
                    schema["additionalProperties"] = additional;
                }
                if let Some(min) = min {
                    schema["minProperties"] = json!(min);
                }
                schema
            });
        let array = (inner.clone(), 0..3_u64, prop::option::of(0..4_u64), any::<bool>()).prop_map(|(items, min, span, unique)| {
            let mut schema = json!({"type": "array", "items": items, "minItems": min});
            if let Some(span) = span {
                schema["maxItems"] = json!(min + span);
            }
            if unique {
                schema["uniqueItems"] = json!(true);
            }
            schema
        });
        let some = prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            3 => object,
            2 => array,
            1 => some.clone().prop_map(|all| json!({"allOf": all})),
            1 => some.clone().prop_map(|any| json!({"anyOf": any})),
            1 => some.prop_map(|one| json!({"oneOf": one})),
            1 => (inner.clone(), inner.clone()).prop_map(|(not, schema)| json!({"allOf": [schema], "not": not})),
            1 => (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| json!({"if": a, "then": b, "else": c})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_generated_is_valid(root in schema(), other in schema()) {
        let subject = Subject::new(json!({
            "Root": root,
            // Not `other` itself: a schema that contains itself would send the other validator into
            // an endless loop.
            "Other": {"type": "object", "properties": {"other": other}},
            "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "v": {"type": "integer"}}},
        }));
        let satisfiable = subject.plan.warnings().is_empty();
        for seed in 0..10 {
            let problem = subject.invalid(seed);
            prop_assert!(!satisfiable || problem.is_none(), "{}", problem.unwrap_or_default());
        }
    }
}
