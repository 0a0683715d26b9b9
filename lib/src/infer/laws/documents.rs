//! Laws of the document that is written for a state.

use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};

use super::soundness::is_sound;
use super::traffic::{exchange, limits};
use super::{Exchanges, config, folded};
use crate::infer::{Builder, Limits, Mode, Options, StateConfig};

/// The schema of OpenAPI 3.0 documents that the OpenAPI Initiative publishes (2021-09-28, Apache
/// 2.0).
static OPENAPI: LazyLock<Validator> = LazyLock::new(|| {
    let text = include_str!("../../../../tests/fixtures/openapi-3.0-schema.json");
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::draft4::new(&schema).expect("the schema is one")
});

pub(super) fn is_openapi(document: &Value) -> TestCaseResult {
    let wrong = OPENAPI.iter_errors(document).next();
    prop_assert!(
        wrong.is_none(),
        "{:?} at {:?}\n{:#}",
        wrong.as_ref().map(ToString::to_string),
        wrong.as_ref().map(|error| error.instance_path.to_string()),
        document
    );
    Ok(())
}

/// Each document is OpenAPI, with any options.
fn documents_are_openapi(all: &Exchanges, config: &StateConfig) -> TestCaseResult {
    let builder = folded(all, config);
    is_openapi(&builder.clone().finalise(&Options::default()))?;
    let all = Options { evidence: true, tight: true, examples: true, ..Options::default() };
    is_openapi(&builder.finalise(&all))
}

/// What was valid stays valid with more traffic. `unite` merges the two.
fn more_traffic_only_widens(
    one: &Exchanges,
    other: &Exchanges,
    config: &StateConfig,
    unite: impl Fn(Builder, Builder) -> Builder,
) -> TestCaseResult {
    let before = folded(one, config).finalise(&Options::default());
    let after = unite(folded(one, config), folded(other, config)).finalise(&Options::default());
    for exchange in one.iter().filter(|exchange| is_sound(&before, exchange)) {
        prop_assert!(
            is_sound(&after, exchange),
            "{:?}\nbefore {:#}\nafter {:#}",
            exchange,
            before,
            after
        );
    }
    Ok(())
}

/// The same input again changes only what depends on counts, such as sets of values,
/// templates and tables of names. Without these, `fold` of everything twice is the same as once.
fn twice_is_as_once(all: &Exchanges, twice: &Exchanges, config: &StateConfig) -> TestCaseResult {
    let document = |exchanges| folded(exchanges, config).finalise(&Options::default());
    let (once, twice) = (document(all), document(twice));
    let paths = |root: &Value| -> Vec<String> {
        root["paths"].as_object().into_iter().flat_map(|paths| paths.keys().cloned()).collect()
    };
    if paths(&once) == paths(&twice) {
        prop_assert_eq!(without_counted(&once), without_counted(&twice));
    }
    Ok(())
}

/// A document without the parts decided by counts, with components inlined.
fn without_counted(root: &Value) -> Value {
    fn walk(value: &Value, root: &Value, depth: usize) -> Value {
        match value {
            Value::Object(map) => {
                if let Some(name) = map.get("$ref").and_then(Value::as_str)
                    && let Some(name) = name.strip_prefix("#/components/schemas/")
                {
                    return if depth > 24 {
                        json!({})
                    } else {
                        walk(&root["components"]["schemas"][name], root, depth + 1)
                    };
                }
                let counted = |key: &str| matches!(key, "enum" | "components");
                let kept = map.iter().filter(|(key, _)| !counted(key));
                kept.map(|(key, value)| (key.clone(), walk(value, root, depth))).collect()
            }
            Value::Array(items) => items.iter().map(|item| walk(item, root, depth)).collect(),
            other => other.clone(),
        }
    }
    walk(root, root, 0)
}

fn doubled(all: &Exchanges) -> Exchanges {
    all.iter().chain(all).cloned().collect()
}

/// The limits for judging soundness with small caps; see there.
fn judged(limits: &Limits) -> Limits {
    Limits { segments: 24, pairs: 1024, ..limits.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 32,
        rng_seed: super::seed(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_document_is_openapi(all in prop::collection::vec(exchange(), 0..16), limits in limits(), mode in 0u8..3) {
        documents_are_openapi(&all, &config(limits, mode))?;
        documents_are_openapi(&all, &StateConfig::new(Mode::Gen))?;
    }

    #[test]
    fn what_was_valid_stays_valid(
        one in prop::collection::vec(exchange(), 0..12),
        other in prop::collection::vec(exchange(), 0..12),
        limits in limits(),
    ) {
        let both = |mut one: Builder, other| { one.merge(other); one };
        more_traffic_only_widens(&one, &other, &config(judged(&limits), 0), both)?;
    }

    #[test]
    fn the_same_again_adds_nothing(all in prop::collection::vec(exchange(), 0..12), limits in limits()) {
        twice_is_as_once(&all, &doubled(&all), &config(limits, 0))?;
        twice_is_as_once(&all, &doubled(&all), &StateConfig::new(Mode::Gen))?;
    }
}

/// The tests can fail: if one side of a merge is dropped, if other input counts as the same, or if
/// a document lacks what OpenAPI requires.
#[test]
fn mistakes_are_noticed() {
    use super::fails;
    let some = || prop::collection::vec(exchange(), 4..12);
    let config = StateConfig::new(Mode::Gen);
    assert!(fails(&(some(), some()), |(one, other)| {
        more_traffic_only_widens(&one, &other, &config, |_, other| other)
    }));
    assert!(fails(&(some(), some()), |(one, other)| twice_is_as_once(&one, &other, &config)
        .and_then(|()| twice_is_as_once(&one, &[one.clone(), other].concat(), &config))));
    assert!(fails(&some(), |all| {
        let mut document = folded(&all, &config).finalise(&Options::default());
        let paths = document["paths"].as_object_mut().into_iter().flat_map(|all| all.values_mut());
        for operation in paths
            .flat_map(|item| item.as_object_mut().into_iter().flat_map(|item| item.values_mut()))
        {
            if let Some(Value::Object(answers)) = operation.get_mut("responses") {
                answers.values_mut().for_each(|answer| *answer = json!({}));
            }
        }
        is_openapi(&document)
    }));
}
