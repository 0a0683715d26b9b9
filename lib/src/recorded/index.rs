//! The index of recordings, and the sequences of answers that it leads to.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::exchange::{Exchange, Request, sorted_path};

use super::answer::{Answer, Unanswerable};
use super::body::Comparable;
use super::nearest::Known;
use super::rule::{BodyRule, HostRule, MatchRule};
use super::veil::{Veiled, values};

/// Gives the pseudonym of a secret, under the user's key.
type Pseudonym = Box<dyn Fn(&str) -> String + Send + Sync>;

/// Recorded answers, found by request. Filled first, then shared: [`Recordings::answer`] takes no lock.
pub struct Recordings {
    rule: MatchRule,
    sequences: Vec<Sequence>,
    /// [`Level::SAME`] and [`Level::ANY`].
    levels: [Level; 2],
    /// Recordings that hold pseudonyms, by method and path.
    veiled: HashMap<Vec<u8>, Vec<(Veiled, Found)>>,
    pseudonym: Option<Pseudonym>,
    pub(super) known: Vec<Known>,
    hosts: HashSet<String>,
    dropped_headers: u64,
}

/// Keys to indices of sequences, with the body and without.
#[derive(Default)]
struct Level {
    with_body: HashMap<Vec<u8>, usize>,
    any_body: HashMap<Vec<u8>, usize>,
}

impl Level {
    /// Keys that name the host.
    const SAME: usize = 0;
    /// Keys that do not.
    const ANY: usize = 1;
}

/// The sequences that one recorded request belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Found {
    same_host: Indices,
    any_host: Indices,
}

/// Indices of sequences, with the body and without.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Indices {
    with_body: usize,
    any_body: usize,
}

/// Answers in order, each once, then the last for ever.
#[derive(Default)]
struct Sequence {
    answers: Vec<Arc<Answer>>,
    next: AtomicUsize,
}

impl Sequence {
    fn take(&self) -> Option<Arc<Answer>> {
        let last = self.answers.len().checked_sub(1)?;
        // Counting on for ever is safe: 2^64 requests are not made in a process' life.
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.answers.get(turn.min(last)).cloned()
    }
}

/// What became of an exchange that was inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It will be answered.
    Kept,
    /// It holds no answer.
    LeftOut(Unanswerable),
}

impl Recordings {
    /// No recordings yet.
    pub fn new(rule: MatchRule) -> Self {
        Recordings {
            rule,
            sequences: Vec::new(),
            levels: [Level::default(), Level::default()],
            veiled: HashMap::new(),
            pseudonym: None,
            known: Vec::new(),
            hosts: HashSet::new(),
            dropped_headers: 0,
        }
    }

    /// Lets recorded pseudonyms match only the secrets that they were made of. Without it, they match any value.
    pub fn set_pseudonym(&mut self, of: impl Fn(&str) -> String + Send + Sync + 'static) {
        self.pseudonym = Some(Box::new(of));
    }

    /// Adds an exchange; its answer comes after those of equal requests inserted before.
    pub fn insert(&mut self, exchange: &Exchange<'_>) -> Inserted {
        match Answer::of_exchange(exchange) {
            Ok((answer, dropped)) => {
                self.dropped_headers += dropped;
                let whole = exchange.meta.truncated_request.is_none();
                self.add(&exchange.request, whole, &Arc::new(answer));
                Inserted::Kept
            }
            Err(why) => Inserted::LeftOut(why),
        }
    }

    /// True where nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// True where a recording is of this host.
    pub fn knows_host(&self, host: &str) -> bool {
        self.hosts.contains(&canonical_host(host))
    }

    /// Distinct requests (under the rule, host included).
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Recorded headers that no HTTP message can carry, and which are therefore not sent.
    pub fn dropped_headers(&self) -> u64 {
        self.dropped_headers
    }

    /// What two requests are compared by.
    pub fn rule(&self) -> &MatchRule {
        &self.rule
    }

    pub(super) fn count_dropped(&mut self, headers: u64) {
        self.dropped_headers += headers;
    }

    /// Adds an answer. A request whose body was not recorded whole is found by everything else.
    pub(super) fn add(&mut self, request: &Request<'_>, whole: bool, answer: &Arc<Answer>) {
        let host = canonical_host(&request.host);
        let same_host = self.append(self.key(request, Some(&host)), whole, answer, Level::SAME);
        let any_host = self.append(self.key(request, None), whole, answer, Level::ANY);
        if self.sequences[same_host.with_body].answers.len() == 1 {
            self.known.push(Known::of(request, &host));
            self.hosts.insert(host.clone());
        }
        if Veiled::is(request, &self.rule) {
            self.add_veiled(request, host, Found { same_host, any_host });
        }
    }

    fn append(&mut self, key: Key, whole: bool, answer: &Arc<Answer>, level: usize) -> Indices {
        let any_body = key.bytes[..key.body_at].to_vec();
        let any_body =
            Self::sequence(&mut self.levels[level].any_body, &mut self.sequences, any_body);
        self.sequences[any_body].answers.push(Arc::clone(answer));
        if !whole || self.rule.body == BodyRule::Ignored {
            return Indices { with_body: any_body, any_body };
        }
        let with_body =
            Self::sequence(&mut self.levels[level].with_body, &mut self.sequences, key.bytes);
        self.sequences[with_body].answers.push(Arc::clone(answer));
        Indices { with_body, any_body }
    }

    /// The sequence of a key, made where it is new.
    fn sequence(
        map: &mut HashMap<Vec<u8>, usize>,
        sequences: &mut Vec<Sequence>,
        key: Vec<u8>,
    ) -> usize {
        *map.entry(key).or_insert_with(|| {
            sequences.push(Sequence::default());
            sequences.len() - 1
        })
    }

    /// Brings every sequence into the order of time, then of the recorder's numbers; what has neither stays where it was.
    pub(super) fn sort(&mut self) {
        for sequence in &mut self.sequences {
            sequence.answers.sort_by_key(|answer| (answer.at, answer.seq));
        }
    }

    /// The next answer to a request, or `None` where nothing like it was recorded.
    pub fn answer(&self, request: &Request<'_>, host: HostRule) -> Option<Arc<Answer>> {
        if self.is_empty() {
            return None;
        }
        let index = if self.rule.host && host == HostRule::Same {
            let name = canonical_host(&request.host);
            // A recording that tells no host is of any host.
            self.find(request, Some(&name)).or_else(|| self.find(request, Some("")))
        } else {
            self.find(request, None)
        }?;
        self.sequences.get(index)?.take()
    }

    fn find(&self, request: &Request<'_>, host: Option<&str>) -> Option<usize> {
        let level = &self.levels[if host.is_some() { Level::SAME } else { Level::ANY }];
        let key = self.key(request, host);
        let exact = level.with_body.get(&key.bytes).copied();
        let exact = exact.or_else(|| self.find_veiled(request, host, true));
        if exact.is_some() || self.rule.body == BodyRule::Required {
            return exact;
        }
        let any_body = level.any_body.get(&key.bytes[..key.body_at]).copied();
        any_body.or_else(|| self.find_veiled(request, host, false))
    }

    fn key(&self, request: &Request<'_>, host: Option<&str>) -> Key {
        let mut bytes = Vec::with_capacity(128);
        self.write_method_and_path(request, &mut bytes);
        if self.rule.query {
            bytes.extend_from_slice(sorted_path("", &request.query).as_bytes());
        }
        bytes.push(0);
        for name in &self.rule.headers {
            for value in values(&request.headers, name) {
                bytes.extend_from_slice(value.as_bytes());
                bytes.push(0);
            }
            bytes.push(0);
        }
        bytes.extend_from_slice(host.unwrap_or_default().as_bytes());
        bytes.push(0);
        let body_at = bytes.len();
        if self.rule.body != BodyRule::Ignored {
            Comparable::of(request.body.as_bytes()).write_key(&mut bytes);
        }
        Key { bytes, body_at }
    }

    fn write_method_and_path(&self, request: &Request<'_>, out: &mut Vec<u8>) {
        if self.rule.method {
            out.extend_from_slice(request.method.as_str().as_bytes());
        }
        out.push(0);
        if self.rule.path {
            out.extend_from_slice(request.pathname.as_bytes());
        }
    }

    fn add_veiled(&mut self, request: &Request<'_>, host: String, sequences: Found) {
        let mut key = Vec::new();
        self.write_method_and_path(request, &mut key);
        let same_path = self.veiled.entry(key).or_default();
        if same_path.iter().all(|(_, known)| *known != sequences) {
            same_path.push((Veiled::of(request, host, &self.rule), sequences));
        }
    }

    /// The first recording that is equal but for secrets.
    fn find_veiled(
        &self,
        request: &Request<'_>,
        host: Option<&str>,
        with_body: bool,
    ) -> Option<usize> {
        if self.veiled.is_empty() {
            return None;
        }
        let mut key = Vec::new();
        self.write_method_and_path(request, &mut key);
        let check = |secret: &str, pseudonym: &str| match &self.pseudonym {
            Some(of) => of(secret) == pseudonym,
            None => true,
        };
        let (_, sequences) = self
            .veiled
            .get(&key)?
            .iter()
            .find(|(veiled, _)| veiled.matches(request, &self.rule, host, with_body, &check))?;
        let level = if host.is_some() { sequences.same_host } else { sequences.any_host };
        Some(if with_body { level.with_body } else { level.any_body })
    }
}

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recordings")
            .field("rule", &self.rule)
            .field("requests", &self.len())
            .finish_non_exhaustive()
    }
}

/// The bytes by which a request is found; those before `body_at` leave the body out.
struct Key {
    bytes: Vec<u8>,
    body_at: usize,
}

/// Lower case, without the port that the scheme implies: clients and recorders differ in naming it.
fn canonical_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")) {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => host,
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
