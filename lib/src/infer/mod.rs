//! Folds exchanges to a state, and converts the state to a spec.
//!
//! [`Builder`] folds exchanges into a **state that is a pure function of their multiset**: order,
//! sharding, threads and process boundaries do not affect it. `finalise` converts a state to an
//! OpenAPI document; all heuristics are there. A state can be stored as a [`Partial`], a canonical
//! line of JSON, and merged elsewhere.
//!
//! * `sketch/`: the mergeable summaries, which bound the state.
//! * `state/`: path trie, operation, parameter, JSON node: pure folds.
//! * `finalise/`: paths, schemas, labels, document.
//! * `partial.rs`: the serialised state; `provenance.rs`: its inputs; `info.rs`: its content.

mod config;
mod finalise;
mod info;
#[cfg(test)]
pub(crate) mod laws;
mod notes;
mod partial;
mod provenance;
mod sketch;
mod state;

pub use config::{Mode, StateConfig, UnknownMode};
pub use finalise::{Options, literals};
pub use info::{HostInfo, Info};
pub use notes::{Notes, UnreadBodies};
pub use partial::{Partial, PartialError};
pub use provenance::{Ledger, NAMED_BY, Overlap, Provenance, Twice};
pub use state::{
    Undescribed, Unread, is_indescribable, is_not_found, is_own_header, is_unanswered, undescribed,
};

pub(crate) use config::Limits;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::exchange::Exchange;
use sketch::Merge as _;
use state::{Scratch, State};

/// Folds exchanges. Builders with the same [`StateConfig`] can be merged, in any order.
#[derive(Debug)]
pub struct Builder {
    config: StateConfig,
    state: State,
    scratch: Scratch,
    inputs: Provenance,
}

impl Clone for Builder {
    /// The scratch buffers are created again, because they hold nothing of the exchanges.
    fn clone(&self) -> Self {
        Builder {
            config: self.config.clone(),
            state: self.state.clone(),
            scratch: Scratch::default(),
            inputs: self.inputs.clone(),
        }
    }
}

/// The counts of folded and unusable exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Exchanges folded.
    pub exchanges: u64,
    /// Exchanges without a response.
    pub unanswered: u64,
    /// Exchanges that no path item can describe.
    pub deep: u64,
    /// Exchanges that were cut short, and are therefore not among the recordings.
    pub unrepeatable: u64,
    /// The estimated number of different paths, operations, parameters and properties, and how
    /// often it halved the caps.
    pub places: (u64, u32),
}

impl Builder {
    /// An empty builder.
    pub fn new(config: StateConfig) -> Self {
        Builder {
            config,
            state: State::default(),
            scratch: Scratch::default(),
            inputs: Provenance::default(),
        }
    }

    /// Folds one exchange, and returns which of its bodies should be JSON but are not.
    pub fn fold(&mut self, exchange: &Exchange<'_>) -> Unread {
        self.state.fold(exchange, &mut self.scratch, &self.config)
    }

    /// Adds everything that another builder folded.
    pub fn merge(&mut self, other: Builder) {
        self.state.merge(other.state, &self.config.limits);
    }

    /// Adds a partial.
    ///
    /// # Errors
    /// [`PartialError::StateConfig`] if it has another configuration.
    pub fn add(&mut self, partial: Partial) -> Result<(), PartialError> {
        let state = partial.into_state(&self.config)?;
        self.state.merge(state, &self.config.limits);
        Ok(())
    }

    /// The counts of folded exchanges.
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

    /// Sets the inputs for the partial. [`Builder::add`] does not add the inputs of partials,
    /// because callers must first check them for overlaps.
    pub fn set_inputs(&mut self, inputs: Provenance) {
        self.inputs = inputs;
    }

    /// The state as a line of canonical JSON, without the newline.
    pub fn to_partial(&self) -> String {
        partial::write(&self.state, &self.config, &self.inputs, (None, None, None))
    }

    /// The same for a partition of a topic: with the run that claims it, the hash of its last
    /// message, and the name in the group. See [`Partial::claim`], [`Partial::last`] and
    /// [`Partial::member`].
    pub fn to_partition(
        &self,
        claim: Option<&str>,
        last: Option<&str>,
        member: Option<&str>,
    ) -> String {
        partial::write(&self.state, &self.config, &self.inputs, (claim, last, member))
    }

    /// Lines that explain the template of a path, which may begin with an origin.
    pub fn explain(&self, path: &str, options: &Options) -> Vec<String> {
        let limits = self.state.limits_in_force(&self.config.limits);
        finalise::explain(&self.state, path, options, &limits)
    }

    /// A builder for each host by name; exchanges without a host, and those of hosts beyond the
    /// cap, have none.
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

    /// The OpenAPI document, and notes on the folded bodies that it does not describe.
    pub fn finalise_with_notes(self, options: &Options) -> (Value, Notes) {
        let limits = self.state.limits_in_force(&self.config.limits);
        finalise::document(self.state, &StateConfig { limits, ..self.config }, options)
    }
}
