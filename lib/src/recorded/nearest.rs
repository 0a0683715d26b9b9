//! Explaining a miss: the recorded request that comes nearest, and in what it differs.

use std::borrow::Cow;

use super::body::{Comparable, content_type, readable};
use super::difference;
use super::index::{Asked, Recordings, canonical_host};
use super::rule::{BodyRule, HostRule, MatchRule};

/// How many recorded requests a miss is compared with, and as many that were never answered: an explanation is no reason
/// to be slow.
const COMPARED: usize = 50_000;
/// Bytes of bodies that are kept to be compared.
const BODIES: usize = 16 << 20;

/// Recorded requests that a miss is compared with.
#[derive(Debug, Default)]
pub(super) struct Nearby {
    known: Vec<Known>,
    unanswered: usize,
    bodies: usize,
}

impl Nearby {
    pub(super) fn has_room(&self, unanswered: bool) -> bool {
        let answered = self.known.len() - self.unanswered;
        if unanswered { self.unanswered < COMPARED } else { answered < COMPARED }
    }

    pub(super) fn push(&mut self, mut known: Known) {
        self.unanswered += usize::from(known.unanswered.is_some());
        self.bodies += known.body.len();
        if self.bodies > BODIES {
            self.bodies -= known.body.len();
            known.body = Box::default();
            known.body_is_kept = false;
        }
        self.known.push(known);
    }
}

/// A recorded request, as far as an explanation needs it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    method: String,
    host: String,
    pathname: String,
    query: Vec<(String, String)>,
    /// Those that are compared.
    headers: Vec<(String, String)>,
    body: Box<[u8]>,
    content_type: Option<String>,
    body_is_kept: bool,
    /// Why it has no answer, where it has none.
    unanswered: Option<String>,
}

impl Known {
    pub(super) fn of(
        asked: &Asked<'_>,
        host: &str,
        rule: &MatchRule,
        unanswered: Option<String>,
    ) -> Self {
        let request = asked.request;
        let text =
            |(name, value): &(Cow<'_, str>, Cow<'_, str>)| (name.to_string(), value.to_string());
        let query = request.query.iter().map(text);
        let headers =
            request.headers.iter().filter(|(name, _)| rule.headers.iter().any(|own| own == name));
        Known {
            method: asked.method().to_ascii_uppercase(),
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

    /// The greater, the nearer. The path has most to say, then method and host, then the query, then the body.
    fn nearness(&self, asked: &Known, host_counts: bool) -> impl Ord + use<> {
        let parts = self.pathname.split('/').zip(asked.pathname.split('/'));
        let shared = self.query.iter().filter(|pair| asked.query.contains(pair)).count();
        (
            self.pathname == asked.pathname,
            parts.filter(|(a, b)| a == b).count(),
            self.method == asked.method,
            !host_counts || self.host == asked.host,
            sorted(&self.query) == sorted(&asked.query),
            shared,
            self.body == asked.body,
            self.unanswered.is_none(),
        )
    }

    fn describe(&self) -> String {
        let query =
            self.query.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into()));
        let path = crate::exchange::sorted_path(&self.pathname, &query.collect());
        format!("{} {}{path}", self.method, self.host)
    }

    fn comparable(&self) -> Comparable<'_> {
        Comparable::of(&self.body, self.content_type.as_deref())
    }

    /// In what a request differs from this one, the first of each part that is compared.
    fn differences(&self, asked: &Known, rule: &MatchRule, host_counts: bool) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, recorded: &str, asked: &str| {
            if recorded != asked {
                found.push(format!("the {what} (recorded {recorded:?}, asked {asked:?})"));
            }
        };
        if rule.method {
            differ("method", &self.method, &asked.method);
        }
        if host_counts {
            differ("host", &self.host, &asked.host);
        }
        if rule.path {
            differ("path", &self.pathname, &asked.pathname);
        }
        if rule.query {
            found.extend(difference::pairs("the query parameter", &self.query, &asked.query));
        }
        found.extend(difference::pairs("the header", &self.headers, &asked.headers));
        if rule.body == BodyRule::Required && self.body_is_kept {
            let (recorded, asked) = (self.comparable(), asked.comparable());
            found.extend(difference::bodies(&recorded, &asked, &rule.ignored.json));
        }
        found
    }
}

impl Recordings {
    /// A sentence on why a request found no recording: which one comes nearest, and what differs.
    pub fn explain_miss(&self, asked: &Asked<'_>) -> String {
        let rule = self.rule();
        if self.needs_credential(asked) {
            return "the request was recorded with a credential, and this one brings none: send \
                    one (any value will do if the recording is redacted), or start with --ignore \
                    credentials"
                .to_owned();
        }
        let host_counts = asked.host == HostRule::Same && rule.host;
        let asked = Known::of(asked, &canonical_host(&asked.request.host), rule, None);
        let nearest =
            self.nearby.known.iter().rev().max_by_key(|known| known.nearness(&asked, host_counts));
        let Some(nearest) = nearest else {
            return "there are no recordings".to_owned();
        };
        let differences = nearest.differences(&asked, rule, host_counts);
        let name = nearest.describe();
        match &nearest.unanswered {
            Some(why) if differences.is_empty() => {
                format!("{name} was recorded, but has no answer to send: {why}")
            }
            unanswered => {
                let differences = if differences.is_empty() {
                    "the body, or a value that stands for a secret".to_owned()
                } else {
                    differences.join(", ")
                };
                let state = if unanswered.is_some() { " (which has no answer)" } else { "" };
                format!("the nearest recording is {name}{state}; it differs in {differences}")
            }
        }
    }
}

fn sorted(pairs: &[(String, String)]) -> Vec<&(String, String)> {
    let mut pairs: Vec<_> = pairs.iter().collect();
    pairs.sort_unstable();
    pairs
}
