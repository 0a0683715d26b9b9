//! The state: a pure function of the multiset of exchanges.

mod body;
mod class;
mod considered;
mod credentials;
mod form;
mod graphql;
mod headers;
mod items;
mod json;
mod key_names;
mod operation;
mod parameter;
mod parts;
mod places;
mod recordings;
mod scratch;
mod tag;
mod tagged;
mod tape;
mod trie;
mod variants;
mod xml;

use serde::{Deserialize, Serialize};

pub(crate) use body::ObservedBody;
pub use body::{Undescribed, Unread, undescribed};
pub(crate) use class::{Class, ClassSet, Keyed, class_of, in_lexicon, no_priority};
pub use considered::{is_indescribable, is_not_found, is_unanswered};
pub(crate) use form::{Form, keys};
pub(crate) use graphql::GraphQl;
pub use headers::is_own_header;
pub(crate) use json::{Array, Json, Object, Property, Text};
pub(crate) use operation::{ObservedOperation, Requests, Responses};
pub(crate) use parameter::{Delimited, Delimiter, Lexical, ObservedParameter, Segments};
pub(crate) use parts::{Part, Parts};
#[cfg(test)]
pub(crate) use places::places;
pub(crate) use recordings::{RecordedAnswers, RecordedRequest, RecordingSet};
pub(crate) use scratch::Scratch;
#[cfg(test)]
pub(crate) use tape::Tape;
pub(crate) use tape::Tapes;
pub(crate) use trie::{TrieNode, split_path, without_extension};
pub(crate) use xml::{TEXT, Xml};

use super::sketch::{CappedMap, Caps, Hll, Merge, add, is_default, is_zero};
use super::{Limits, StateConfig};
use crate::exchange::{Exchange, Method, push_origin};

/// The observations of all folded exchanges.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Exchanges that no path item can describe, see [`is_indescribable`]; only counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) deep: u64,
    /// Exchanges folded.
    pub(crate) exchanges: u64,
    /// By origin.
    #[serde(default = "CappedMap::default", skip_serializing_if = "CappedMap::is_empty")]
    pub(crate) hosts: CappedMap<Host>,
    /// How far the caps are lowered; derived from `places`.
    #[serde(skip)]
    level: u32,
    /// The sketch of all places, which determines the level.
    #[serde(default, skip_serializing_if = "Hll::is_empty")]
    pub(crate) places: Hll,
    #[serde(default, skip_serializing_if = "RecordingSet::is_empty")]
    pub(crate) recordings: RecordingSet,
    /// Exchanges whose request or response failed: no evidence; only counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) unanswered: u64,
    /// Exchanges that were cut short, and are therefore not among the recordings.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) unrepeatable: u64,
}

/// One origin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Host {
    /// Exchanges with a not-found response, which make no paths of their own.
    #[serde(rename = "ghosts", default, skip_serializing_if = "is_default")]
    pub(crate) not_found: TrieNode,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) paths: TrieNode,
}

impl Host {
    /// True if nothing was observed.
    pub(crate) fn is_empty(&self) -> bool {
        self.not_found.is_empty() && self.paths.is_empty()
    }
}

impl Merge for Host {
    fn coarsen(&mut self, limits: &Limits) {
        self.not_found.coarsen(limits);
        self.paths.coarsen(limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.not_found.merge(other.not_found, limits);
        self.paths.merge(other.paths, limits);
    }
}

impl State {
    /// Folds one exchange. The same `scratch` must be passed again.
    pub(crate) fn fold(
        &mut self,
        exchange: &Exchange<'_>,
        scratch: &mut Scratch,
        config: &StateConfig,
    ) -> Unread {
        add(&mut self.exchanges, 1);
        if is_unanswered(exchange) {
            add(&mut self.unanswered, 1);
            return Unread::default();
        }
        // `post` is only a placeholder for the unknown method.
        if exchange.meta.method.is_some() {
            add(&mut self.deep, 1);
            return Unread::default();
        }
        let lowered;
        let limits = if self.level == 0 {
            &config.limits
        } else {
            lowered = config.limits.lowered(self.level);
            &lowered
        };
        if config.mode.keeps_recordings() && !self.recordings.fold(exchange) {
            add(&mut self.unrepeatable, 1);
        }
        if !config.mode.generalises() {
            return Unread::default();
        }
        let (segments, slashed) = split_path(&exchange.request.pathname);
        if segments.len() > limits.segments || exchange.request.method == Method::Connect {
            add(&mut self.deep, 1);
            return Unread::default();
        }
        scratch.tapes.forget();
        scratch.origin.clear();
        push_origin(&exchange.request, &mut scratch.origin);
        let limits = &Caps::new(limits);
        let host = self.hosts.slot(&scratch.origin, limits.origins, no_priority, limits);
        let is_not_found =
            exchange.response.as_ref().is_some_and(|answer| is_not_found(answer.status));
        let root = if is_not_found { &mut host.not_found } else { &mut host.paths };
        let node = root.walk(&segments, limits);
        add(if slashed { &mut node.slashed } else { &mut node.plain }, 1);
        if !node.operations.contains_key(&exchange.request.method) {
            limits.note_fresh();
        }
        let operation = node.operations.entry(exchange.request.method).or_default();
        let unread = operation.fold(exchange, scratch, limits);
        if limits.is_fresh() {
            self.see_places(exchange, &mut scratch.tapes, &config.limits);
        }
        unread
    }

    /// Counts the places of an exchange, and coarsens the state if there are too many.
    fn see_places(&mut self, exchange: &Exchange<'_>, tapes: &mut Tapes, limits: &Limits) {
        let (places, mut changed) = (&mut self.places, false);
        places::places(exchange, tapes, limits, &mut |place| {
            changed |= places.insert(place, limits.place_bits);
        });
        if changed {
            self.raise(limits.level(self.places.estimate()), limits);
        }
    }

    /// Coarsens to a level. `limits` are those of the configuration.
    fn raise(&mut self, level: u32, limits: &Limits) {
        if level > self.level {
            self.level = level;
            self.coarsen(&limits.lowered(level));
        }
    }

    /// The limits in force: those of the configuration, lowered if there are very many places.
    pub(crate) fn limits_in_force(&self, limits: &Limits) -> Limits {
        limits.lowered(limits.level(self.places.estimate()))
    }
}

impl State {
    /// The state of each origin, by host. Counts are not split.
    pub(crate) fn split_hosts(self) -> Vec<(String, State)> {
        let host_of =
            |origin: &str| origin.split_once("://").map_or(origin, |(_, host)| host).to_owned();
        let (kept, rest) = self.hosts.into_parts();
        let mut all = Vec::new();
        for (origin, host) in kept.into_iter().chain(rest.map(|host| (Box::default(), host))) {
            let name = host_of(&origin);
            let hosts = CappedMap::of_one(&origin, no_priority, host);
            // The caps in force are those of the whole.
            let places = self.places.clone();
            all.push((name, State { hosts, places, ..State::default() }));
        }
        for (key, answers) in self.recordings.0 {
            let name = host_of(&key.origin);
            let recordings = RecordingSet([(key, answers)].into());
            all.push((name, State { recordings, ..State::default() }));
        }
        all
    }
}

impl Merge for State {
    fn coarsen(&mut self, limits: &Limits) {
        self.hosts.coarsen(limits.origins, limits);
    }

    /// `limits` are those of the configuration, not lowered ones.
    fn merge(&mut self, mut other: Self, limits: &Limits) {
        self.places.merge(std::mem::take(&mut other.places));
        let level = limits.level(self.places.estimate());
        self.raise(level, limits);
        other.raise(level, limits);
        let limits = &limits.lowered(level);
        add(&mut self.deep, other.deep);
        add(&mut self.exchanges, other.exchanges);
        self.hosts.merge(other.hosts, limits.origins, limits);
        self.recordings.merge(other.recordings, limits);
        add(&mut self.unanswered, other.unanswered);
        add(&mut self.unrepeatable, other.unrepeatable);
    }
}
