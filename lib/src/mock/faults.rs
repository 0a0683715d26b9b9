//! Rules for faults: which requests are delayed, refused or broken, and how often.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::Rng;
use rand_distr::{Distribution as _, LogNormal};
use serde_json::{Map, Value};

use crate::exchange::Pattern;
use crate::units::parse_duration;

use super::fault::DeliveryFault;

/// A rule: the requests that it applies to, and their faults. A rule of the command line has one
/// member besides the route.
#[derive(Clone, Debug, Default)]
pub struct FaultRule {
    /// A pattern on `METHOD template`, or on the template alone if it has no space; `None` for all
    /// requests.
    pub route: Option<RoutePattern>,
    /// Time before the response begins.
    pub delay: Option<Delay>,
    /// The rate of error responses.
    pub error_rate: Option<ErrorRate>,
    /// The fault in the delivery, and its rate.
    pub fault: Option<FaultRate>,
    /// The maximum number of requests in a time window; others get a 429.
    pub rate_limit: Option<RateLimit>,
}

/// The requests that a rule applies to.
#[derive(Clone, Debug)]
pub struct RoutePattern {
    text: String,
    pattern: Pattern,
    with_method: bool,
}

impl RoutePattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> RoutePattern {
        let with_method = text.contains(' ');
        // Any text is a valid pattern.
        let Ok(pattern) = text.parse::<Pattern>();
        RoutePattern { text: text.to_owned(), pattern, with_method }
    }

    /// True if the rule applies to requests of this operation: `METHOD template`.
    pub fn matches(&self, name: &str) -> bool {
        let template = name.split_once(' ').map_or(name, |(_, template)| template);
        self.pattern.matches(name) || !self.with_method && self.pattern.matches(template)
    }
}

/// A distribution of times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Always the same.
    Fixed(Duration),
    /// Uniform between the two.
    Range(Duration, Duration),
    /// Log-normal: the median, and the standard deviation of the logarithm.
    LogNormal(Duration, f64),
}

/// The maximum delay of a log-normal distribution, in medians. The distribution itself is
/// unbounded.
const LONGEST: f64 = 1000.0;

impl Delay {
    /// A random time of the distribution.
    pub fn sample(&self, rng: &mut impl Rng) -> Duration {
        match *self {
            Delay::Fixed(time) => time,
            Delay::Range(least, most) => {
                least + (most - least).mul_f64(rng.random_range(0.0..=1.0))
            }
            Delay::LogNormal(median, sigma) => {
                // The median of the factor is 1. A parsed deviation is finite and not negative.
                let factor = LogNormal::new(0.0, sigma).map_or(1.0, |factor| factor.sample(rng));
                median.mul_f64(factor.min(LONGEST))
            }
        }
    }
}

const DELAYS: &str = "write 200ms, 100ms..300ms or lognormal(200ms,0.5)";

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is not a delay; {DELAYS}");
        if let Some(inner) = text.strip_prefix("lognormal(").and_then(|t| t.strip_suffix(')')) {
            let (median, sigma) = inner.split_once(',').ok_or_else(wrong)?;
            let median = parse_duration(median.trim()).map_err(|_| wrong())?;
            let sigma: f64 = sigma.trim().parse().map_err(|_| wrong())?;
            let plausible = sigma.is_finite() && (0.0..=10.0).contains(&sigma);
            return if plausible { Ok(Delay::LogNormal(median, sigma)) } else { Err(wrong()) };
        }
        if let Some((least, most)) = text.split_once("..") {
            let [least, most] = [least, most].map(|time| parse_duration(time.trim()));
            let (least, most) = (least.map_err(|_| wrong())?, most.map_err(|_| wrong())?);
            return if least <= most { Ok(Delay::Range(least, most)) } else { Err(wrong()) };
        }
        parse_duration(text).map(Delay::Fixed).map_err(|_| wrong())
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delay::Fixed(time) => write!(f, "{}ms", time.as_millis()),
            Delay::Range(least, most) => {
                write!(f, "{}ms..{}ms", least.as_millis(), most.as_millis())
            }
            Delay::LogNormal(median, sigma) => {
                write!(f, "lognormal({}ms,{sigma})", median.as_millis())
            }
        }
    }
}

/// `P` or `P:STATUS`: the probability of an error, and its status.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorRate {
    /// From 0 to 1.
    pub probability: f64,
    /// 200 to 599; 500 by default.
    pub status: u16,
}

impl FromStr for ErrorRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rate, status) = text.split_once(':').unwrap_or((text, "500"));
        let status = status.parse().ok().filter(|status| (200..=599).contains(status));
        match (probability(rate), status) {
            (Some(probability), Some(status)) => Ok(ErrorRate { probability, status }),
            _ => Err(format!(
                "{text:?} is not an error rate; write a probability from 0 to 1 and, after a colon, a status from 200 to \
                 599, as in 0.1:503"
            )),
        }
    }
}

impl fmt::Display for ErrorRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.probability, self.status)
    }
}

/// `FAULT` or `FAULT@P`: a fault and its probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultRate {
    /// The fault.
    pub fault: DeliveryFault,
    /// From 0 to 1; 1 by default.
    pub probability: f64,
}

impl FromStr for FaultRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (fault, rate) = text.split_once('@').unwrap_or((text, "1"));
        let fault = fault.parse()?;
        match probability(rate) {
            Some(probability) => Ok(FaultRate { fault, probability }),
            None => Err(format!("{rate:?} is not a probability from 0 to 1, as in reset@0.1")),
        }
    }
}

impl fmt::Display for FaultRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.probability < 1.0 {
            write!(f, "{}@{}", self.fault, self.probability)
        } else {
            write!(f, "{}", self.fault)
        }
    }
}

/// `N/DURATION`: at most N requests in each window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Maximum number of requests in a window.
    pub requests: u64,
    /// The length of a window.
    pub window: Duration,
}

impl FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (requests, window) = text.split_once('/')?;
            // `10/s` means `10/1s`.
            let window = match window {
                "ms" | "s" | "m" | "h" => parse_duration(&format!("1{window}")),
                _ => parse_duration(window),
            };
            let window = window.ok().filter(|window| !window.is_zero())?;
            Some(RateLimit { requests: requests.parse().ok()?, window })
        };
        read().ok_or_else(|| format!("{text:?} is not a rate limit; write N/DURATION, as in 10/1s"))
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}ms", self.requests, self.window.as_millis())
    }
}

fn probability(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|p| (0.0..=1.0).contains(p))
}

/// `[ROUTE=]VALUE`, as in the flags.
///
/// # Errors
/// What is wrong with the value.
pub fn routed<T: FromStr<Err = String>>(text: &str) -> Result<(Option<RoutePattern>, T), String> {
    match text.rsplit_once('=') {
        Some((route, value)) => Ok((Some(RoutePattern::new(route)), value.parse()?)),
        None => Ok((None, text.parse()?)),
    }
}

impl FaultRule {
    /// Reads a rule of the admin port: `{"route"?, "delay"?, "errorRate"?, "fault"?,
    /// "rateLimit"?}`.
    ///
    /// # Errors
    /// The member that is wrong, and why.
    pub fn from_json(value: &Value) -> Result<FaultRule, String> {
        let Value::Object(members) = value else {
            return Err("a rule must be an object".to_owned());
        };
        let mut rule = FaultRule::default();
        for (name, value) in members {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Number(number) if name == "errorRate" => number.to_string(),
                _ => return Err(format!("{name} must be a string")),
            };
            let wrong = |why: String| format!("{name}: {why}");
            match name.as_str() {
                "route" => rule.route = Some(RoutePattern::new(&text)),
                "delay" => rule.delay = Some(text.parse().map_err(wrong)?),
                "errorRate" => rule.error_rate = Some(text.parse().map_err(wrong)?),
                "fault" => rule.fault = Some(text.parse().map_err(wrong)?),
                "rateLimit" => rule.rate_limit = Some(text.parse().map_err(wrong)?),
                _ => {
                    let known = "route, delay, errorRate, fault and rateLimit";
                    return Err(format!("a rule has no member {name}; it has {known}"));
                }
            }
        }
        Ok(rule)
    }

    /// The rule as the admin port shows it.
    pub fn to_json(&self) -> Value {
        let members = [
            ("route", self.route.as_ref().map(|route| route.text.clone())),
            ("delay", self.delay.map(|delay| delay.to_string())),
            ("errorRate", self.error_rate.map(|rate| rate.to_string())),
            ("fault", self.fault.map(|fault| fault.to_string())),
            ("rateLimit", self.rate_limit.map(|limit| limit.to_string())),
        ];
        let present = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Value::Object(
            present.map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>(),
        )
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_xoshiro::Xoshiro256PlusPlus;
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_shown_as_they_are_read() {
        for rule in [
            json!({"route": "GET /pets", "delay": "200ms"}),
            json!({"delay": "100ms..300ms", "errorRate": "0.5:503"}),
            json!({"delay": "lognormal(200ms,0.5)", "fault": "reset@0.25"}),
            json!({"fault": "slow:100", "rateLimit": "3/1000ms"}),
        ] {
            assert_eq!(FaultRule::from_json(&rule).unwrap().to_json(), rule);
        }
        let rule = FaultRule::from_json(&json!({"errorRate": 1, "rateLimit": "5/s"})).unwrap();
        assert_eq!(rule.to_json(), json!({"errorRate": "1:500", "rateLimit": "5/1000ms"}));
    }

    #[test]
    fn wrong_rules_are_explained() {
        for (rule, why) in [
            (json!([]), "object"),
            (json!({"delay": "soon"}), "200ms"),
            (json!({"delay": "3s..1s"}), "200ms"),
            (json!({"delay": 5}), "must be a string"),
            (json!({"delay": "lognormal(1s,-1)"}), "lognormal"),
            (json!({"errorRate": "1.5"}), "0 to 1"),
            (json!({"errorRate": "NaN"}), "0 to 1"),
            (json!({"errorRate": "0.5:99"}), "status"),
            (json!({"fault": "reset@2"}), "probability"),
            (json!({"rateLimit": "10"}), "N/DURATION"),
            (json!({"rateLimit": "10/0s"}), "N/DURATION"),
            (json!({"latency": "1s"}), "rateLimit"),
        ] {
            let error = FaultRule::from_json(&rule).unwrap_err();
            assert!(error.contains(why), "{rule}: {error}");
        }
    }

    #[test]
    fn routes_are_patterns_on_method_and_template() {
        let matches = |route: &str| RoutePattern::new(route).matches("GET /pets/{id}");
        assert!(matches("GET /pets/*") && matches("* /pets/{id}") && matches("/pets/*"));
        assert!(matches("*") && matches("*/{id}") && matches("GET*"));
        assert!(!matches("POST /pets/*") && !matches("/pets") && !matches("GET /pets"));
    }

    #[test]
    fn the_figure_of_a_log_normal_delay_is_the_median() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        let delay: Delay = "lognormal(200ms,0.5)".parse().unwrap();
        let mut times: Vec<f64> =
            (0..10_001).map(|_| delay.sample(&mut rng).as_secs_f64()).collect();
        times.sort_by(f64::total_cmp);
        assert!((0.19..0.21).contains(&times[5_000]), "{}", times[5_000]);
        // One standard deviation above the median.
        assert!((0.31..0.35).contains(&times[8_413]), "{}", times[8_413]);
        let delay: Delay = "100ms..300ms".parse().unwrap();
        let times = || (0..1000).map(|_| delay.sample(&mut Xoshiro256PlusPlus::from_os_rng()));
        assert!(times().all(|time| (100..=300).contains(&time.as_millis())));
    }
}
