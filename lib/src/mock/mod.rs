//! The mock server.
//!
//! A [`Catalogue`] is everything that is compiled from specs; `--watch` swaps it. A [`World`] is
//! the state that persists between requests, and across such a swap. A [`Mock`] has one of each,
//! and [`serve`] serves it over HTTP.
//!
//! `stages` has the order of answers: one function that lists the stages, and a file for each of
//! them. `answer` is what a stage returns, and writes values in media types. `admin` has the
//! endpoints of the admin port.
//!
//! Not here: what a spec means ([`crate::conform`]), what a recording is ([`crate::recorded`]), and
//! how data is generated ([`crate::fake`]).

mod admin;
mod answer;
mod banner;
mod call;
mod callbacks;
mod catalogue;
mod delivery;
mod faults;
mod firing;
mod oauth;
mod preferences;
mod server;
mod stages;
mod webhooks;
mod world;

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

use crate::exchange::Pattern;
use crate::net::GuardedClient;
use crate::spec::Document;
use oauth::OAuth;
use webhooks::Webhooks;

pub use admin::admin_ready_line;
pub use answer::{Answer, Source};
pub use banner::banner;
pub use callbacks::{Callbacks, StartError};
pub use catalogue::{
    Catalogue, CompileError, CompileOptions, DataError, Fetch, LoadedSpecs, Seen, Sources,
    SpecLoadError, WATCH_EVERY,
};
pub use delivery::{Delivery, Fault};
pub use faults::{Delay, ErrorRate, FaultRate, FaultRule, RateLimit, Route, routed};
pub use server::{AdminServer, MockSummary, serve};
pub use stages::Upstream;
pub use world::{Override, Storage, StorageError, World};

/// How requests are answered.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Check credentials and requests against the spec.
    pub validate: bool,
    /// Accept only bearer tokens that this mock issued.
    pub strict_auth: bool,
    /// Make new data for each request, without recordings and examples.
    pub dynamic: bool,
    /// The seed of generated data. `None` means 0, or a random seed for `dynamic`.
    pub seed: Option<u64>,
    /// Send the callbacks and webhooks of the specs.
    pub fire_callbacks: bool,
    /// Let generated answers contain values of the request.
    pub reflect: bool,
    /// Report requests that match several branches of a `oneOf`.
    pub report_overlaps: bool,
    /// Answer CORS preflights.
    pub cors: bool,
    /// Receives the requests without a matching operation.
    pub upstream: Option<Upstream>,
    /// How many requests the journal keeps; 0: none.
    pub journal: usize,
}

/// The current catalogue, the world, and the settings.
///
/// Each request reads the catalogue, on all threads. All of them would write to a lock or a shared
/// reference count, so it is swapped atomically instead.
pub struct Mock {
    catalogue: ArcSwap<Catalogue>,
    world: World,
    settings: Settings,
    loader: OnceLock<Box<dyn Loader>>,
    callbacks: Option<Callbacks>,
    oauth: OAuth,
    webhooks: Webhooks,
    outbound: GuardedClient,
}

/// Loads and compiles the specs on the command line.
pub trait Loader: Send + Sync {
    /// Loads the specs again.
    ///
    /// # Errors
    /// Why they cannot be served.
    fn load(&self) -> Result<Catalogue, String>;

    /// The documents of the specs.
    ///
    /// # Errors
    /// Why they cannot be loaded.
    fn documents(&self) -> Result<Vec<Document>, String>;

    /// Compiles other documents in the same way.
    ///
    /// # Errors
    /// Why they cannot be served.
    fn compile(&self, documents: Vec<Document>) -> Result<Catalogue, String>;
}

impl Mock {
    /// Starts with a catalogue; the world begins as the catalogue's specs declare it.
    pub fn new(catalogue: Catalogue, settings: Settings) -> Mock {
        let world = World::new(catalogue.initial().clone(), settings.seed, settings.journal);
        let oauth = OAuth::default();
        oauth.prepare(&catalogue.endpoints);
        let catalogue = ArcSwap::from_pointee(catalogue);
        Mock {
            catalogue,
            world,
            settings,
            loader: OnceLock::new(),
            callbacks: None,
            oauth,
            webhooks: Webhooks::default(),
            outbound: GuardedClient::default(),
        }
    }

    /// Sets the programs that edit the answers.
    pub fn set_callbacks(&mut self, callbacks: Callbacks) {
        self.callbacks = Some(callbacks);
    }

    /// The programs that edit the answers.
    pub fn callbacks(&self) -> Option<&Callbacks> {
        self.callbacks.as_ref()
    }

    /// True if an answer may have to wait for an upstream, a callback or a webhook, or if requests
    /// follow it.
    pub(self) fn waits(&self) -> bool {
        self.settings.upstream.is_some()
            || self.settings.fire_callbacks
            || self.callbacks.is_some()
            || self.webhooks.any()
    }

    /// Sets how the specs are loaded again. Only the first call has an effect.
    pub fn set_loader(&self, loader: Box<dyn Loader>) {
        let _ = self.loader.set(loader);
    }

    /// The hosts, other than this machine, to which webhooks may be sent.
    pub fn allow_webhooks(&mut self, hosts: Vec<Pattern>) {
        self.outbound = GuardedClient::new(hosts);
    }

    fn loader(&self) -> Result<&dyn Loader, String> {
        let loader = self.loader.get().ok_or("this mock cannot load its specs again")?;
        Ok(loader.as_ref())
    }

    pub(self) fn documents(&self) -> Result<Vec<Document>, String> {
        self.loader()?.documents()
    }

    pub(self) fn compile(&self, documents: Vec<Document>) -> Result<Catalogue, String> {
        self.loader()?.compile(documents)
    }

    /// The grants of the OAuth endpoints.
    pub(self) fn oauth(&self) -> &OAuth {
        &self.oauth
    }

    /// The webhooks that can change the specs for a request.
    pub(self) fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// The client for URLs that clients of the mock provide.
    pub(self) fn outbound(&self) -> &GuardedClient {
        &self.outbound
    }

    /// Loads the specs again, and replaces the catalogue.
    ///
    /// # Errors
    /// Why they cannot be served; those from before stay.
    pub fn reload(&self) -> Result<(), String> {
        self.replace(self.loader()?.load()?);
        Ok(())
    }

    /// The catalogue for one request.
    pub fn catalogue(&self) -> impl Deref<Target = Arc<Catalogue>> + Send + use<> {
        self.catalogue.load()
    }

    /// The state that persists between requests.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// How requests are answered.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Replaces the catalogue. Requests in progress keep the old one; the world stays.
    pub fn replace(&self, catalogue: Catalogue) {
        self.world.storage().set_initial(catalogue.initial().clone());
        self.catalogue.store(Arc::new(catalogue));
        self.webhooks.specs_changed();
    }
}
