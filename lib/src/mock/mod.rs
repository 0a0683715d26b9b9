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
mod fault;
mod faults;
mod firing;
mod loader;
mod oauth;
mod operation;
mod preferences;
mod server;
mod settings;
mod stages;
mod webhooks;
mod world;

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

use crate::exchange::Pattern;
use crate::net::GuardedClient;
use oauth::OAuth;
use webhooks::Webhooks;

pub use admin::admin_ready_line;
pub use answer::{Answer, AnswerSource};
pub use banner::banner;
pub use callbacks::{Callbacks, StartError};
pub use catalogue::{
    Catalogue, CompileError, CompileOptions, DataError, Fetch, LoadedSpecs, Seen, Sources,
    SpecLoadError, WATCH_EVERY,
};
pub use fault::{Delivery, DeliveryFault};
pub use faults::{Delay, ErrorRate, FaultRate, FaultRule, RateLimit, RoutePattern, routed};
pub use loader::Loader;
use loader::NO_LOADER;
pub use server::{AdminServer, MockSummary, serve};
pub use settings::Settings;
pub use stages::Upstream;
pub use world::{Override, Storage, StorageError, World};

/// The current catalogue, the world, and the settings.
///
/// Each request reads the catalogue, on all threads. All of them would write to a lock or a shared
/// reference count, so it is swapped atomically instead.
pub struct Mock {
    catalogue: ArcSwap<Catalogue>,
    world: World,
    settings: Settings,
    loader: OnceLock<Arc<dyn Loader>>,
    callbacks: Option<Callbacks>,
    oauth: OAuth,
    webhooks: Webhooks,
    outbound: Arc<GuardedClient>,
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
            outbound: Arc::default(),
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
        let _ = self.loader.set(loader.into());
    }

    /// The hosts, other than this machine, to which webhooks may be sent.
    pub fn allow_webhooks(&mut self, hosts: Vec<Pattern>) {
        self.outbound = Arc::new(GuardedClient::new(hosts));
    }

    /// How the specs are loaded again; `None` if they cannot be.
    pub(self) fn loader(&self) -> Option<&Arc<dyn Loader>> {
        self.loader.get()
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
    pub(self) fn outbound(&self) -> &Arc<GuardedClient> {
        &self.outbound
    }

    /// Loads the specs again, and replaces the catalogue.
    ///
    /// # Errors
    /// Why they cannot be served; those from before stay.
    pub fn reload(&self) -> Result<(), String> {
        self.replace(self.loader().ok_or(NO_LOADER)?.load()?);
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
