//! Learns what varies: between equal recorded requests, and between two sendings of one request.

use std::collections::HashMap;
use std::sync::Arc;

use twox_hash::XxHash3_64;

use super::context::{Comparing, FoundDifference, FoundPlace};
use super::operation::{example, method_of, template};
use super::rule::{IgnoreRule, RulePlace};
use crate::exchange::{Exchange, header, is_session_cookie, parse_line, sorted_path};

/// Maximum size of the recorded exchanges that are kept for comparison, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Maximum number of rules that are learned in one run.
const MAX_RULES: usize = 1_000;

/// A rule, and the reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedRule {
    /// The rule.
    pub rule: IgnoreRule,
    /// The values that varied.
    pub reason: String,
}

/// Compares responses that should be equal.
#[derive(Debug, Default)]
pub(super) struct Learner {
    /// The first exchange of each request, with its place.
    first: HashMap<u64, (Box<[u8]>, String)>,
    bytes: usize,
    learned: Vec<LearnedRule>,
}

impl Learner {
    /// Adds a recorded exchange.
    pub(super) fn recorded(
        &mut self,
        exchange: &Exchange<'_>,
        line: &[u8],
        place: (&Arc<str>, u64),
        rules: &[IgnoreRule],
    ) {
        if exchange.response.is_none() {
            return;
        }
        let method = method_of(exchange);
        let key = key(exchange, &method, rules);
        let place = example(place).place;
        let Some((first, first_place)) = self.first.get(&key) else {
            if self.bytes + line.len() <= MAX_BYTES {
                self.bytes += line.len();
                self.first.insert(key, (line.into(), place));
            }
            return;
        };
        let Ok(before) = parse_line(first) else { return };
        let pathname = exchange.request.pathname.as_ref();
        let why = format!("{first_place} and {place} are equal requests");
        let learned = varying(&method, pathname, &before, exchange, rules, &why);
        self.add(learned);
    }

    /// Adds two responses to one request.
    pub(super) fn sent_twice(
        &mut self,
        method: &str,
        pathname: &str,
        first: &Exchange<'_>,
        second: &Exchange<'_>,
        place: &str,
        rules: &[IgnoreRule],
    ) {
        let why = format!("{place} was sent twice");
        let learned = varying(method, pathname, first, second, rules, &why);
        self.add(learned);
    }

    fn add(&mut self, learned: Vec<LearnedRule>) {
        for new in learned {
            let is_known = self.learned.iter().any(|known| known.rule.covers(&new.rule));
            if !is_known && self.learned.len() < MAX_RULES {
                self.learned.push(new);
            }
        }
    }

    /// The learned rules, in the order of discovery.
    pub(super) fn finish(self) -> Vec<LearnedRule> {
        self.learned
    }
}

/// The key of a request: method, host, path, query, body, and the credential. Requests with the
/// same key are equal.
fn key(exchange: &Exchange<'_>, method: &str, rules: &[IgnoreRule]) -> u64 {
    let request = &exchange.request;
    let mut query = request.query.clone();
    query.retain(|(name, _)| {
        !rules.iter().any(|rule| matches!(&rule.place, RulePlace::Query(own) if own == name))
    });
    let target = sorted_path(&request.pathname, &query);
    let mut bytes = format!("{method} {}{target}", request.host).into_bytes();
    bytes.push(0);
    bytes.extend_from_slice(header(&request.headers, "authorization").unwrap_or("").as_bytes());
    for (_, value) in request.headers.iter().filter(|(name, _)| name == "cookie") {
        let session = value.split(';').filter(|pair| {
            pair.split_once('=').is_some_and(|(name, _)| is_session_cookie(name.trim()))
        });
        session.for_each(|pair| bytes.extend_from_slice(pair.as_bytes()));
    }
    for name in ["accept", "accept-language", "range"] {
        bytes.push(0);
        bytes.extend_from_slice(header(&request.headers, name).unwrap_or("").as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(request.body.as_bytes());
    XxHash3_64::oneshot(&bytes)
}

/// Rules for what differs between two responses.
fn varying(
    method: &str,
    pathname: &str,
    first: &Exchange<'_>,
    second: &Exchange<'_>,
    rules: &[IgnoreRule],
    why: &str,
) -> Vec<LearnedRule> {
    let applying = rules.iter().filter(|rule| rule.applies_to(method, pathname)).collect();
    let mut comparing = Comparing::new(first, second, applying, None);
    comparing.responses(first, second);
    let findings = std::mem::take(&mut comparing.findings);
    let pattern = template(pathname).replace("{id}", "*");
    let rule = |finding: FoundDifference| {
        let place = match finding.place.generalised() {
            // A request that failed once says nothing about its responses.
            FoundPlace::Response => return None,
            FoundPlace::Status => RulePlace::Status,
            FoundPlace::Header(name) => RulePlace::Header(name),
            FoundPlace::Body(mut path) => {
                // If items of an array appear and disappear, the whole array varies.
                if matches!(finding.rule, "missing" | "extra")
                    && path.last().is_some_and(|step| step == "*")
                {
                    path.pop();
                }
                let pointer = crate::recorded::display_pointer(&path);
                RulePlace::Json(pointer.parse().ok()?)
            }
        };
        let rule =
            IgnoreRule { method: Some(method.to_owned()), path: pattern.parse().ok(), place };
        let values = format!("{} / {}", finding.old, finding.new);
        Some(LearnedRule { rule, reason: format!("varies: {why}: {values}") })
    };
    findings.into_iter().filter_map(rule).collect()
}
