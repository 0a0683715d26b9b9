//! The current fault rules, with their counters.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::fault::Delivery;
use super::super::faults::FaultRule;

/// The faults of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::mock) struct Outcome {
    pub(in crate::mock) delivery: Delivery,
    pub(in crate::mock) refusal: Option<FaultRefusal>,
}

/// An answer that replaces the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) enum FaultRefusal {
    /// An error of this status.
    Error(u16),
    /// 429. The next window begins after this time.
    Limited(Duration),
}

/// Rules, with the state of their rate limits and the random generator.
#[derive(Debug)]
pub(in crate::mock) struct Faults {
    /// Most mocks have no rules, and their requests need no lock.
    active: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rules: Vec<Limited>,
    rng: Xoshiro256PlusPlus,
}

/// A rule, and the window of its rate limit: when it began, and the requests in it.
#[derive(Debug)]
struct Limited {
    rule: FaultRule,
    window: Option<(Instant, u64)>,
}

impl Faults {
    pub(super) fn new(seed: Option<u64>) -> Faults {
        let rng = match seed {
            Some(seed) => Xoshiro256PlusPlus::seed_from_u64(seed),
            None => Xoshiro256PlusPlus::from_os_rng(),
        };
        let state = Mutex::new(State { rules: Vec::new(), rng });
        Faults { active: AtomicBool::new(false), state }
    }

    /// Replaces the rules. The windows of rate limits start again.
    pub(in crate::mock) fn replace(&self, rules: Vec<FaultRule>) {
        self.active.store(!rules.is_empty(), Ordering::Relaxed);
        self.with(|state| {
            state.rules = rules.into_iter().map(|rule| Limited { rule, window: None }).collect();
        });
    }

    /// False if there is no rule.
    pub(in crate::mock) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    pub(in crate::mock) fn rules(&self) -> Vec<FaultRule> {
        self.with(|state| state.rules.iter().map(|limited| limited.rule.clone()).collect())
    }

    /// The faults of a request to an operation. Delays add up. Only the first rule that refuses or
    /// breaks it is applied.
    pub(in crate::mock) fn outcome(&self, name: &str, now: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        self.with(|State { rules, rng }| {
            for limited in rules {
                let rule = &limited.rule;
                if !rule.route.as_ref().is_none_or(|route| route.matches(name)) {
                    continue;
                }
                if let Some(limit) = rule.rate_limit {
                    let (began, count) = limited.window.get_or_insert((now, 0));
                    if now.duration_since(*began) >= limit.window {
                        (*began, *count) = (now, 0);
                    }
                    *count += 1;
                    if *count > limit.requests {
                        let wait = limit.window.saturating_sub(now.duration_since(*began));
                        outcome.refusal.get_or_insert(FaultRefusal::Limited(wait));
                    }
                }
                if let Some(delay) = &rule.delay {
                    outcome.delivery.delay += delay.sample(rng);
                }
                // A random number is drawn for every request, so that the sequence does not depend
                // on earlier rules.
                if let Some(rate) = rule.error_rate
                    && rng.random_bool(rate.probability)
                {
                    outcome.refusal.get_or_insert(FaultRefusal::Error(rate.status));
                }
                if let Some(rate) = rule.fault
                    && rng.random_bool(rate.probability)
                {
                    outcome.delivery.fault.get_or_insert(rate.fault);
                }
            }
        });
        outcome
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::fault::DeliveryFault;
    use super::*;

    fn faults(rules: &Value) -> Faults {
        let faults = Faults::new(Some(1));
        let rules =
            rules.as_array().unwrap().iter().map(|rule| FaultRule::from_json(rule).unwrap());
        faults.replace(rules.collect());
        faults
    }

    #[test]
    fn rules_concern_their_route_and_add_up() {
        let faults = faults(&json!([
            {"delay": "100ms"},
            {"route": "GET /pets", "delay": "50ms", "fault": "reset"},
            {"route": "GET *", "fault": "empty"},
            {"route": "POST *", "errorRate": "1:503"},
        ]));
        let now = Instant::now();
        let outcome = faults.outcome("GET /pets", now);
        assert_eq!(outcome.delivery.delay, Duration::from_millis(150));
        assert_eq!((outcome.delivery.fault, outcome.refusal), (Some(DeliveryFault::Reset), None));
        let outcome = faults.outcome("POST /pets", now);
        assert_eq!(outcome.delivery.delay, Duration::from_millis(100));
        assert_eq!(outcome.refusal, Some(FaultRefusal::Error(503)));
        faults.replace(Vec::new());
        assert_eq!(faults.outcome("POST /pets", now), Outcome::default());
    }

    #[test]
    fn a_rate_limit_counts_within_its_window() {
        let faults = faults(&json!([{"rateLimit": "2/10s"}]));
        let begin = Instant::now();
        let refused = |after| faults.outcome("GET /", begin + Duration::from_secs(after)).refusal;
        assert_eq!((refused(0), refused(1)), (None, None));
        assert_eq!(refused(4), Some(FaultRefusal::Limited(Duration::from_secs(6))));
        assert_eq!(refused(10), None);
    }

    #[test]
    fn with_a_seed_faults_fall_the_same() {
        let run = || {
            let faults = faults(&json!([{"errorRate": "0.5", "delay": "0ms..100ms"}]));
            (0..20).map(|_| faults.outcome("GET /", Instant::now())).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
        let refused = run().iter().filter(|outcome| outcome.refusal.is_some()).count();
        assert!((1..20).contains(&refused));
    }
}
