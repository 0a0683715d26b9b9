//! The content of a partial, for people and scripts: lines of `name: value`.

use std::fmt;

use super::state::{State, TrieNode};
use super::{Mode, Provenance};

/// The content of a partial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The mode it was made in.
    pub mode: Mode,
    /// The hash of the configuration; only partials with the same hash can be united.
    pub config: String,
    /// False if no observed value was kept.
    pub values: bool,
    /// True if this version, with its own limits, has the same hash.
    pub this_version: bool,
    /// Exchanges folded.
    pub exchanges: u64,
    /// Exchanges without a response.
    pub unanswered: u64,
    /// Exchanges that no path item can describe.
    pub indescribable: u64,
    /// Exchanges that were cut short, and are therefore not among the recordings.
    pub cut_short: u64,
    /// Requests that are recorded with their responses.
    pub recordings: u64,
    /// The hosts that are kept apart. A host without a name represents all other hosts.
    pub hosts: Vec<HostInfo>,
    /// The inputs, as far as they were tracked.
    pub inputs: Provenance,
    /// True if it is unknown whether the consumer group has recorded the commit for it.
    pub claimed: bool,
}

/// The content of a partial for one host. Paths are counted before templates are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostInfo {
    /// `https://api.example.com`
    pub origin: String,
    /// Paths that were answered.
    pub paths: u64,
    /// Operations on these.
    pub operations: u64,
    /// Paths that only had not-found responses.
    pub missing: u64,
}

impl Info {
    pub(super) fn of(
        state: &State,
        mode: Mode,
        values: bool,
        config: &str,
        this_version: bool,
        inputs: Provenance,
        claimed: bool,
    ) -> Info {
        let named = state.hosts.sorted();
        let all = named.iter().map(|(origin, host)| (*origin, *host));
        let rest = state.hosts.rest().map(|host| ("", host));
        let hosts = all.chain(rest).map(|(origin, host)| {
            let (paths, operations) = count(&host.paths);
            let missing = count(&host.not_found).0;
            HostInfo { origin: origin.to_owned(), paths, operations, missing }
        });
        Info {
            mode,
            values,
            config: config.to_owned(),
            this_version,
            exchanges: state.exchanges,
            unanswered: state.unanswered,
            indescribable: state.deep,
            cut_short: state.unrepeatable,
            recordings: state.recordings.0.len() as u64,
            hosts: hosts.collect(),
            inputs,
            claimed,
        }
    }
}

/// The number of paths that end at or below a place, and their operations.
fn count(node: &TrieNode) -> (u64, u64) {
    let own = node.operations.len() as u64;
    let mut all = (u64::from(own > 0), own);
    for kids in node.kids.values() {
        for kid in kids.iter().map(|(_, kid)| kid).chain(kids.rest()) {
            let (paths, operations) = count(kid);
            all = (all.0 + paths, all.1 + operations);
        }
    }
    all
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.this_version { "this version's" } else { "another version's" };
        writeln!(f, "mode: {}", self.mode.as_str())?;
        writeln!(f, "config: {} ({whose})", self.config)?;
        if !self.values {
            writeln!(f, "values: not kept")?;
        }
        let sum = |of: fn(&HostInfo) -> u64| self.hosts.iter().map(of).sum::<u64>();
        for (name, count) in [
            ("exchanges", self.exchanges),
            ("unanswered", self.unanswered),
            ("indescribable", self.indescribable),
            ("cut short", self.cut_short),
            ("recordings", self.recordings),
            ("hosts", self.hosts.len() as u64),
            ("paths", sum(|host| host.paths)),
            ("operations", sum(|host| host.operations)),
        ] {
            writeln!(f, "{name}: {count}")?;
        }
        for host in &self.hosts {
            let HostInfo { origin, paths, operations, missing } = host;
            let origin = if origin.is_empty() { "(others)" } else { origin };
            writeln!(
                f,
                "host: {origin}, paths {paths}, operations {operations}, missing {missing}"
            )?;
        }
        if self.inputs.is_empty() {
            writeln!(f, "inputs: not tracked")?;
        }
        for (source, ranges) in self.inputs.iter() {
            let ranges: Vec<String> =
                ranges.map(|range| format!("{}-{}", range.start, range.end)).collect();
            writeln!(f, "input: {source} {}", ranges.join(","))?;
        }
        if self.claimed {
            writeln!(f, "claimed: it is unknown whether the offsets were committed")?;
        }
        Ok(())
    }
}
