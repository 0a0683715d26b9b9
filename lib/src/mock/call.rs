//! A request on its way through the stages.

use std::sync::OnceLock;

use bytes::Bytes;
use http::request::Parts;
use serde_json::Value;

use crate::conform::Verb;
use crate::exchange::{Method, Request};
use crate::recorded::HostRule;

use super::callbacks::Callbacks;
use super::catalogue::Catalogue;
use super::oauth::OAuth;
use super::preferences::Preferences;
use super::settings::Settings;
use super::world::World;

/// The context that the stages use.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) world: &'a World,
    pub(super) settings: &'a Settings,
    /// The grants of the OAuth endpoints.
    pub(super) oauth: &'a OAuth,
    /// Clients use TLS.
    pub(super) tls: bool,
    /// Programs that edit the answers.
    pub(super) callbacks: Option<&'a Callbacks>,
}

/// A request, with what the stages need.
pub(super) struct Call<'a> {
    /// The head as received.
    pub(super) parts: &'a Parts,
    /// The request, without the preferences in its query. Its method has no meaning if
    /// [`Call::verb`] is not a method of exchanges.
    pub(super) request: Request<'a>,
    /// The path and the query as sent.
    pub(super) path_and_query: &'a str,
    /// Whether the request names its host.
    pub(super) host: HostRule,
    /// The body as received, with its Content-Encoding.
    pub(super) raw_body: Bytes,
    pub(super) preferences: Preferences,
    /// The body as JSON, parsed by the first stage that needs it.
    json_body: OnceLock<Option<Value>>,
}

impl<'a> Call<'a> {
    /// Removes the preferences from the request.
    pub(super) fn new(
        parts: &'a Parts,
        mut request: Request<'a>,
        path_and_query: &'a str,
        host: HostRule,
        raw_body: Bytes,
    ) -> Call<'a> {
        let preferences = Preferences::take(&parts.headers, &mut request.query);
        let json_body = OnceLock::new();
        Call { parts, request, path_and_query, host, raw_body, preferences, json_body }
    }

    /// The method for operations.
    pub(super) fn verb(&self) -> Verb<'a> {
        match self.parts.method.as_str().parse::<Method>() {
            Ok(method) => Verb::Known(method),
            Err(_) => Verb::Other(self.parts.method.as_str()),
        }
    }

    /// The body as JSON, whatever its media type; `None` if it is not JSON.
    pub(super) fn json_body(&self) -> Option<&Value> {
        let body = self.request.body.as_bytes();
        // For most bodies that are not JSON, parsing fails at the first byte.
        let parse = || serde_json::from_slice(body).ok();
        self.json_body.get_or_init(|| if body.is_empty() { None } else { parse() }).as_ref()
    }

    /// Keeps the body as a stage has parsed it.
    pub(super) fn keep_json_body(&self, value: Value) {
        // If it is already set, the value is the same.
        let _ = self.json_body.set(Some(value));
    }

    /// The query as sent.
    pub(super) fn raw_query(&self) -> &'a str {
        self.path_and_query.split_once('?').map_or("", |(_, query)| query)
    }

    /// True if the answer must have new data.
    pub(super) fn dynamic(&self, settings: &Settings) -> bool {
        self.preferences.dynamic.unwrap_or(settings.dynamic)
    }
}
