//! Webhooks that receive a request and the specs before the request is answered, and can change the
//! specs for it.
//!
//! `narrow` calls them and compiles their responses; this file has the list of them.

mod narrow;
mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::catalogue::Catalogue;
use super::loader::Loader;
use crate::exchange::Exchange;
use crate::net::{GuardedClient, Target};
use narrow::Narrowing;
pub(super) use webhook::Webhook;

/// The registered webhooks, in the order in which they are called.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    all: Mutex<Vec<Webhook>>,
    /// True if there are any.
    any: AtomicBool,
    narrowing: Narrowing,
}

impl Webhooks {
    /// True if there are any. This is called for each request.
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Their URLs, in the order in which they are called.
    pub(super) fn list(&self) -> Vec<Arc<str>> {
        self.all.lock().iter().map(|one| Arc::clone(&one.url)).collect()
    }

    /// Adds a webhook, unless it is already registered.
    pub(super) fn add(&self, webhook: Webhook) {
        self.change(|all| {
            if all.iter().all(|one| one.target != webhook.target) {
                all.push(webhook);
            }
        });
    }

    /// Removes a webhook; false if there is none with this target.
    pub(super) fn remove(&self, target: &Target) -> bool {
        self.change(|all| {
            let before = all.len();
            all.retain(|one| one.target != *target);
            all.len() < before
        })
    }

    /// Removes all.
    pub(super) fn clear(&self) {
        self.change(Vec::clear);
    }

    /// The specs for a request, as the webhooks change them; `None` if they do not.
    ///
    /// # Errors
    /// What a webhook did wrong.
    pub(super) async fn specs_for(
        &self,
        loader: Option<&Arc<dyn Loader>>,
        client: &GuardedClient,
        exchange: &Exchange<'_>,
    ) -> Result<Option<Arc<Catalogue>>, String> {
        let all = self.all.lock().clone();
        self.narrowing.specs_for(&all, loader, client, exchange).await
    }

    /// Removes everything that was compiled, because the specs have changed.
    pub(super) fn specs_changed(&self) {
        self.narrowing.forget();
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Webhook>) -> T) -> T {
        let mut all = self.all.lock();
        let result = change(&mut all);
        self.any.store(!all.is_empty(), Ordering::Relaxed);
        result
    }
}
