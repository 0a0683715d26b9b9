//! The laws of the state, with caps so small that every run exceeds them.
//!
//! Each law is a function of its input, so that a test can check that it fails for a wrong
//! function. `scripts/nightly` checks that the laws notice mistakes in the state and the sketches.

mod documents;
mod hostile;
mod soundness;
mod syntax_tests;
mod traffic;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngSeed, TestCaseResult, TestRng, TestRunner};

use super::config::Limits;
use super::sketch::{Hll, Merge as _};
use super::state::{Tapes, places, split_path};
use super::{Builder, Mode, Options, Partial, StateConfig};
use crate::exchange::Exchange;

pub(crate) use traffic::{exchange, limits};

pub(crate) type Exchanges = Vec<Exchange<'static>>;

fn folded(exchanges: &[Exchange<'static>], config: &StateConfig) -> Builder {
    let mut builder = Builder::new(config.clone());
    for exchange in exchanges {
        builder.fold(exchange);
    }
    builder
}

fn config(limits: Limits, mode: u8) -> StateConfig {
    let mode = [Mode::Gen, Mode::Replay, Mode::Mixed][usize::from(mode % 3)];
    StateConfig { mode, limits }
}

/// Exchanges, and the same ones in another order.
fn shuffled() -> impl Strategy<Value = (Exchanges, Exchanges)> {
    prop::collection::vec(exchange(), 0..24)
        .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
}

/// Exchanges, each with the shard that folds it.
fn sharded() -> impl Strategy<Value = Vec<(Exchange<'static>, usize)>> {
    prop::collection::vec((exchange(), 0usize..5), 0..30)
}

fn order_does_not_matter(
    one: &Exchanges,
    other: &Exchanges,
    config: &StateConfig,
) -> TestCaseResult {
    let (one, other) = (folded(one, config), folded(other, config));
    prop_assert_eq!(one.to_partial(), other.to_partial());
    let options = Options { evidence: true, tight: true, examples: true, ..Options::default() };
    prop_assert_eq!(one.finalise(&options).to_string(), other.finalise(&options).to_string());
    Ok(())
}

/// `merges` says which shard is merged into which.
fn shards_merge_to_the_whole(
    all: &[(Exchange<'static>, usize)],
    merges: &[Index],
    config: &StateConfig,
) -> TestCaseResult {
    let exchanges: Exchanges = all.iter().map(|(exchange, _)| exchange.clone()).collect();
    let whole = folded(&exchanges, config).to_partial();
    let mut shards: Vec<Builder> = (0..5)
        .map(|shard| {
            let part = all.iter().filter(|(_, s)| *s == shard);
            folded(&part.map(|(exchange, _)| exchange.clone()).collect::<Vec<_>>(), config)
        })
        .collect();
    for choice in merges {
        if shards.len() < 2 {
            break;
        }
        let taken = shards.swap_remove(choice.index(shards.len()));
        let into = choice.index(shards.len());
        // Half of the merges go through the serialised form.
        if into % 2 == 0 {
            let partial =
                Partial::parse(taken.to_partial().as_bytes()).expect("what was written is read");
            shards[into].add(partial).expect("the configuration is the same");
        } else {
            shards[into].merge(taken);
        }
    }
    prop_assert_eq!(shards.len(), 1);
    prop_assert_eq!(shards[0].to_partial(), whole);
    Ok(())
}

/// `coarsen(S_K) == S_K'`, for `K' = K / 2^level`.
fn coarsening_is_folding_under_lower_caps(
    all: &Exchanges,
    limits: &Limits,
    level: u32,
) -> TestCaseResult {
    let open = Limits { places: u64::MAX, ..limits.clone() };
    let lower = open.lowered(level);
    let mut state = folded(all, &config(open.clone(), 2)).state;
    state.coarsen(&lower);
    prop_assert_eq!(state, folded(all, &config(lower, 2)).state);
    Ok(())
}

/// All places of all exchanges are counted, although the fold examines only some exchanges.
fn every_place_is_counted(all: &Exchanges, config: &StateConfig) -> TestCaseResult {
    let (mut every, mut tapes) = (Hll::default(), Tapes::default());
    let limits = &config.limits;
    // Longer paths are not examined.
    let short = |exchange: &&Exchange<'_>| {
        split_path(&exchange.request.pathname).0.len() <= limits.segments
    };
    for exchange in all.iter().filter(short) {
        tapes.forget();
        places(exchange, &mut tapes, limits, &mut |place| {
            every.insert(place, limits.place_bits);
        });
    }
    prop_assert_eq!(&folded(all, config).state.places, &every);
    Ok(())
}

/// Runs a law on as many cases as its test does; true if one of them failed.
pub(crate) fn fails<S: Strategy>(input: &S, law: impl Fn(S::Value) -> TestCaseResult) -> bool {
    let settings = ProptestConfig {
        cases: 384,
        // The counterexample does not matter.
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(settings.rng_algorithm);
    TestRunner::new_with_rng(settings, rng).run(input, law).is_err()
}

/// The seed of the laws that are tested with fixed cases. `HMT_LAWS_SEED` asks for other cases.
fn seed() -> RngSeed {
    let given = std::env::var("HMT_LAWS_SEED").ok().and_then(|seed| seed.parse().ok());
    RngSeed::Fixed(given.unwrap_or(7))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn order((sorted, shuffled) in shuffled(), limits in limits(), mode in 0u8..3) {
        order_does_not_matter(&sorted, &shuffled, &config(limits, mode))?;
    }

    #[test]
    fn shards(all in sharded(), merges in prop::collection::vec(any::<Index>(), 8), limits in limits(), mode in 0u8..3) {
        shards_merge_to_the_whole(&all, &merges, &config(limits, mode))?;
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn coarsening(all in prop::collection::vec(exchange(), 0..24), limits in limits(), level in 0u32..4) {
        coarsening_is_folding_under_lower_caps(&all, &limits, level)?;
    }

    #[test]
    fn places_are_counted_whatever_the_caps(all in prop::collection::vec(exchange(), 0..24), limits in limits()) {
        every_place_is_counted(&all, &config(limits, 0))?;
        every_place_is_counted(&all, &StateConfig::new(Mode::Gen))?;
    }

    /// More input never raises the caps again.
    #[test]
    fn the_valve_is_monotone(all in prop::collection::vec(exchange(), 0..24), cut in any::<Index>(), limits in limits()) {
        let part = &all[..cut.index(all.len() + 1)];
        let config = config(limits, 0);
        let places = |exchanges| folded(exchanges, &config).state.places.estimate();
        prop_assert!(places(part) <= places(&all));
    }

    #[test]
    fn nothing_is_neutral(all in prop::collection::vec(exchange(), 0..12), limits in limits()) {
        let config = config(limits, 2);
        let (mut left, mut right) = (folded(&[], &config), folded(&all, &config));
        let line = right.to_partial();
        left.merge(folded(&all, &config));
        right.merge(folded(&[], &config));
        prop_assert_eq!(left.to_partial(), &*line);
        prop_assert_eq!(right.to_partial(), line);
    }

    #[test]
    fn a_partial_is_canonical(all in prop::collection::vec(exchange(), 0..12), limits in limits()) {
        let config = config(limits, 2);
        let line = folded(&all, &config).to_partial();
        let mut again = Builder::new(config);
        again.add(Partial::parse(line.as_bytes()).expect("what was written is read")).expect("same configuration");
        prop_assert_eq!(&again.to_partial(), &line);
        let value: serde_json::Value = serde_json::from_str(&line).expect("a partial is JSON");
        prop_assert!(canonical(&value), "keys sorted, no fractions: {}", line);
    }
}

fn canonical(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(map) => map.keys().is_sorted() && map.values().all(canonical),
        serde_json::Value::Array(items) => items.iter().all(canonical),
        serde_json::Value::Number(number) => !number.is_f64(),
        _ => true,
    }
}

/// Many word values in paths must not lower the caps so that common response properties are lost.
#[test]
fn names_of_users_do_not_close_the_valve() {
    let body = |n: u32| {
        let fields: Vec<String> = (0..40).map(|i| format!("\\\"field{i}\\\":{n}")).collect();
        format!("{{{}}}", fields.join(","))
    };
    let mut builder = Builder::new(StateConfig::new(Mode::Gen));
    let mut name = 0u64;
    for n in 0..40_000 {
        name = name.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let letters: String =
            (0..10).map(|i| char::from(b'a' + (name >> (20 + 4 * i)) as u8 % 16)).collect();
        let line = format!(
            r#"{{"request":{{"method":"get","host":"a","path":"/users/{letters}"}},"response":{{"statusCode":200,"headers":{{"content-type":"application/json"}},"body":"{}"}}}}"#,
            body(n)
        );
        builder.fold(&crate::exchange::parse_line(line.as_bytes()).expect("an exchange"));
    }
    let (places, halved) = builder.counts().places;
    assert!(halved == 0 && places < 20_000, "{places}");
}
