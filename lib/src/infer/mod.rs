//! Exchanges to state to spec: the heart.
//!
//! [`Builder`] folds exchanges into a **state that is a pure function of their multiset**: order, sharding, threads and
//! process boundaries cannot change it. `finalise` turns a state into an OpenAPI document; it is the only place with heuristics.
//! A state can leave the process as a [`Partial`], a canonical line of JSON, and be merged elsewhere.
//!
//! * `sketch/`: the mergeable summaries, all that bounds the state.
//! * `state/`: path trie, operation, parameter, JSON node: pure folds.
//! * `finalise/`: templates, names, parameters, kinds of object, schemas.
//! * `partial.rs`: the serialised state; `provenance.rs`: what it was made of; `info.rs`: what is in it.

mod config;
mod finalise;
mod info;
#[cfg(test)]
pub(crate) mod laws;
mod mutant;
mod notes;
mod partial;
mod provenance;
mod sketch;
mod state;

pub use config::{Config, Mode, UnknownMode};
pub use finalise::{Options, literals};
pub use info::{HostInfo, Info};
pub use notes::{Notes, UnreadBodies};
pub use partial::{Partial, PartialError};
pub use provenance::{Ledger, NAMED_BY, Overlap, Provenance, Twice};
pub use state::{Undescribed, Unread, is_ghost, is_indescribable, undescribed};

pub(crate) use config::Limits;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::exchange::Exchange;
use sketch::Merge as _;
use state::{Scratch, State};

/// Folds exchanges. Builders of one [`Config`] can be merged; the order of everything is irrelevant.
#[derive(Debug)]
pub struct Builder {
    config: Config,
    state: State,
    scratch: Scratch,
    inputs: Provenance,
}

impl Clone for Builder {
    /// What folds the next exchange is made anew, as it holds nothing of the last.
    fn clone(&self) -> Self {
        Builder {
            config: self.config.clone(),
            state: self.state.clone(),
            scratch: Scratch::default(),
            inputs: self.inputs.clone(),
        }
    }
}

/// What was folded, and what could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Exchanges folded.
    pub exchanges: u64,
    /// Of these, without a response.
    pub unanswered: u64,
    /// Of these, such that no path item can describe them.
    pub deep: u64,
    /// Of these, cut short and therefore not among the recordings.
    pub unrepeatable: u64,
    /// How many different paths, operations, parameters and properties there were, estimated; and how often that halved the
    /// caps on what is kept apart.
    pub places: (u64, u32),
}

impl Builder {
    /// Nothing folded yet.
    pub fn new(config: Config) -> Self {
        Builder {
            config,
            state: State::default(),
            scratch: Scratch::default(),
            inputs: Provenance::default(),
        }
    }

    /// Folds one exchange, and tells which of its bodies should be JSON and are not.
    pub fn fold(&mut self, exchange: &Exchange<'_>) -> Unread {
        self.state.fold(exchange, &mut self.scratch, &self.config)
    }

    /// Adds all that another builder folded.
    pub fn merge(&mut self, other: Builder) {
        self.state.merge(other.state, &self.config.limits);
    }

    /// Adds a partial.
    ///
    /// # Errors
    /// [`PartialError::Config`] where it was made under another configuration.
    pub fn add(&mut self, partial: Partial) -> Result<(), PartialError> {
        let state = partial.into_state(&self.config)?;
        self.state.merge(state, &self.config.limits);
        Ok(())
    }

    /// What was folded.
    pub fn counts(&self) -> Counts {
        let State { exchanges, unanswered, deep, unrepeatable, .. } = self.state;
        let places = self.state.places.estimate();
        let places = (places, self.config.limits.level(places));
        Counts { exchanges, unanswered, deep, unrepeatable, places }
    }

    /// The mode in which it folds.
    pub fn mode(&self) -> Mode {
        self.config.mode
    }

    /// Says what was folded, for the partial to tell. What partials tell of theirs is not added by [`Builder::add`]: whoever
    /// adds them first looks for an overlap.
    pub fn set_inputs(&mut self, inputs: Provenance) {
        self.inputs = inputs;
    }

    /// The state as a line of canonical JSON, without the newline.
    pub fn to_partial(&self) -> String {
        partial::write(&self.state, &self.config, &self.inputs, (None, None, None))
    }

    /// The same, of a partition of a topic: with the run that claims it, what stands for its last message, and the name in
    /// the group. See [`Partial::claim`], [`Partial::last`] and [`Partial::member`].
    pub fn to_partition(
        &self,
        claim: Option<&str>,
        last: Option<&str>,
        member: Option<&str>,
    ) -> String {
        partial::write(&self.state, &self.config, &self.inputs, (claim, last, member))
    }

    /// Lines that tell why a path is templated as it is; it may begin with an origin.
    pub fn explain(&self, path: &str, options: &Options) -> Vec<String> {
        let limits = self.state.limits_in_force(&self.config.limits);
        finalise::explain(&self.state, path, options, &limits)
    }

    /// A builder for each host, by name; what names no host, or one of more than are kept apart, has none.
    pub fn split_hosts(self) -> BTreeMap<String, Builder> {
        let mut all: BTreeMap<String, Builder> = BTreeMap::new();
        for (host, state) in self.state.split_hosts() {
            let empty = || Builder::new(self.config.clone());
            all.entry(host).or_insert_with(empty).state.merge(state, &self.config.limits);
        }
        all
    }

    /// The OpenAPI document.
    pub fn finalise(self, options: &Options) -> Value {
        self.finalise_with_notes(options).0
    }

    /// The OpenAPI document, and what it does not say of the bodies that were folded.
    pub fn finalise_with_notes(self, options: &Options) -> (Value, Notes) {
        let limits = self.state.limits_in_force(&self.config.limits);
        finalise::document(self.state, &Config { limits, ..self.config }, options)
    }
}
