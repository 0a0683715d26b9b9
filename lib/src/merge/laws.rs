//! For inferred specs, merging is idempotent and commutative, and associative except for
//! the names of operations.

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseResult};
use serde_json::{Map, Value};

use super::{ConflictPolicy, specs};
use crate::infer::laws::{Exchanges, exchange, fails, limits};
use crate::infer::{Builder, Limits, Mode, Options, StateConfig};
use crate::spec::{Document, Format, Version, to_text};

fn document(root: Value) -> Document {
    Document { root, source: "inferred".to_owned(), version: Version::V3_0, warnings: Vec::new() }
}

fn inferred(exchanges: &Exchanges, limits: &Limits) -> Document {
    let mut builder =
        Builder::new(StateConfig { limits: limits.clone(), ..StateConfig::new(Mode::Gen) });
    for exchange in exchanges {
        builder.fold(exchange);
    }
    document(builder.finalise(&Options::default()))
}

fn traffic() -> impl Strategy<Value = ([Exchanges; 3], Limits)> {
    let some = || prop::collection::vec(exchange(), 0..8);
    ([some(), some(), some()], limits())
}

fn merging_is_a_join(
    all: &[Exchanges; 3],
    limits: &Limits,
    policy: ConflictPolicy,
) -> TestCaseResult {
    let [a, b, c] = all.each_ref().map(|part| inferred(part, limits));
    let merge = |x: &Document, y: &Document| {
        document(specs(&[x.clone(), y.clone()], policy).expect("merges"))
    };
    let text = |spec: &Document| to_text(&spec.root, Format::Yaml);
    prop_assert_eq!(text(&merge(&a, &a)), text(&a), "a spec with itself is itself");
    let both = merge(&a, &b);
    prop_assert_eq!(text(&both), text(&merge(&b, &a)), "the order does not matter");
    let again = merge(&both, &b);
    prop_assert_eq!(
        text(&unnamed(again)),
        text(&unnamed(both.clone())),
        "what is in it adds nothing"
    );
    let (left, right) = (merge(&both, &c), merge(&a, &merge(&b, &c)));
    prop_assert_eq!(text(&unnamed(left)), text(&unnamed(right)), "nor the grouping");
    Ok(())
}

/// Removes the names of operations: which of two equal ones gets a number depends on the order of
/// merging.
fn unnamed(mut spec: Document) -> Document {
    let paths = spec.root["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    for operation in paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        if let Value::Object(operation) = operation {
            operation.shift_remove("operationId");
        }
    }
    spec
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn merging_what_was_inferred_is_a_join((all, limits) in traffic()) {
        merging_is_a_join(&all, &limits, ConflictPolicy::Union)?;
    }
}

/// A policy that prefers a side is not a join.
#[test]
fn mistakes_are_noticed() {
    assert!(fails(&traffic(), |(all, limits)| merging_is_a_join(
        &all,
        &limits,
        ConflictPolicy::First
    )));
}
