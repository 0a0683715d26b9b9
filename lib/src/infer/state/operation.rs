//! The observations of one method at one place of the path trie.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::body::{BodyContent, ObservedBody, Unread, content, fold_query};
use super::class::{ClassSet, no_priority};
use super::credentials::{CredentialSets, fold_credentials};
use super::graphql::{self, GraphQl};
use super::headers::{is_request_plumbing, is_response_plumbing};
use super::json::Json;
use super::parameter::ObservedParameter;
use super::scratch::{Memo, Scratch};
use super::tape::Tape;
use crate::exchange::{self, Exchange, Meta, NotJson, Pairs, Request};
use crate::infer::Limits;
use crate::infer::sketch::{
    CappedMap, Caps, Merge, add, coarsen_option, is_default, is_zero, merge_map, merge_option,
};

/// One operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ObservedOperation {
    /// Requests answered with 400 or more, which do not show what is valid.
    pub(crate) failed: Requests,
    /// GraphQL calls in requests answered below 400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) graphql: Option<Box<GraphQl>>,
    /// Requests answered below 400.
    pub(crate) ok: Requests,
    /// The credentials of requests answered with 401 or 403.
    #[serde(default = "CredentialSets::default", skip_serializing_if = "CredentialSets::is_empty")]
    pub(crate) refused: CredentialSets,
    /// Boxed, because a tree node reserves space for eleven values, even if it holds one or two.
    pub(crate) responses: BTreeMap<u16, Box<Responses>>,
    /// The classes of the path's parameters, for a template with several; not part of a state, but
    /// noted when a spec is written.
    #[serde(skip)]
    pub(crate) through: Vec<ClassSet>,
    /// Requests without a recorded response, although nothing failed: all that is known if nothing
    /// was answered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) unanswered: Requests,
}

/// Requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Requests {
    #[serde(default = "CappedMap::default", skip_serializing_if = "CappedMap::is_empty")]
    pub(crate) bodies: CappedMap<ObservedBody>,
    /// Their credentials, if they had any and were answered below 400.
    #[serde(default = "CredentialSets::default", skip_serializing_if = "CredentialSets::is_empty")]
    pub(crate) credentials: CredentialSets,
    /// Requests without a body.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) empty: u64,
    #[serde(default = "CappedMap::default", skip_serializing_if = "CappedMap::is_empty")]
    pub(crate) headers: CappedMap<ObservedParameter>,
    pub(crate) n: u64,
    #[serde(default = "CappedMap::default", skip_serializing_if = "CappedMap::is_empty")]
    pub(crate) query: CappedMap<ObservedParameter>,
}

/// Responses of one status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Responses {
    #[serde(default = "CappedMap::default", skip_serializing_if = "CappedMap::is_empty")]
    pub(crate) bodies: CappedMap<ObservedBody>,
    /// Responses without a body.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) empty: u64,
    #[serde(default = "CappedMap::default", skip_serializing_if = "CappedMap::is_empty")]
    pub(crate) headers: CappedMap<ObservedParameter>,
    pub(crate) n: u64,
}

impl ObservedOperation {
    /// Folds an exchange. A request without a response is kept apart.
    pub(crate) fn fold(
        &mut self,
        exchange: &Exchange<'_>,
        scratch: &mut Scratch,
        limits: &Caps<'_>,
    ) -> Unread {
        let (request, meta) = (&exchange.request, &exchange.meta);
        let Some(response) = &exchange.response else {
            fold_credentials(&mut self.unanswered.credentials, request, false, limits);
            let request = self.unanswered.fold(request, meta, true, scratch, limits);
            return Unread { request, response: None };
        };
        let ok = response.status < 400;
        if ok {
            fold_credentials(&mut self.ok.credentials, request, false, limits);
        } else if matches!(response.status, 401 | 403) {
            fold_credentials(&mut self.refused, request, true, limits);
        }
        let asked = if ok { &mut self.ok } else { &mut self.failed };
        let asked = asked.fold(request, meta, ok, scratch, limits);

        if !self.responses.contains_key(&response.status) {
            limits.note_fresh();
        }
        let answered = self.responses.entry(response.status).or_default();
        add(&mut answered.n, 1);
        let (into, known) = (&mut answered.headers, &mut scratch.response_headers);
        fold_headers(into, &response.headers, ok, known, is_response_plumbing, limits);
        let extent = Extent::of(meta.truncated_response, meta.incomplete.is_some());
        let answered = fold_body(
            &mut answered.bodies,
            &mut answered.empty,
            &response.headers,
            &response.body,
            extent,
            &mut scratch.tapes.answered,
            limits,
        );
        if ok {
            graphql::fold(&mut self.graphql, exchange, &mut scratch.tapes, limits);
        }
        Unread { request: asked, response: answered }
    }
}

impl Requests {
    fn fold(
        &mut self,
        request: &Request<'_>,
        meta: &Meta<'_>,
        ok: bool,
        scratch: &mut Scratch,
        limits: &Caps<'_>,
    ) -> Option<NotJson> {
        add(&mut self.n, 1);
        fold_query(&mut self.query, &request.query, ok, limits);
        let known = &mut scratch.request_headers;
        fold_headers(&mut self.headers, &request.headers, ok, known, is_request_plumbing, limits);
        let extent = Extent::of(meta.truncated_request, meta.incomplete.is_some());
        fold_body(
            &mut self.bodies,
            &mut self.empty,
            &request.headers,
            &request.body,
            extent,
            &mut scratch.tapes.asked,
            limits,
        )
    }
}

/// How much of a body was recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    /// The recorder kept a part of it, or nothing; there was a body.
    Truncated,
    /// The exchange was cut short; if nothing arrived, the headers say whether there is a body.
    Incomplete,
}

impl Extent {
    pub(super) fn of(full_size: Option<u64>, incomplete: bool) -> Extent {
        match (full_size, incomplete) {
            (Some(_), _) => Extent::Truncated,
            (None, true) => Extent::Incomplete,
            (None, false) => Extent::Whole,
        }
    }
}

fn fold_body(
    bodies: &mut CappedMap<ObservedBody>,
    empty: &mut u64,
    headers: &Pairs<'_>,
    body: &exchange::Body<'_>,
    extent: Extent,
    tape: &mut Tape,
    limits: &Caps<'_>,
) -> Option<NotJson> {
    if !has_body(headers, body, extent) {
        add(empty, 1);
        return None;
    }
    let whole = extent == Extent::Whole;
    let content_type = exchange::header(headers, "content-type");
    let (media, content) = content(content_type, body, whole, tape, limits.body_bytes)?;
    bodies.slot(&media, limits.media, no_priority, limits).fold(
        content,
        (body, content_type),
        tape,
        limits,
    );
    match content {
        BodyContent::Unread(why) => Some(why),
        _ => None,
    }
}

/// True for a message with a body, even if nothing of it was recorded.
pub(super) fn has_body(headers: &Pairs<'_>, body: &exchange::Body<'_>, extent: Extent) -> bool {
    !body.is_empty()
        || match extent {
            Extent::Whole => false,
            Extent::Truncated => true,
            Extent::Incomplete => announces_body(headers),
        }
}

/// True if the headers of a message announce a body.
fn announces_body(headers: &Pairs<'_>) -> bool {
    let length = exchange::header(headers, "content-length").map(|length| length.trim() != "0");
    length.unwrap_or_else(|| {
        ["content-type", "transfer-encoding"]
            .iter()
            .any(|name| exchange::header(headers, name).is_some())
    })
}

fn fold_headers(
    into: &mut CappedMap<ObservedParameter>,
    headers: &Pairs<'_>,
    ok: bool,
    known: &mut Memo,
    plumbing: fn(&str) -> bool,
    limits: &Caps<'_>,
) {
    for (index, (name, _)) in headers.iter().enumerate() {
        if index < limits.pairs
            && !known.ask(name, index, plumbing)
            && !headers[..index].iter().any(|(other, _)| other == name)
        {
            let values =
                headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_ref());
            into.fold(name, limits.headers, no_priority, limits, |header| {
                header.fold(values, ok, limits);
            });
        }
    }
}

impl Merge for Requests {
    fn coarsen(&mut self, limits: &Limits) {
        self.bodies.coarsen(limits.media, limits);
        self.headers.coarsen(limits.headers, limits);
        self.query.coarsen(limits.query, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.bodies.merge(other.bodies, limits.media, limits);
        self.credentials.merge(other.credentials, limits.credentials, limits);
        add(&mut self.empty, other.empty);
        self.headers.merge(other.headers, limits.headers, limits);
        add(&mut self.n, other.n);
        self.query.merge(other.query, limits.query, limits);
    }
}

impl Merge for Responses {
    fn coarsen(&mut self, limits: &Limits) {
        self.bodies.coarsen(limits.media, limits);
        self.headers.coarsen(limits.headers, limits);
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.bodies.merge(other.bodies, limits.media, limits);
        add(&mut self.empty, other.empty);
        self.headers.merge(other.headers, limits.headers, limits);
        add(&mut self.n, other.n);
    }
}

impl Merge for ObservedOperation {
    fn coarsen(&mut self, limits: &Limits) {
        self.failed.coarsen(limits);
        coarsen_option(&mut self.graphql, limits);
        self.ok.coarsen(limits);
        self.unanswered.coarsen(limits);
        for answered in self.responses.values_mut() {
            answered.coarsen(limits);
        }
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.failed.merge(other.failed, limits);
        merge_option(&mut self.graphql, other.graphql, limits);
        self.ok.merge(other.ok, limits);
        self.unanswered.merge(other.unanswered, limits);
        self.refused.merge(other.refused, limits.credentials, limits);
        merge_map(&mut self.responses, other.responses, limits);
        for (at, classes) in other.through.into_iter().enumerate() {
            self.came_through(at, classes);
        }
    }
}

impl ObservedOperation {
    /// If nothing was answered, treats the requests without a response as successful.
    pub(crate) fn settle(&mut self) {
        let unanswered = std::mem::take(&mut self.unanswered);
        if self.responses.is_empty() {
            self.ok = unanswered;
        }
    }

    /// The JSON bodies of all requests and responses.
    pub(crate) fn json_bodies(&self) -> impl Iterator<Item = &Json> {
        let asked = [&self.ok, &self.failed, &self.unanswered];
        let asked = asked.into_iter().flat_map(|asked| asked.bodies.iter());
        let answered = self.responses.values().flat_map(|answered| answered.bodies.iter());
        asked.chain(answered).flat_map(|(_, body)| {
            let parts = body.parts.iter().flat_map(|parts| parts.fields.iter());
            let whole = [body.json.as_deref(), body.items.as_deref()].into_iter().flatten();
            whole.chain(parts.filter_map(|(_, part)| part.json.as_deref()))
        })
    }

    /// Notes the classes of the parameter `at`.
    pub(crate) fn came_through(&mut self, at: usize, classes: ClassSet) {
        if self.through.len() <= at {
            self.through.resize(at + 1, ClassSet::default());
        }
        self.through[at] = self.through[at].and(classes);
    }
}
