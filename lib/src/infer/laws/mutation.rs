//! Checks the tests of the laws: each must fail for the mistake that it guards against.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{TestCaseResult, TestRunner};

use super::traffic::{exchange, limits};
use super::{config, sharded, shuffled};
use crate::infer::Mode;
use crate::infer::mutant::{Mutant, with};

/// Runs a law on as many cases as its test does; true if one of them failed.
pub(crate) fn fails<S: Strategy>(input: &S, law: impl Fn(S::Value) -> TestCaseResult) -> bool {
    let settings = ProptestConfig {
        cases: 384,
        // The counterexample does not matter.
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new_with_rng(
        settings,
        proptest::test_runner::TestRng::deterministic_rng(Default::default()),
    )
    .run(input, law)
    .is_err()
}

fn order_fails() -> bool {
    fails(&(shuffled(), limits()), |((one, other), limits)| {
        super::order_does_not_matter(&one, &other, &config(limits, 0))
    })
}

fn shards_fail() -> bool {
    let merges = prop::collection::vec(any::<Index>(), 8);
    fails(&(sharded(), merges, limits()), |(all, merges, limits)| {
        super::shards_merge_to_the_whole(&all, &merges, &config(limits, 0))
    })
}

fn coarsening_fails() -> bool {
    fails(&(prop::collection::vec(exchange(), 0..24), limits(), 0u32..4), |(all, limits, level)| {
        super::coarsening_is_folding_under_lower_caps(&all, &limits, level)
    })
}

#[test]
fn keeping_what_came_first_is_noticed() {
    assert!(with(Mutant::Arrival, order_fails));
    assert!(with(Mutant::Arrival, shards_fail));
}

#[test]
fn counting_for_the_rest_what_a_key_knew_of_itself_is_noticed() {
    assert!(with(Mutant::Undemoted, order_fails));
    assert!(with(Mutant::Undemoted, shards_fail));
    assert!(with(Mutant::Undemoted, coarsening_fails));
}

#[test]
fn keeping_apart_the_tags_that_came_first_is_noticed() {
    assert!(with(Mutant::FirstTags, order_fails));
    assert!(with(Mutant::FirstTags, shards_fail));
    assert!(with(Mutant::FirstTags, coarsening_fails));
}

#[test]
fn a_valve_on_the_size_of_the_state_is_noticed() {
    assert!(with(Mutant::Size, order_fails));
}

#[test]
fn a_valve_that_does_not_see_the_rest_is_noticed() {
    assert!(with(Mutant::RestUnseen, order_fails));
    assert!(with(Mutant::RestUnseen, || {
        fails(&(prop::collection::vec(exchange(), 0..24), limits()), |(all, limits)| {
            super::every_place_is_counted(&all, &crate::infer::Config { mode: Mode::Gen, limits })
        })
    }));
}
