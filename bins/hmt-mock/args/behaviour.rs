//! Arguments for overrides, faults, and the journal.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Args;
use hmt_core::mock::{
    Delay, ErrorRate, FaultRate, FaultRule, Override, RateLimit, RoutePattern, World, routed,
};
use hmt_core::spec::parse_tree;

/// A value for a route, or for all requests.
type Routed<T> = (Option<RoutePattern>, T);

#[derive(Debug, Args)]
pub(crate) struct Behaviour {
    /// Requests that the journal at /admin/requests keeps; 0 keeps none
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) journal: usize,

    /// File with a list of overrides, in JSON or YAML, as /admin/overrides takes them
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,

    /// Delay responses: 200ms, 100ms..300ms or lognormal(MEDIAN,SIGMA)
    ///
    /// ROUTE is a pattern on METHOD and path template, such as 'GET /pets/*'. Without it, all
    /// requests are delayed. Delays of several flags add up.
    #[arg(long, value_name = "[ROUTE=]DIST", value_parser = routed::<Delay>)]
    delay: Vec<Routed<Delay>>,

    /// Answer requests with an error at random: a probability from 0 to 1, and a status (default
    /// 500)
    #[arg(long, value_name = "[ROUTE=]P[:STATUS]", value_parser = routed::<ErrorRate>)]
    error_rate: Vec<Routed<ErrorRate>>,

    /// Break responses: reset, empty, truncate, garbage or slow:BYTES_PER_SECOND, and a probability
    /// (default 1)
    #[arg(long, value_name = "[ROUTE=]FAULT[@P]", value_parser = routed::<FaultRate>)]
    fault: Vec<Routed<FaultRate>>,

    /// Limit of requests in each time window, such as 10/1s; other requests get a 429
    #[arg(long, value_name = "[ROUTE=]N/DURATION", value_parser = routed::<RateLimit>)]
    rate_limit: Vec<Routed<RateLimit>>,
}

impl Behaviour {
    /// Sets overrides and faults.
    ///
    /// # Errors
    /// A file of overrides that cannot be read or used.
    pub(crate) fn apply(&self, world: &World) -> anyhow::Result<()> {
        world.set_faults(self.rules());
        let Some(path) = &self.overrides else { return Ok(()) };
        let at = || format!("--overrides {}", path.display());
        let bytes = std::fs::read(path).with_context(at)?;
        let tree = parse_tree(&bytes, &path.display().to_string()).with_context(at)?;
        let overrides = Override::list(&tree).map_err(|why| anyhow!("{why}")).with_context(at)?;
        world.set_overrides(overrides);
        Ok(())
    }

    /// A rule for each flag.
    fn rules(&self) -> Vec<FaultRule> {
        let mut rules = Vec::new();
        add(&mut rules, &self.rate_limit, |rule, limit| rule.rate_limit = Some(limit));
        add(&mut rules, &self.delay, |rule, delay| rule.delay = Some(delay));
        add(&mut rules, &self.error_rate, |rule, rate| rule.error_rate = Some(rate));
        add(&mut rules, &self.fault, |rule, fault| rule.fault = Some(fault));
        rules
    }
}

/// Adds a rule for each use of a flag.
fn add<T: Copy>(rules: &mut Vec<FaultRule>, flags: &[Routed<T>], set: impl Fn(&mut FaultRule, T)) {
    for (route, value) in flags {
        let mut rule = FaultRule { route: route.clone(), ..FaultRule::default() };
        set(&mut rule, *value);
        rules.push(rule);
    }
}
