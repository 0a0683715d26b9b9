//! A registered webhook.

use std::sync::Arc;

use crate::net::Target;

/// A webhook.
#[derive(Clone, Debug)]
pub(in crate::mock) struct Webhook {
    /// As it was registered.
    pub(in crate::mock) url: Arc<str>,
    pub(super) target: Target,
}

impl Webhook {
    pub(in crate::mock) fn new(url: &str, target: Target) -> Webhook {
        Webhook { url: url.into(), target }
    }
}
