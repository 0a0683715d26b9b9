//! The recorded requests that a miss is compared with.

use std::borrow::Cow;

use super::body::{Comparable, content_type, readable};
use super::difference;
use super::lookup::Lookup;
use super::rule::{BodyRule, MatchRule};

/// Maximum number of recorded requests that a miss is compared with, and the same number of
/// unanswered ones. This bounds the time of an explanation.
const MAX_COMPARED: usize = 50_000;
/// Maximum total size of the bodies that are kept for comparison.
const MAX_BODY_BYTES: usize = 16 << 20;

/// The recorded requests that a miss is compared with.
#[derive(Debug, Default)]
pub(super) struct ComparedRequests {
    pub(super) known: Vec<ComparedRequest>,
    unanswered: usize,
    bodies: usize,
}

impl ComparedRequests {
    pub(super) fn has_room(&self, unanswered: bool) -> bool {
        let answered = self.known.len() - self.unanswered;
        if unanswered { self.unanswered < MAX_COMPARED } else { answered < MAX_COMPARED }
    }

    pub(super) fn push(&mut self, mut known: ComparedRequest) {
        self.unanswered += usize::from(known.unanswered.is_some());
        self.bodies += known.body.len();
        if self.bodies > MAX_BODY_BYTES {
            self.bodies -= known.body.len();
            known.body = Box::default();
            known.body_is_kept = false;
        }
        self.known.push(known);
    }
}

/// The parts of a recorded request that an explanation uses.
#[derive(Clone, Debug)]
pub(super) struct ComparedRequest {
    method: String,
    host: String,
    pathname: String,
    query: Vec<(String, String)>,
    /// The compared headers.
    headers: Vec<(String, String)>,
    body: Box<[u8]>,
    content_type: Option<String>,
    body_is_kept: bool,
    /// Why it has no answer, if it has none.
    pub(super) unanswered: Option<String>,
}

impl ComparedRequest {
    pub(super) fn of(
        requested: &Lookup<'_>,
        host: &str,
        rule: &MatchRule,
        unanswered: Option<String>,
    ) -> Self {
        let request = requested.request;
        let text =
            |(name, value): &(Cow<'_, str>, Cow<'_, str>)| (name.to_string(), value.to_string());
        let query = request.query.iter().map(text);
        let headers =
            request.headers.iter().filter(|(name, _)| rule.headers.iter().any(|own| own == name));
        ComparedRequest {
            method: requested.method().to_ascii_uppercase(),
            host: host.to_owned(),
            pathname: request.pathname.as_ref().to_owned(),
            query: query.filter(|(name, _)| !rule.ignored.query.contains(name)).collect(),
            headers: headers.map(text).collect(),
            body: readable(request).into(),
            content_type: content_type(request).map(str::to_owned),
            body_is_kept: true,
            unanswered,
        }
    }

    /// A higher value is more similar. The path has the most weight, then method and host, then the
    /// query, then the body.
    pub(super) fn nearness(
        &self,
        requested: &ComparedRequest,
        host_counts: bool,
    ) -> impl Ord + use<> {
        let parts = self.pathname.split('/').zip(requested.pathname.split('/'));
        let shared = self.query.iter().filter(|pair| requested.query.contains(pair)).count();
        (
            self.pathname == requested.pathname,
            parts.filter(|(a, b)| a == b).count(),
            self.method == requested.method,
            !host_counts || self.host == requested.host,
            sorted(&self.query) == sorted(&requested.query),
            shared,
            self.body == requested.body,
            self.unanswered.is_none(),
        )
    }

    pub(super) fn describe(&self) -> String {
        let query =
            self.query.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into()));
        let path = crate::exchange::sorted_path(&self.pathname, &query.collect());
        format!("{} {}{path}", self.method, self.host)
    }

    fn comparable(&self) -> Comparable<'_> {
        Comparable::of(&self.body, self.content_type.as_deref())
    }

    /// The differences of a request from this one: the first of each compared part.
    pub(super) fn differences(
        &self,
        requested: &ComparedRequest,
        rule: &MatchRule,
        host_counts: bool,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, recorded: &str, requested: &str| {
            if recorded != requested {
                found.push(format!("the {what} (recorded {recorded:?}, requested {requested:?})"));
            }
        };
        if rule.method {
            differ("method", &self.method, &requested.method);
        }
        if host_counts {
            differ("host", &self.host, &requested.host);
        }
        if rule.path {
            differ("path", &self.pathname, &requested.pathname);
        }
        if rule.query {
            found.extend(difference::pairs("the query parameter", &self.query, &requested.query));
        }
        found.extend(difference::pairs("the header", &self.headers, &requested.headers));
        if rule.body == BodyRule::Required && self.body_is_kept {
            let (recorded, requested) = (self.comparable(), requested.comparable());
            found.extend(difference::bodies(&recorded, &requested, &rule.ignored.json));
        }
        found
    }
}

fn sorted(pairs: &[(String, String)]) -> Vec<&(String, String)> {
    let mut pairs: Vec<_> = pairs.iter().collect();
    pairs.sort_unstable();
    pairs
}
