//! Everything that is compiled from specs: operations, the plans of their answers, and recordings.
//! It does not change, except for the positions in sequences of recordings.

mod composed;
mod credentials;
mod deprecation;
mod example_match;
mod faults;
mod load;
mod media_plan;
mod plans;
mod recent;
mod schema_plans;
mod state;
mod steady;
mod watch;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::conform::Api;
use crate::recorded::{MatchRule, Recordings};
use crate::spec::{Document, check_refs};

use super::firing::Hooks;
use super::oauth::Endpoints;
use super::world::Initial;

use composed::ComposedBodies;

pub use super::world::DataError;
pub(super) use credentials::authorization;
pub use load::{Fetch, LoadedSpecs, Sources, SpecLoadError};
pub(super) use media_plan::MediaPlan;
pub(super) use plans::{OperationPlan, ResponsePlan, Spec};
pub(super) use schema_plans::Making;
pub(super) use state::{
    EntityPlace, FieldRole, ItemPlace, KindPlan, ListPlace, PAGE_SIZES, PageField, QueryPlan,
    QueryRole, RangeRule, Role, StateOperation, StatePlan, role_of, same_name, target,
};
pub(super) use steady::RequestKey;
use steady::SteadyAnswers;
pub use watch::{Seen, WATCH_EVERY};

/// Why documents cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A `$ref` cannot be resolved.
    #[error(transparent)]
    Spec(#[from] crate::spec::SpecError),
    /// A part of the document cannot be served.
    #[error(transparent)]
    Conform(#[from] crate::conform::ConformError),
    /// `x-hmt-replay` is malformed.
    #[error("{0}: {1}")]
    Replay(String, #[source] crate::recorded::ReplayError),
    /// `x-hmt-data` is malformed.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// Options for compiling specs.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompileOptions {
    /// True if collections that are found by their paths and schemas also keep state.
    pub stateful: bool,
    /// True if callbacks and webhooks are sent.
    pub fire_callbacks: bool,
    /// True if the warnings list every example that violates its schema, and not only some.
    pub all_faults: bool,
}

/// Specs compiled for answering requests. All connections share it.
#[derive(Debug)]
pub struct Catalogue {
    /// In the order of precedence.
    pub(super) specs: Vec<Spec>,
    /// The endpoints that security schemes name.
    pub(super) endpoints: Endpoints,
    recordings: Recordings,
    initial: Initial,
    composed: ComposedBodies,
    steady: SteadyAnswers,
    /// A unique number within this process.
    number: u64,
}

impl Catalogue {
    /// Compiles documents, in the order of precedence. Only annotated operations keep state.
    ///
    /// # Errors
    /// The location in the document that cannot be served.
    pub fn compile(documents: Vec<Document>) -> Result<Catalogue, CompileError> {
        Catalogue::compile_with(documents, CompileOptions::default())
    }

    /// Like [`Catalogue::compile`], with options.
    ///
    /// # Errors
    /// The location in the document that cannot be served.
    pub fn compile_with(
        documents: Vec<Document>,
        options: CompileOptions,
    ) -> Result<Catalogue, CompileError> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let mut recordings = Recordings::new(MatchRule::default());
        let mut specs = Vec::with_capacity(documents.len());
        let mut initial = Initial::of_documents(documents.iter().map(|document| &document.root))?;
        for document in documents {
            check_refs(&document)?;
            recordings
                .add_document(&document.root)
                .map_err(|error| CompileError::Replay(document.source.clone(), error))?;
            let mut api = Api::compile(&document)?;
            api.check_while_parsing();
            let mut state = StatePlan::compile(&api, &document.root, options.stateful);
            if let Some(state) = &mut state {
                state.rename_taken(&initial, &document.source);
                state.seed(&api, &document.root, &mut initial);
            }
            let hooks = match options.fire_callbacks {
                true => Hooks::compile(&api, &document).map(Box::new),
                false => None,
            };
            // A large document together with its plans would be the peak of memory.
            drop(document);
            specs.push(Spec { state, hooks, ..Spec::compile(api, options.all_faults) });
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let endpoints = Endpoints::of(specs.iter().map(|spec: &Spec| &spec.api));
        let (composed, steady) = (ComposedBodies::default(), SteadyAnswers::default());
        Ok(Catalogue { specs, endpoints, recordings, initial, composed, steady, number })
    }

    /// Problems of the documents that leave them usable.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.specs.iter().flat_map(|spec| {
            let (api, source) = (&spec.api, &spec.api.source);
            let all = api.warnings.iter().chain(&api.schemas.warnings).chain(&spec.warnings);
            let all = all.chain(spec.hooks.iter().flat_map(|hooks| &hooks.warnings));
            all.map(move |warning| format!("{source}: {warning}"))
        })
    }

    /// The initial content of the storage.
    pub(super) fn initial(&self) -> &Initial {
        &self.initial
    }

    /// The composed bodies that are kept.
    pub(super) fn composed(&self) -> &ComposedBodies {
        &self.composed
    }

    /// The steady answers that are kept.
    pub(super) fn steady(&self) -> &SteadyAnswers {
        &self.steady
    }

    /// A unique number within this process; never 0.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The recordings of all documents.
    pub fn recordings(&self) -> &Recordings {
        &self.recordings
    }

    /// Whether a request must match exactly one branch of `oneOf`.
    pub fn set_strict_one_of(&mut self, strict: bool) {
        self.specs.iter_mut().for_each(|spec| spec.api.schemas.strict_one_of = strict);
    }

    /// Lets recorded pseudonyms match only the secrets that they were computed from.
    pub fn set_pseudonym(&mut self, of: impl Fn(&str) -> String + Send + Sync + 'static) {
        self.recordings.set_pseudonym(of);
    }

    /// How many specs there are.
    pub fn specs(&self) -> usize {
        self.specs.len()
    }

    /// How many operations there are in all specs.
    pub fn operations(&self) -> usize {
        self.specs.iter().map(|spec| spec.api.operations.len()).sum()
    }

    /// True if a spec or a recording names this host.
    pub fn knows_host(&self, host: &str) -> bool {
        let origins = origins(host);
        let named = |spec: &Spec| origins.iter().any(|origin| spec.api.has_origin(origin));
        self.recordings.knows_host(host) || self.specs.iter().any(named)
    }

    /// True if a spec has a relative server, which serves any host.
    pub(super) fn serves_any_host(&self) -> bool {
        self.specs.iter().any(|spec| spec.api.servers.iter().any(|s| s.origin.is_none()))
    }
}

/// A mock serves both schemes.
pub(super) fn origins(host: &str) -> [String; 2] {
    [format!("https://{host}"), format!("http://{host}")]
}
